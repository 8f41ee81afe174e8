"""The report for support: what is in it, what can never be, and whose router sends it."""

import asyncio

from gatelodge import log, store_keys
from gatelodge.cloud import diagnostics
from gatelodge.cloud.client import ONLINE, CloudClient
from gatelodge.compat import json
from gatelodge.contract import diagnostics as rows
from gatelodge.contract import messages
from gatelodge.core import discretion
from gatelodge.store import Store

from tests.fakes.clock import FakeClock
from tests.fakes.crashing_files import CrashingFiles
from tests.fakes.memory_cloud import MemoryCloud
from tests.fakes.simulated_router import SimulatedRouter
from tests.firmware.client_rig import ClientTest

SERIAL = "GL26A0000042"
OWNER = {"account_id": "a1b2c3d4e5f6a7b8", "name": "Ada Bell", "email": "ada@example.org"}
BOARD = {"name": "qemu-virt-aarch64", "model": "Gatelodge QEMU virt (aarch64)"}
FACTS = {"firmware": "0.1.0", "uptime_s": 7, "load": 0.25, "memory_free_kb": 4096, "wan_up": True}
SERVICE_CODE = "7K3M9QWX2B4NT8RCV"
HEX = "5e1f00c0ffee4bad5e1f00c0ffee4bad5e1f00c0ffee4bad5e1f00c0ffee4bad"
# Every place of the store that holds a secret, each with one that is found nowhere else; and one to come.
SECRETS = {
    store_keys.DEVICE_KEY: "MHcCAQEEIKrDxQXkdTqV",
    store_keys.OWNER: {"salt": "aa" + HEX[2:32], "hash": "bb" + HEX[2:], "iterations": 1},
    store_keys.AUTHENTICATORS: [{"id": "1", "name": "Adas red phone", "secret": "JBSWY3DPEHPK3PXP"}],
    store_keys.RECOVERY: {"salt": "cc" + HEX[2:32], "hashes": ["dd" + HEX[2:], "ee" + HEX[2:]]},
    store_keys.TRUSTED: [{"id": "t1", "hash": "ff" + HEX[2:], "browser": "Firefox on Linux"}],
    store_keys.API_TOKEN % "k1": {"id": "k1", "hash": "ab" + HEX[2:], "name": "Home automation"},
    "wifi": {"networks": [{"name": "Bell family", "key": "rain on the tin roof"}]},
}
# What is in no store, and may be in a line all the same: the shape alone tells.
PASSING = ("q-3N_xY0bZt5oD8mQ2rVwA", "__Host-session=dG9rZW4x", "7K3MQ-9QWXB", "c0ffee00c0ffee11")
COMMAND = {"type": "command", "id": "c1", "name": "diagnostics"}


class Boot:
    slot, version = "a", "0.1.0"


