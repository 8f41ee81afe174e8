"""What the cloud is asked to tell the owner: kept until it has, bounded, and for that owner only."""

import asyncio
import unittest

from gatelodge import log, store_keys
from gatelodge.cloud import ledger
from gatelodge.cloud.client import ONLINE, CloudClient
from gatelodge.contract.errors import OurError
from gatelodge.store import Store

from tests.fakes.clock import FakeClock
from tests.fakes.crashing_files import CrashingFiles
from tests.fakes.memory_cloud import MemoryCloud
from tests.firmware.client_rig import ClientTest

IDENTITY = {"serial_number": "GL-0001", "model": "Virt", "cloud": {"server_name": "cloud.test"}}
FACTS = {"firmware": "0.1.0", "uptime_s": 7, "load": 0.25, "memory_free_kb": 4096, "wan_up": True}
ADA = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}
EVE = {"account_id": "e1", "name": "Eve", "email": "eve@example.org"}
WHEN = 1800000000


def notice(number, account_id="a1"):
    message = {"type": "notice", "notice_id": f"n{number}", "account_id": account_id, "kind": "locked_out"}
    message.update({"at": WHEN, "address": "192.168.1.9", "browser": "", "dropped": 0})
    return message


class LedgerTest(unittest.TestCase):
    def of(self, count):
        record = ledger.empty()
        for number in range(count):
            record = ledger.noticed(record, notice(number))
        return record["outbox"]

    def test_the_oldest_make_room_and_the_next_one_tells_how_many(self):
        kept = self.of(ledger.NOTICES_LIMIT + 3)
        self.assertEqual(len(kept), ledger.NOTICES_LIMIT)
        told = [(message["notice_id"], message["dropped"]) for message in kept]
        self.assertEqual(told[:2], [("n3", 3), ("n4", 0)])

    def test_notices_keep_no_result_and_no_answer_out(self):
        record = ledger.empty()
        for number in range(ledger.OUTBOX_LIMIT - 1):
            record = ledger.finished(record, ledger.result(f"c{number}"))
        for number in range(ledger.NOTICES_LIMIT + 1):
            record = ledger.noticed(record, notice(number))
        self.assertFalse(ledger.is_outbox_full(record))
        record = ledger.finished(record, ledger.result("c99"))
        self.assertTrue(ledger.is_outbox_full(record) and ledger.is_full(record))

    def test_no_function_changes_the_record_it_is_given(self):
        record = ledger.noticed(ledger.empty(), notice(0))
        for number in range(1, ledger.NOTICES_LIMIT):
            record = ledger.noticed(record, notice(number))
        before = str(record)
        ledger.noticed(record, notice(99))
        ledger.without_notices(record, None)
        self.assertEqual(str(record), before)


class CloudNoticesTest(ClientTest):
    def setUp(self):
        log.configure("/dev/null")
        self.cloud, self.clock, self.running = MemoryCloud(), FakeClock(is_set=False), None
        self.cloud.welcome["owner"] = ADA
        self.store = Store(CrashingFiles(), "state/journal")
        self.store.open()
        self.drawn = 0

    def tearDown(self):
        log.configure()

    def entropy(self, count):
        """Ids that differ, and the shortest wait before each call."""
        self.drawn += 1
        return bytes(count - 1) + bytes([self.drawn % 250])

    async def start(self):
        """The daemon starts (again, on the same flash)."""
        self.client = CloudClient(
            IDENTITY, self.cloud.open_stream, self.clock, self.store, lambda: FACTS, {}, self.entropy
        )
        self.running = asyncio.create_task(self.client.run())

    async def online(self):
        await self.start()
        await self.until(lambda: self.client.state["state"] == ONLINE)

    def owed(self):
        record = self.store.get(store_keys.COMMANDS, ledger.empty())
        return [message["kind"] for message in record["outbox"]]

    async def test_a_notice_is_sent_at_once_and_owed_until_it_is_acknowledged(self):
        self.cloud.acknowledges = False
        await self.online()
        self.client.notify("new_browser", WHEN + 0.5, "192.168.1.9", "Firefox on Linux")
        await self.until(lambda: self.cloud.heard_of("notice"))
        heard = self.cloud.heard_of("notice")[0]
        self.assertEqual((heard["account_id"], heard["kind"], heard["at"]), ("a1", "new_browser", WHEN))
        self.assertEqual(self.owed(), ["new_browser"])
        self.cloud.say({"type": "notice_ack", "notice_id": heard["notice_id"]})
        await self.until(lambda: self.owed() == [])
        await self.stop()

    async def test_it_names_what_undoes_it(self):
        await self.online()
        self.client.notify("password_changed", WHEN, "192.168.1.9", "", "u1")
        await self.until(lambda: self.cloud.heard_of("notice"))
        self.assertEqual(self.cloud.heard_of("notice")[0]["undo"], "u1")
        await self.stop()

    async def test_one_of_a_router_without_a_line_is_sent_after_a_restart(self):
        self.store.put(store_keys.CLOUD_OWNER, ADA)
        await self.start()
        await self.stop()
        self.client.notify("password_changed", None, "192.168.1.9", "")
        await self.online()
        await self.until(lambda: self.cloud.heard_of("notice"))
        await self.until(lambda: self.owed() == [])
        self.assertIsNone(self.cloud.heard_of("notice")[0]["at"])
        await self.stop()

    async def test_a_router_without_an_owner_tells_nobody(self):
        self.cloud.welcome["owner"] = None
        await self.online()
        self.client.notify("new_browser", WHEN, "192.168.1.9", "")
        self.assertEqual(self.owed(), [])
        await self.stop()

    async def test_an_older_cloud_is_not_sent_what_it_does_not_know(self):
        self.cloud.welcome["takes"] = {"release": True}
        await self.online()
        self.client.notify("new_browser", WHEN, "192.168.1.9", "")
        await asyncio.sleep(0.01)
        self.assertEqual((self.cloud.heard_of("notice"), self.owed()), ([], ["new_browser"]))
        await self.stop()

    async def test_what_was_for_one_owner_is_not_told_to_the_next(self):
        self.cloud.acknowledges = False
        await self.online()
        self.client.notify("new_browser", WHEN, "192.168.1.9", "")
        self.cloud.say({"type": "owner", "owner": EVE})
        await self.until(lambda: self.client.owner == EVE)
        self.assertEqual(self.owed(), [])
        await self.stop()

    async def test_a_kind_that_the_contract_does_not_name_is_our_fault(self):
        await self.online()
        with self.assertRaises(OurError):
            self.client.notify("frobbed", WHEN, "192.168.1.9", "")
        await self.stop()


if __name__ == "__main__":
    unittest.main()
