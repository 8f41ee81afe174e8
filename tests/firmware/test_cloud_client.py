import asyncio
import unittest

from gatelodge import log, store_keys
from gatelodge.cloud.client import OFFLINE, ONLINE, CloudClient, refusal_text
from gatelodge.contract.errors import LineError, StateError
from gatelodge.store import Store

from tests.fakes.clock import FakeClock
from tests.fakes.crashing_files import CrashingFiles
from tests.fakes.memory_cloud import MemoryCloud
from tests.firmware.client_rig import ClientTest

IDENTITY = {"serial_number": "GL-0001", "model": "Virt", "cloud": {"server_name": "cloud.test"}}
FACTS = {"firmware": "0.1.0", "uptime_s": 7, "load": 0.25, "memory_free_kb": 4096, "wan_up": True}
OWNER = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}
ACCOUNT = {"name": "Ada", "email": "ada@example.org"}
CLAIM = {"claim_id": "k1", "account": ACCOUNT, "number": "482913", "expires_s": 300}
REBOOT = {"type": "command", "id": "c1", "name": "reboot", "args": {}}
IDENTIFY = {"type": "command", "id": "c1", "name": "identify", "args": {}}
SHOW_CLAIM = {"type": "command", "id": "c2", "name": "claim", "args": CLAIM}


def zeros(count):
    """Entropy that draws the shortest wait before each call."""
    return bytes(count)


class TlsRefusal(LineError):
    """As gatelodge.streams.stream raises it."""

    def __init__(self, reason):
        super().__init__("TLS failed")
        self.reason = reason


