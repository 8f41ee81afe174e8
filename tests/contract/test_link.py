import unittest

from gatelodge.contract import link as link_module
from gatelodge.contract.errors import MessageError, StateError
from gatelodge.contract.link import (
    CLOSED,
    GREETING,
    GREETING_MS,
    HEARTBEAT_DUE,
    OPEN,
    SILENCE,
    WELCOMING,
    Link,
)
from gatelodge.contract.messages import CLOUD, MESSAGES, ROUTER

HELLO = {
    "type": "hello",
    "serial_number": "GL-0001",
    "model": "Virt",
    "firmware": "0.1.0",
    "boot_id": "b1",
    "uptime_s": 4,
    "clock_state": "unset",
}
WELCOME = {"type": "welcome", "time_ms": 1795286400000, "heartbeat_s": 10, "reconnect_window_s": 2}
FACTS = {"uptime_s": 5, "load": 0.5, "memory_free_kb": 100, "wan_up": True}
COMMAND = {"type": "command", "id": "c1", "name": "reboot", "args": {}}


def opened(now_ms=0):
    """(router's link, cloud's link), both open."""
    router, cloud = Link(ROUTER, now_ms), Link(CLOUD, now_ms)
    cloud.receive(router.send(HELLO, now_ms), now_ms)
    router.receive(cloud.send(WELCOME, now_ms), now_ms)
    return router, cloud


def heartbeat(seq):
    message = {"type": "heartbeat", "seq": seq}
    message.update(FACTS)
    return message


class LinkTest(unittest.TestCase):
    def test_hello_and_welcome_open_both_ends(self):
        router, cloud = Link(ROUTER, 0), Link(CLOUD, 0)
        cloud.receive(router.send(HELLO, 0), 0)
        self.assertEqual((router.state, cloud.state), (WELCOMING, WELCOMING))
        router.receive(cloud.send(WELCOME, 0), 0)
        self.assertEqual((router.state, cloud.state), (OPEN, OPEN))

    def test_every_type_of_message_has_a_place_for_each_of_its_senders(self):
        placed = {(who, kind) for who, _, kind in link_module.TRANSITIONS}
        declared = {(who, kind) for kind in MESSAGES for who in MESSAGES[kind][0]}
        self.assertEqual(placed, declared)

    def test_what_they_may_not_send_yet_is_their_error(self):
        with self.assertRaises(MessageError) as caught:
            Link(CLOUD, 0).receive(heartbeat(1), 0)
        self.assertEqual(str(caught.exception), "heartbeat came on a link that is greeting")

    def test_what_we_may_not_send_yet_is_our_error(self):
        with self.assertRaises(StateError):
            Link(ROUTER, 0).send(heartbeat(1), 0)

    def test_a_refused_message_changes_nothing(self):
        router, cloud = opened()
        before = (cloud.state, cloud.next_deadline)
        with self.assertRaises(MessageError):
            cloud.receive(HELLO, 5000)
        self.assertEqual((cloud.state, cloud.next_deadline), before)

    def test_a_second_welcome_is_refused(self):
        router, _ = opened()
        with self.assertRaises(MessageError):
            router.receive(WELCOME, 0)

    def test_a_hello_is_awaited_for_ten_seconds(self):
        cloud = Link(CLOUD, 1000)
        self.assertEqual(cloud.next_deadline, 1000 + GREETING_MS)
        self.assertIsNone(cloud.due(1000 + GREETING_MS - 1))
        self.assertEqual(cloud.due(1000 + GREETING_MS), SILENCE)
        self.assertEqual(cloud.state, CLOSED)

    def test_a_welcome_is_awaited_from_the_hello_on(self):
        router = Link(ROUTER, 0)
        router.send(HELLO, 3000)
        self.assertEqual(router.next_deadline, 3000 + GREETING_MS)
        self.assertEqual(router.due(3000 + GREETING_MS), SILENCE)

    def test_the_first_heartbeat_is_due_at_once_and_the_next_after_the_interval(self):
        router, _ = opened(500)
        self.assertEqual(router.due(500), HEARTBEAT_DUE)
        router.heartbeat(FACTS, 600)
        self.assertEqual(router.next_deadline, 10600)
        self.assertIsNone(router.due(10599))
        self.assertEqual(router.due(10600), HEARTBEAT_DUE)

    def test_the_cloud_owes_no_heartbeat(self):
        _, cloud = opened(0)
        self.assertEqual(cloud.next_deadline, 25000)
        self.assertIsNone(cloud.due(24999))
        self.assertEqual(cloud.due(25000), SILENCE)

    def test_whatever_they_send_breaks_the_silence(self):
        router, cloud = opened(0)
        cloud.receive(router.heartbeat(FACTS, 20000), 20000)
        self.assertEqual(cloud.next_deadline, 45000)
        router.receive(cloud.send({"type": "owner"}, 24000), 24000)
        self.assertIsNone(router.due(29999))
        self.assertEqual(router.due(49000), SILENCE)

    def test_heartbeats_count_up_on_their_own(self):
        router, cloud = opened()
        self.assertEqual([router.heartbeat(FACTS, 0)["seq"] for _ in range(3)], [1, 2, 3])
        cloud.receive(heartbeat(2), 0)
        with self.assertRaises(MessageError):
            cloud.receive(heartbeat(2), 0)

    def test_a_heartbeat_that_was_never_sent_cannot_be_acknowledged(self):
        router, _ = opened()
        with self.assertRaises(MessageError):
            router.receive({"type": "heartbeat_ack", "seq": 1, "time_ms": 0}, 0)

    def test_after_a_goodbye_what_was_under_way_is_dropped(self):
        router, cloud = opened()
        router.send({"type": "goodbye", "reason": "restart"}, 0)
        self.assertIsNone(router.receive(COMMAND, 0))
        self.assertIsNone(router.next_deadline)
        with self.assertRaises(StateError):
            router.send(heartbeat(1), 0)
        self.assertEqual(cloud.state, OPEN)

    def test_either_end_may_say_goodbye_at_any_moment(self):
        goodbye = {"type": "goodbye", "reason": "shutdown"}
        for role in (ROUTER, CLOUD):
            fresh = Link(role, 0)
            self.assertEqual(fresh.state, GREETING)
            fresh.receive(goodbye, 0)
            self.assertEqual(fresh.state, CLOSED)

    def test_a_command_and_its_result_go_their_way(self):
        router, cloud = opened()
        received = router.receive(cloud.send(COMMAND, 0), 0)
        self.assertEqual(received["name"], "reboot")
        result = {"type": "result", "id": "c1", "ok": True}
        self.assertEqual(cloud.receive(router.send(result, 0), 0)["value"], None)
        self.assertEqual(router.receive(cloud.send({"type": "result_ack", "id": "c1"}, 0), 0)["id"], "c1")


if __name__ == "__main__":
    unittest.main()
