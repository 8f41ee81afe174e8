import unittest

from gatelodge.contract import messages
from gatelodge.contract.errors import MessageError
from gatelodge.contract.messages import CLOUD, ROUTER

OWNER = {"account_id": "a1", "name": "Ada Lovelace", "email": "ada@example.org"}
EXAMPLES = {
    "hello": {
        "serial_number": "GL-0001",
        "model": "Virt",
        "firmware": "0.1.0",
        "boot_id": "b1",
        "uptime_s": 4,
        "owner": None,
        "clock_state": "unset",
        "reset": None,
        "takes": {"diagnostics": True, "undo": None},
    },
    "welcome": {
        "time_ms": 1795286400000,
        "heartbeat_s": 30,
        "reconnect_window_s": 300,
        "owner": OWNER,
        "reset": "5e1f00c0ffee0001",
        "takes": {"release": True, "invite": None, "notice": None, "uninvite": None},
    },
    "heartbeat": {"seq": 1, "uptime_s": 9, "load": 0.25, "memory_free_kb": 1024, "wan_up": True},
    "heartbeat_ack": {"seq": 1, "time_ms": 1795286400000},
    "command": {"id": "c1", "name": "reboot", "args": {}},
    "accepted": {"id": "c1"},
    "result": {"id": "c1", "ok": True, "value": {"a": [1, {"b": None}]}, "error": None},
    "result_ack": {"id": "c1"},
    "claim_answer": {"claim_id": "k1", "approved": False},
    "claim_answer_ack": {"claim_id": "k1"},
    "owner": {"owner": None},
    "release": {"release_id": "r1", "account_id": "a1", "undo": None},
    "release_ack": {"release_id": "r1"},
    "notice": {
        "notice_id": "n1",
        "account_id": "a1",
        "kind": "new_browser",
        "at": None,
        "address": "192.168.1.9",
        "browser": "Firefox on Linux",
        "dropped": 0,
        "undo": "u1",
    },
    "notice_ack": {"notice_id": "n1"},
    "invite": {"invite_id": "i1", "service_code": "000G40R40M30E209Z"},
    "uninvite": {"invite_id": "i1"},
    "invitation": {"invite_id": "i1", "link": "https://cloud.test/i/x", "expires_s": 600, "error": None},
    "report": {"report_id": "d1", "number": 0, "section": "log", "value": {"lines": ["a"]}},
    "goodbye": {"reason": "restart"},
}
ACCOUNT = {"name": "Ada", "email": "ada@example.org"}
CLAIM = {"claim_id": "k1", "account": ACCOUNT, "number": "482913", "expires_s": 300}


def example(kind):
    message = {"type": kind}
    message.update(EXAMPLES[kind])
    return message


def sender_of(kind):
    return messages.MESSAGES[kind][0][0]


class MessagesTest(unittest.TestCase):
    def refusal(self, message, sender):
        with self.assertRaises(MessageError) as caught:
            messages.check(message, sender)
        return str(caught.exception)

    def refusal_of(self, kind, field, value):
        message = example(kind)
        message[field] = value
        return self.refusal(message, sender_of(kind))

    def test_every_row_has_an_example_that_passes_unchanged(self):
        self.assertEqual(sorted(EXAMPLES), sorted(messages.MESSAGES))
        for kind in EXAMPLES:
            self.assertEqual(messages.check(example(kind), sender_of(kind)), example(kind))

    def test_a_missing_field_is_named(self):
        for kind in EXAMPLES:
            for field, check in messages.MESSAGES[kind][1]:
                message = example(kind)
                del message[field]
                if isinstance(check, messages.nullable):
                    self.assertIsNone(messages.check(message, sender_of(kind))[field])
                else:
                    self.assertEqual(self.refusal(message, sender_of(kind)), f"{kind}.{field} is missing")

    def test_no_field_takes_an_unfit_value(self):
        for kind in EXAMPLES:
            for field, _ in messages.MESSAGES[kind][1]:
                for unfit in ([], 2**70, "x" * 400, float("nan"), -1):
                    self.assertIn(f"{kind}.{field}", self.refusal_of(kind, field, unfit))

    def test_the_wrong_sender_is_refused(self):
        self.assertEqual(self.refusal(example("hello"), CLOUD), "hello is not a message of the cloud")
        self.assertEqual(self.refusal(example("command"), ROUTER), "command is not a message of the router")

    def test_both_ends_say_goodbye(self):
        for sender in messages.BOTH:
            self.assertEqual(messages.check(example("goodbye"), sender), example("goodbye"))

    def test_what_is_no_message_is_refused(self):
        for thing in (None, 1, "hello", [], {}, {"type": 3}, {"type": []}, {"type": "hallo"}):
            self.assertIn("a message", self.refusal(thing, ROUTER))

    def test_a_field_of_a_newer_peer_is_dropped(self):
        message = example("accepted")
        message["priority"] = 1
        self.assertEqual(messages.check(message, ROUTER), example("accepted"))

    def test_what_a_younger_cloud_takes_is_no_fault_to_an_older_router(self):
        message = example("welcome")
        message["takes"] = {"release": True, "teleport": True}
        self.assertEqual(messages.check(message, CLOUD)["takes"], EXAMPLES["welcome"]["takes"])

    def test_true_is_no_number(self):
        self.assertEqual(self.refusal_of("heartbeat", "seq", True), "heartbeat.seq is not a number")

    def test_one_is_no_flag(self):
        self.assertIn("heartbeat.wan_up is neither true nor", self.refusal_of("heartbeat", "wan_up", 1))

    def test_an_id_holds_no_line_break(self):
        for unfit in ("a\nb", "a b", "", "a\n", "x" * 65, "\u00e9"):
            self.assertIn("accepted.id", self.refusal_of("accepted", "id", unfit))

    def test_a_value_nested_too_deep_is_refused(self):
        deep = {"a": [[[1]]]}
        self.assertEqual(messages.plain("value", deep), deep)
        self.assertIn("nested deeper", self.refusal_of("result", "value", {"a": [[[[1]]]]}))

    def test_a_nested_field_is_named_with_its_path(self):
        nameless = {"account_id": "a1", "email": "ada@example.org"}
        self.assertEqual(self.refusal_of("welcome", "owner", nameless), "welcome.owner.name is missing")

    def test_a_claim_is_checked_by_its_row(self):
        self.assertEqual(messages.check_command("claim", CLAIM), CLAIM)
        for unfit in ("48291", "4829131", "48291x", 482913, None):
            claim = dict(CLAIM)
            claim["number"] = unfit
            with self.assertRaises(MessageError):
                messages.check_command("claim", claim)

    def test_an_unknown_command_says_so(self):
        with self.assertRaises(MessageError) as caught:
            messages.check_command("explode", {})
        self.assertEqual(str(caught.exception), "this firmware has no command explode")


if __name__ == "__main__":
    unittest.main()