class CloudClientTest(ClientTest):
    def setUp(self):
        log.configure("/dev/null")
        self.cloud, self.clock, self.ran = MemoryCloud(), FakeClock(is_set=False), []
        self.identify_answer = {"lights": 3}
        self.gate = None  # an Event that holds `identify` back
        self.running = None
        self.store = Store(CrashingFiles(), "state/journal")
        self.store.open()

    def tearDown(self):
        log.configure()

    async def reboot(self, args):
        self.ran.append("reboot")

    async def identify(self, args):
        self.ran.append("identify")
        if self.gate is not None:
            await self.gate.wait()
        return self.identify_answer

    async def start(self):
        """The daemon starts (again, on the same flash)."""
        commands = {"reboot": self.reboot, "identify": self.identify}
        self.client = CloudClient(
            IDENTITY, self.cloud.open_stream, self.clock, self.store, lambda: FACTS, commands, zeros
        )
        self.running = asyncio.create_task(self.client.run())

    async def heard(self, kind, count=1):
        await self.until(lambda: len(self.cloud.heard_of(kind)) >= count)
        return self.cloud.heard_of(kind)[count - 1]

    async def online(self):
        await self.start()
        await self.until(lambda: self.client.state["state"] == ONLINE)

    def outbox(self):
        return self.store.get(store_keys.COMMANDS)["outbox"]

    async def test_a_welcome_makes_it_online_and_sets_the_clock(self):
        await self.online()
        self.assertEqual((self.clock.source, self.clock.now()), ("cloud", 1795281600))
        self.assertEqual(self.cloud.heard[0]["serial_number"], "GL-0001")
        self.assertEqual((await self.heard("heartbeat"))["load"], 0.25)
        await self.stop()

    async def test_stopping_says_goodbye(self):
        await self.online()
        await self.stop()
        self.assertEqual(self.cloud.heard_of("goodbye")[0]["reason"], "shutdown")
        self.assertEqual(self.cloud.closed_with, [1000])
        self.assertTrue(self.cloud.stream.is_closed)

    async def test_stopping_without_time_for_a_goodbye_closes_the_line(self):
        await self.online()
        self.cloud.stream.is_stuck = True
        self.running.cancel()
        await self.until(lambda: self.cloud.stream.held)
        await self.stop()
        self.assertEqual(self.cloud.heard_of("goodbye"), [])
        self.assertTrue(self.cloud.stream.is_closed)

    async def test_a_cut_line_is_dialled_again(self):
        await self.online()
        self.cloud.cut()
        await self.heard("hello", 2)
        await self.until(lambda: self.client.state["state"] == ONLINE)
        await self.stop()

    async def test_a_cloud_that_breaks_the_contract_hears_so(self):
        await self.online()
        self.cloud.say({"type": "welcome"})
        self.assertEqual((await self.heard("goodbye"))["reason"], "welcome.time_ms is missing")
        await self.until(lambda: self.cloud.closed_with == [1008])
        await self.stop()

    async def test_a_ping_is_answered_and_json_is_required(self):
        await self.online()
        self.cloud.stream.frame(0x89, b"there?")
        self.cloud.stream.frame(0x81, b"{")
        self.assertEqual((await self.heard("goodbye"))["reason"], "a message is not JSON")
        await self.stop()

    async def test_a_command_is_durable_before_it_is_accepted(self):
        records = {}  # type of a message -> what the flash held when it was heard

        def look(message):
            records[message["type"]] = self.store.get(store_keys.COMMANDS)

        self.cloud.on_heard = look
        await self.online()
        self.cloud.say(IDENTIFY)
        await self.heard("result")
        self.assertEqual(records["accepted"]["seen"], ["c1"])
        self.assertEqual(records["result"]["outbox"], self.cloud.heard_of("result"))
        await self.stop()

    async def test_a_repeated_command_is_not_run_again_even_after_a_restart(self):
        await self.online()
        for count in (1, 2):
            self.cloud.say(IDENTIFY)
            await self.heard("accepted", count)
        await self.stop()
        await self.online()
        self.cloud.say(IDENTIFY)
        await self.heard("accepted", 3)
        self.assertEqual(self.ran, ["identify"])
        await self.stop()

    async def test_a_result_is_repeated_until_it_is_acknowledged(self):
        self.cloud.acknowledges = False
        await self.online()
        self.cloud.say(IDENTIFY)
        await self.heard("result")
        self.cloud.acknowledges = True
        self.cloud.cut()
        self.assertEqual((await self.heard("result", 2))["value"], {"lights": 3})
        await self.until(lambda: not self.outbox())
        await self.stop()

    async def test_a_result_waits_for_the_line(self):
        self.gate = asyncio.Event()
        await self.online()
        self.cloud.say(IDENTIFY)
        await self.heard("accepted")
        self.cloud.refuses_with = LineError("no route")
        self.cloud.cut()
        await self.until(lambda: self.client.state["last_error"] == "no route")
        self.gate.set()
        await self.until(self.outbox)
        self.cloud.refuses_with = None
        self.assertTrue((await self.heard("result"))["ok"])
        await self.stop()

    async def test_a_reboot_is_answered_after_the_restart(self):
        await self.online()
        self.cloud.say(REBOOT)
        await self.until(lambda: self.ran == ["reboot"])
        await self.stop()
        self.assertEqual(self.cloud.heard_of("result"), [])
        await self.online()
        self.assertTrue((await self.heard("result"))["ok"])
        self.assertNotEqual(self.cloud.heard_of("hello")[0]["boot_id"], "")
        await self.stop()

    async def test_a_command_that_a_restart_interrupted_has_failed(self):
        self.gate = asyncio.Event()
        await self.online()
        self.cloud.say(IDENTIFY)
        await self.heard("accepted")
        await self.stop()
        await self.online()
        result = await self.heard("result")
        self.assertEqual((result["ok"], self.ran), (False, ["identify"]))
        self.assertIn("restarted", result["error"])
        await self.stop()

    async def test_what_it_cannot_do_is_a_result_and_not_remembered(self):
        await self.online()
        self.cloud.say({"type": "command", "id": "c9", "name": "explode", "args": {}})
        self.assertEqual((await self.heard("result"))["error"], "this firmware has no command explode")
        self.assertIsNone(self.store.get(store_keys.COMMANDS))
        await self.stop()

    async def test_too_many_commands_at_once_are_refused(self):
        self.gate = asyncio.Event()
        await self.online()
        for number in range(5):
            self.cloud.say({"type": "command", "id": f"c{number}", "name": "identify", "args": {}})
        result = await self.heard("result")
        self.assertEqual((result["id"], result["error"]), ("c4", "the router is busy with earlier commands"))
        await self.stop()

    async def test_an_answer_that_fits_into_no_message_is_an_error(self):
        for number, answer in enumerate(({"text": "x" * 3000}, {"a": [[[[1]]]]}, {"a": object()}, [1])):
            await self.online()
            self.identify_answer = answer
            self.cloud.say({"type": "command", "id": f"c{number}", "name": "identify", "args": {}})
            self.assertIn("does not fit", (await self.heard("result", number + 1))["error"])
            await self.stop()

    async def test_a_command_that_fails_says_no_more_than_a_person_may_read(self):
        async def failing(args):
            raise ValueError("secret of the inside")

        self.identify = failing
        await self.online()
        self.cloud.say(IDENTIFY)
        self.assertEqual((await self.heard("result"))["error"], "the router failed at it; its log says how")
        await self.stop()

    async def test_an_approved_claim_is_answered_once(self):
        await self.online()
        self.cloud.say(SHOW_CLAIM)
        await self.until(lambda: self.client.claim)
        self.assertEqual(self.client.claim["number"], "482913")
        self.client.answer_claim("k1", True)
        self.assertIsNone(self.client.claim)
        with self.assertRaises(StateError):
            self.client.answer_claim("k1", False)
        answer = await self.heard("claim_answer")
        self.assertEqual((answer["claim_id"], answer["approved"]), ("k1", True))
        await self.until(lambda: not self.outbox())
        await self.stop()

    async def test_an_answer_given_offline_is_sent_at_the_next_welcome(self):
        await self.online()
        self.cloud.say(SHOW_CLAIM)
        await self.until(lambda: self.client.claim)
        self.cloud.refuses_with = LineError("no route")
        self.cloud.cut()
        await self.until(lambda: self.client.state["state"] == OFFLINE)
        self.client.answer_claim("k1", False)
        self.cloud.refuses_with = None
        self.assertFalse((await self.heard("claim_answer"))["approved"])
        await self.stop()

    async def test_a_cancelled_claim_takes_no_answer(self):
        await self.online()
        self.cloud.say(SHOW_CLAIM)
        await self.until(lambda: self.client.claim)
        self.cloud.say({"type": "command", "id": "c3", "name": "claim_cancel", "args": {"claim_id": "k1"}})
        await self.heard("result", 2)
        with self.assertRaises(StateError):
            self.client.answer_claim("k1", True)
        await self.stop()

    async def test_an_owner_is_kept_and_released(self):
        self.cloud.welcome["owner"] = OWNER
        await self.online()
        self.assertEqual(self.store.get(store_keys.CLOUD_OWNER), OWNER)
        self.cloud.say({"type": "owner", "owner": None})
        await self.until(lambda: self.client.state["owner"] is None)
        self.assertIsNone(self.store.get(store_keys.CLOUD_OWNER))
        await self.stop()

    async def test_a_reset_is_told_until_the_cloud_acknowledges_it(self):
        self.store.put(store_keys.CLOUD_RESET, "r1")
        self.cloud.welcome.update({"owner": None, "reset": "r1"})
        await self.online()
        self.assertEqual(self.cloud.heard_of("hello")[0]["reset"], "r1")
        self.assertIsNone(self.store.get(store_keys.CLOUD_RESET))
        self.cloud.cut()
        self.assertIsNone((await self.heard("hello", 2))["reset"])
        await self.stop()

    async def test_until_then_the_cloud_names_nobody_that_counts(self):
        """A cloud of an older version knows of no resets; another id is of another reset."""
        for acknowledged in (None, "r0"):
            self.store.put(store_keys.CLOUD_RESET, "r1")
            self.cloud.welcome.update({"owner": OWNER, "reset": acknowledged})
            await self.online()
            self.assertIsNone(self.client.owner)
            self.assertEqual(self.store.get(store_keys.CLOUD_RESET), "r1")
            await self.stop()

    async def test_a_router_that_was_never_reset_says_so_and_believes_the_cloud(self):
        self.cloud.welcome.update({"owner": OWNER, "reset": None})
        await self.online()
        self.assertIsNone(self.cloud.heard_of("hello")[0]["reset"])
        self.assertEqual(self.client.owner, OWNER)
        await self.stop()

    async def test_what_was_the_last_owners_is_forgotten(self):
        self.cloud.acknowledges = False
        await self.online()
        self.cloud.say(SHOW_CLAIM)
        self.cloud.say(IDENTIFY)
        await self.heard("result", 2)
        self.store.delete(store_keys.COMMANDS)
        self.client.forget()
        self.assertIsNone(self.client.claim)
        self.cloud.cut()
        await self.heard("hello", 2)
        await self.heard("heartbeat", 2)
        self.assertEqual(len(self.cloud.heard_of("result")), 2)
        await self.stop()

    async def test_a_refusal_is_named_on_the_dashboard(self):
        self.cloud.refuses_with = TlsRefusal("untrusted")
        await self.start()
        await self.until(lambda: self.client.state["state"] == OFFLINE)
        self.assertIn("not signed by the CA", self.client.state["last_error"])
        await self.stop()

    async def test_each_refusal_has_its_sentence(self):
        texts = [refusal_text(TlsRefusal(reason)) for reason in ("untrusted", "name", "expired", "alert")]
        self.assertEqual(len(set(texts)), 4)
        self.assertEqual(texts[3], "the cloud refused this router's certificate")
        self.assertEqual(refusal_text(TlsRefusal("handshake")), "TLS failed")

    async def test_a_fault_of_ours_does_not_end_the_phone_home(self):
        self.cloud.refuses_with = KeyError("a bug")
        await self.start()
        await self.until(lambda: self.client.state["last_error"] == "the link failed; the log says how")
        self.cloud.refuses_with = None
        await self.until(lambda: self.client.state["state"] == ONLINE)
        await self.stop()


if __name__ == "__main__":
    unittest.main()
