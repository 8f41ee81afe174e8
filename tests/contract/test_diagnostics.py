import unittest

from gatelodge.contract import diagnostics, messages
from gatelodge.contract.errors import MessageError

INTERFACE = {
    "name": "eth0", "role": "wan", "address": "10.0.2.15", "up": True, "rx_bytes": 2**40, "tx_bytes": 0,
}  # fmt: skip
EXAMPLES = {
    "router": {
        "model": "Virt",
        "board": "qemu",
        "firmware": "0.1.0",
        "slot": "a",
        "interpreter": "MicroPython 1.25.0",
        "kernel": "6.12",
        "uptime_s": 7,
    },
    "clock": {"now": 1795281600, "state": "synced", "source": "sntp", "doubtful": True},
    "machine": {
        "load_1": 0.25,
        "load_5": 0.1,
        "load_15": 0,
        "memory_total_kb": 131072,
        "memory_available_kb": 65536,
        "heap_used_kb": 900,
        "heap_total_kb": None,
        "storage_total_kb": 4096,
        "storage_free_kb": 2048,
    },
    "internet": {
        "up": True,
        "route": True,
        "speed_mbit": None,
        "addresses": ["10.0.2.15", "2001:db8::1"],
        "gateways": ["fe80::2"],
        "name_servers": [],
    },
    "home": {"interfaces": [INTERFACE], "neighbours": 4, "reachable": 2},
    "cloud": {"state": "online", "since": 1795281600, "last_error": None, "releasing": False},
    "settings": {
        "password": True,
        "authenticators": 1,
        "recovery_codes": 10,
        "trusted_browsers": 0,
        "api_tokens": 2,
        "sign_ins": 9,
    },
    "log": {"lines": ["2026-11-21T17:20:00Z info link: online"]},
}


class DiagnosticsTest(unittest.TestCase):
    def refusal(self, section, value):
        with self.assertRaises(MessageError) as caught:
            diagnostics.check(section, value)
        return str(caught.exception)

    def test_every_section_has_an_example_that_passes_unchanged(self):
        self.assertEqual(sorted(EXAMPLES), sorted([name for name, _ in diagnostics.SECTIONS]))
        for section, value in EXAMPLES.items():
            self.assertEqual(diagnostics.check(section, value), value)

    def test_each_fits_into_a_report_message(self):
        for section, value in EXAMPLES.items():
            message = {"type": "report", "report_id": "r1", "number": 0, "section": section, "value": value}
            self.assertEqual(messages.check(message, messages.ROUTER), message)

    def test_what_no_row_names_is_dropped_also_within_a_list(self):
        for section, value in EXAMPLES.items():
            more = dict(value, service_code="7K3M9QWX2B4NT8RCV", secret={"key": "x"})
            self.assertEqual(diagnostics.check(section, more), value)
        home = dict(EXAMPLES["home"], interfaces=[dict(INTERFACE, wifi_key="sesame")])
        self.assertEqual(diagnostics.check("home", home), EXAMPLES["home"])

    def test_no_field_takes_an_unfit_value(self):
        for section, rows in diagnostics.SECTIONS:
            for field, _ in rows:
                for unfit in ({}, 2**70, "x" * 400, float("nan"), -1, [[]] * 101):
                    value = dict(EXAMPLES[section])
                    value[field] = unfit
                    self.assertIn(f"{section}.{field}", self.refusal(section, value))

    def test_an_address_holds_no_name(self):
        for unfit in ("laptop", "10.0.2.15 Ada", "x.local", "1" * 65):
            self.assertIn("internet.addresses", self.refusal(
                "internet", dict(EXAMPLES["internet"], addresses=[unfit])))  # fmt: skip

    def test_a_section_that_nobody_knows_is_refused(self):
        self.assertEqual(self.refusal("wifi", {}), "a report has no such section")

    def test_its_messages_have_numbers_within_the_rows(self):
        message = {"type": "report", "report_id": "r1", "section": "log", "value": {"lines": []}}
        message["number"] = diagnostics.MESSAGES_LIMIT - 1
        messages.check(message, messages.ROUTER)
        message["number"] += 1
        with self.assertRaises(MessageError):
            messages.check(message, messages.ROUTER)


if __name__ == "__main__":
    unittest.main()