class DiagnosticsTest(ClientTest):
    def setUp(self):
        log.configure("/dev/null")
        log._log.ring.clear()
        log._log.kept_bytes = 0
        self.cloud, self.clock, self.running = MemoryCloud(), FakeClock(), None
        self.cloud.welcome["owner"] = OWNER
        self.store = Store(CrashingFiles(), "state/journal").open()
        identity = {"serial_number": SERIAL, "model": "Virt", "service_code": SERVICE_CODE}
        identity["cloud"] = {"host": "cloud.test", "port": 443, "server_name": "cloud.test"}
        self.store.put(store_keys.IDENTITY, identity)
        self.router = SimulatedRouter()

    def tearDown(self):
        log._log.ring.clear()
        log._log.kept_bytes = 0
        log.configure()

    async def online(self):
        self.client = CloudClient(
            self.store.get(store_keys.IDENTITY), self.cloud.open_stream, self.clock, self.store,
            lambda: FACTS, {"diagnostics": self.diagnostics}, bytes,
        )  # fmt: skip
        self.sources = diagnostics.Sources(BOARD, Boot, self.router, self.clock, self.store, self.client)
        self.running = asyncio.create_task(self.client.run())
        await self.until(lambda: self.client.state["state"] == ONLINE)

    async def diagnostics(self, args):
        return await diagnostics.send(self.sources, args, self.client.report)

    async def asked(self, account_id=OWNER["account_id"]):
        """The result of the command, once it came; the reports before it are in `reported`."""
        command = dict(COMMAND, args={"report_id": "r1", "account_id": account_id})
        self.cloud.say(command)
        await self.until(lambda: self.cloud.heard_of("result"))
        return self.cloud.heard_of("result")[0]

    def reported(self):
        return self.cloud.heard_of("report")

    def section(self, name):
        return [message["value"] for message in self.reported() if message["section"] == name]

    async def test_hello_tells_that_the_command_is_known(self):
        await self.online()
        self.assertEqual(self.cloud.heard_of("hello")[0]["takes"]["diagnostics"], True)
        await self.stop()

    async def test_every_section_comes_once_in_order_and_the_result_counts_them(self):
        await self.online()
        result = await self.asked()
        names = [message["section"] for message in self.reported()]
        self.assertEqual(names, [name for name, _ in rows.SECTIONS])
        self.assertEqual([each["number"] for each in self.reported()], list(range(len(names))))
        self.assertEqual(result["value"], {"messages": len(names)})
        for each in self.reported():
            self.assertEqual(each["report_id"], "r1")
            self.assertEqual(rows.check(each["section"], each["value"]), each["value"])
        self.assertEqual(self.section("router")[0]["firmware"], "0.1.0")
        self.assertEqual(self.section("home")[0]["neighbours"], 4)
        self.assertEqual(self.section("settings")[0]["password"], False)
        await self.stop()

    async def test_no_secret_and_no_name_is_in_it_wherever_it_stood(self):
        self.store.put_many(SECRETS)
        hidden = [text for value in SECRETS.values() for text in discretion.secrets_in(value)]
        hidden.append(SERVICE_CODE)
        for number, secret in enumerate(hidden + list(PASSING)):
            log.info("web", "it was %s there", secret)
            groups = [secret[i : i + 4] for i in range(0, len(secret), 4)]
            log.warning("link", "asked with code:%s", "-".join(groups))
            log.info("week", "line %d", number)
        log.info("owner", "signed in: %s, rain on the tin roof", OWNER["email"])
        await self.online()
        result = await self.asked()
        self.assertEqual(result["ok"], True)
        told = json.dumps(self.reported())
        bare = discretion.squeezed(told)
        for secret in hidden + [discretion.squeezed(each) for each in PASSING]:
            self.assertNotIn(secret, bare)
        for name in ("Adas-MacBook", "3c:22:fb", "Ada", "example.org", "tin roof", "Bell family"):
            self.assertNotIn(name, told)
        self.assertIn("week: line 9", told)  # and the log is there all the same
        self.assertEqual(self.section("settings")[0]["api_tokens"], 1)
        self.assertEqual(self.section("settings")[0]["recovery_codes"], 2)
        await self.stop()

    async def test_a_long_log_is_cut_at_its_old_end_and_fits_into_the_messages(self):
        for number in range(log.KEPT_LINES):
            log.info("week", 'line %d says "over and out" %s', number, "and so on " * 30)
        await self.online()
        await self.asked()
        lines = [line for value in self.section("log") for line in value["lines"]]
        self.assertIn("online; heartbeat", lines[-2])
        self.assertTrue(30 < len(lines) < log.KEPT_LINES)
        self.assertTrue(len(self.section("log")) > 1)
        self.assertTrue(len(self.reported()) <= rows.MESSAGES_LIMIT)
        for message in self.reported():
            self.assertTrue(len(json.dumps(message).encode()) < messages.SIZE_LIMIT // 2)
        await self.stop()

    async def test_another_accounts_question_is_refused_and_nothing_is_read(self):
        await self.online()
        result = await self.asked("b2")
        self.assertEqual((result["ok"], result["error"]), (False, "this router belongs to another account"))
        self.assertEqual(self.reported(), [])
        await self.stop()

    async def test_a_part_that_cannot_be_read_is_left_out(self):
        self.router.fail = "line"
        await self.online()
        result = await self.asked()
        self.assertEqual(result["value"], {"messages": len(rows.SECTIONS) - 1})
        self.assertEqual(self.section("internet"), [])
        await self.stop()

    async def test_a_command_that_comes_again_is_not_run_again(self):
        await self.online()
        await self.asked()
        count = len(self.reported())
        self.cloud.say(dict(COMMAND, args={"report_id": "r1", "account_id": OWNER["account_id"]}))
        await self.until(lambda: len(self.cloud.heard_of("accepted")) == 2)
        self.assertEqual(len(self.reported()), count)
        await self.stop()

    async def test_without_a_link_a_part_is_lost_and_the_result_says_so(self):
        await self.online()
        client = self.client
        client._connection = None
        await client._execute("c9", "diagnostics", {"report_id": "r9", "account_id": OWNER["account_id"]})
        kept = self.store.get(store_keys.COMMANDS)["outbox"]
        self.assertEqual([each["error"] for each in kept], ["the link broke before the report was sent"])
        await self.stop()


if __name__ == "__main__":
    import unittest

    unittest.main()
