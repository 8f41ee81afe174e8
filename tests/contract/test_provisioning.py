import unittest

from gatelodge.contract import provisioning
from gatelodge.contract.errors import BenchError, ServiceCodeError, StateError

SERIAL = "GL2647000001"
CODE = "0123456789ABCDEF9"
IDENTITY = {
    "serial_number": SERIAL,
    "device_certificate": "AAAA",
    "admin_certificate": "BBBB",
    "factory_ca": "CCCC",
    "cloud_ca": "DD==",
    "cloud": {"host": "10.0.2.2", "port": 8445, "server_name": "cloud.example"},
    "ntp": [["10.0.2.2", 8123]],
    "time": 1795281371,
}


def changed(**fields):
    request = dict(IDENTITY)
    request.update(fields)
    return request


class Order(unittest.TestCase):
    def walk(self, *verbs):
        state = provisioning.BLANK
        for verb in verbs:
            state = provisioning.next_state(state, verb)
        return state

    def test_the_bench_walks_from_blank_to_locked(self):
        verbs = ("identify", "make_key", "certificate_request", "write_identity", "self_test", "lock")
        self.assertEqual(self.walk(*verbs), provisioning.LOCKED)

    def test_a_bench_that_was_interrupted_starts_over(self):
        verbs = (
            "make_key",
            "write_identity",
            "identify",
            "make_key",
            "certificate_request",
            "write_identity",
        )
        self.assertEqual(self.walk(*verbs), provisioning.IDENTIFIED)

    def test_a_router_that_was_not_tested_is_not_locked(self):
        with self.assertRaises(BenchError):
            self.walk("make_key", "write_identity", "lock")

    def test_a_new_identity_is_tested_again(self):
        with self.assertRaises(BenchError):
            self.walk("make_key", "write_identity", "self_test", "write_identity", "lock")

    def test_a_locked_router_takes_no_verb(self):
        for verb in provisioning.VERBS:
            with self.assertRaises(BenchError):
                provisioning.next_state(provisioning.LOCKED, verb.name)

    def test_every_transition_names_a_verb_and_two_states(self):
        for (state, name), after in provisioning.TRANSITIONS.items():
            self.assertIn(state, provisioning.STATES)
            self.assertIn(after, provisioning.STATES)
            self.assertEqual(provisioning.find_verb(name).name, name)


class Records(unittest.TestCase):
    VERB = provisioning.find_verb("write_identity")

    def test_a_whole_request_passes_unchanged(self):
        self.assertIs(provisioning.check_request(self.VERB, IDENTITY), IDENTITY)

    def test_each_missing_field_is_named(self):
        for name, _ in self.VERB.request:
            request = dict(IDENTITY)
            del request[name]
            with self.assertRaises(BenchError) as raised:
                provisioning.check_request(self.VERB, request)
            self.assertIn("lacks " + name, str(raised.exception))

    def test_an_unknown_field_is_refused(self):
        with self.assertRaises(BenchError):
            provisioning.check_request(self.VERB, changed(colour="blue"))

    def test_wrong_kinds_are_refused(self):
        wrong = (
            {"serial_number": 5},
            {"serial_number": "GL26470000O1"},
            {"device_certificate": ""},
            {"device_certificate": "no spaces"},
            {"admin_certificate": "A" * 5000},
            {"cloud": []},
            {"cloud": {"host": "h", "port": 0, "server_name": "s"}},
            {"cloud": {"host": "h", "port": True, "server_name": "s"}},
            {"ntp": "10.0.2.2"},
            {"ntp": [["10.0.2.2"]]},
            {"ntp": [["h", 1]] * 9},
            {"time": 0},
            {"time": "now"},
        )
        for fields in wrong:
            with self.assertRaises(BenchError):
                provisioning.check_request(self.VERB, changed(**fields))

    def test_what_is_no_object_is_refused(self):
        for request in (None, [], "text", 5):
            with self.assertRaises(BenchError):
                provisioning.check_request(self.VERB, request)

    def test_a_reply_is_checked_as_a_request_is(self):
        verb = provisioning.find_verb("lock")
        self.assertEqual(provisioning.check_reply(verb, {"locked": True}), {"locked": True})
        with self.assertRaises(BenchError):
            provisioning.check_reply(verb, {"locked": "yes"})

    def test_an_unknown_verb_is_refused_with_its_name_cut_short(self):
        with self.assertRaises(BenchError) as raised:
            provisioning.find_verb("x" * 1000)
        self.assertLess(len(str(raised.exception)), 120)


class Seals(unittest.TestCase):
    def test_a_sealed_text_is_read_back(self):
        for text in ("", "identify {}", "größe"):
            self.assertEqual(provisioning.unseal(provisioning.seal(text)), text)

    def test_a_crc_is_the_one_of_the_standard_check_value(self):
        self.assertEqual(provisioning.seal("123456789"), "cbf43926 123456789")

    def test_every_flipped_bit_and_every_cut_is_seen(self):
        sealed = provisioning.seal("lock {}")
        damaged = [sealed[:size] for size in range(len(sealed))]
        for at in range(len(sealed)):
            damaged.extend(
                sealed[:at] + chr(ord(sealed[at]) ^ 1 << bit) + sealed[at + 1 :] for bit in range(7)
            )
        for text in damaged:
            with self.assertRaises(provisioning.DamagedError):
                provisioning.unseal(text)


class Labels(unittest.TestCase):
    def test_a_serial_number_counts_in_a_week_of_a_year(self):
        self.assertEqual(provisioning.serial_number(2026, 47, 1), SERIAL)
        self.assertTrue(provisioning.is_serial_number(SERIAL))

    def test_a_count_that_has_no_room_is_refused(self):
        for week, count in ((0, 1), (54, 1), (1, 0), (1, 1000000)):
            with self.assertRaises(StateError):
                provisioning.serial_number(2026, week, count)

    def test_other_texts_are_no_serial_numbers(self):
        for text in ("", "GL264700000", "GL26470000011", "XX2647000001", "GL26470000O1"):
            self.assertFalse(provisioning.is_serial_number(text))

    def test_a_label_survives_the_camera(self):
        text = provisioning.label_text(SERIAL, CODE)
        self.assertEqual(provisioning.parse_label(" " + text.lower() + "\n"), (SERIAL, CODE))

    def test_another_qr_code_is_refused(self):
        good = provisioning.label_text(SERIAL, CODE)
        for text in ("", "https://example.com", good[:-1], good.replace(":1:", ":2:"), good + ":x"):
            with self.assertRaises(ServiceCodeError):
                provisioning.parse_label(text)


if __name__ == "__main__":
    unittest.main()
