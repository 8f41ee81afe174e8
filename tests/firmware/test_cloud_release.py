"""Giving the router back, and asking for a link to register it: both begin on the admin page."""

import asyncio
import unittest

from gatelodge import log, store_keys
from gatelodge.cloud import ledger
from gatelodge.cloud.client import ONLINE, CloudClient
from gatelodge.cloud.invitation import ANSWER_MS, ASKED, OPEN, REFUSED, Invitation
from gatelodge.contract.errors import StateError
from gatelodge.store import Store

from tests.fakes.clock import FakeClock
from tests.fakes.crashing_files import CrashingFiles
from tests.fakes.memory_cloud import MemoryCloud
from tests.firmware.client_rig import ClientTest

CODE = "000G40R40M30E209Z"
IDENTITY = {
    "serial_number": "GL-0001", "model": "Virt", "service_code": CODE, "cloud": {"server_name": "cloud.test"},
}  # fmt: skip
FACTS = {"firmware": "0.1.0", "uptime_s": 7, "load": 0.25, "memory_free_kb": 4096, "wan_up": True}
ADA = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}
EVE = {"account_id": "e1", "name": "Eve", "email": "eve@example.org"}
CLAIM = {
    "claim_id": "k1", "account": {"name": "Ada", "email": "ada@example.org"}, "number": "482913",
    "expires_s": 300,
}  # fmt: skip


class Case(ClientTest):
    def setUp(self):
        log.configure("/dev/null")
        self.cloud, self.clock, self.running = MemoryCloud(), FakeClock(is_set=False), None
        self.files = CrashingFiles()
        self.store = Store(self.files, "state/journal")
        self.store.open()

    def tearDown(self):
        log.configure()

    async def start(self):
        """The daemon starts (again, on the same flash)."""
        self.client = CloudClient(
            IDENTITY, self.cloud.open_stream, self.clock, self.store, lambda: FACTS, {}, bytes
        )
        self.running = asyncio.create_task(self.client.run())

    async def online(self):
        await self.start()
        await self.until(lambda: self.client.state["state"] == ONLINE)

    def kept(self):
        keys = self.store.keys()
        return {key: self.store.get(key) for key in keys}

    def refused(self, act):
        with self.assertRaises(StateError) as caught:
            act()
        return str(caught.exception)


class ReleaseTest(Case):
    def setUp(self):
        super().setUp()
        self.cloud.welcome["owner"] = ADA

    async def test_the_router_is_nobodys_at_once_and_the_cloud_hears_of_it(self):
        await self.online()
        self.client.release()
        self.assertIsNone(self.client.owner)
        self.assertTrue(self.client.state["releasing"])
        await self.until(lambda: not self.client.state["releasing"])
        (told,) = self.cloud.heard_of("release")
        self.assertEqual(told["account_id"], "a1")
        await self.stop()

    async def test_what_undoes_it_is_kept_by_the_same_change_of_the_store(self):
        await self.online()
        self.client._before_release = lambda: ({store_keys.UNDO: {"id": "u1"}}, "u1")
        steps = self.files.steps
        self.client.release()
        self.assertLessEqual(self.files.steps - steps, 2)  # a write and a sync
        self.assertEqual(self.store.get(store_keys.UNDO), {"id": "u1"})
        await self.until(lambda: self.cloud.heard_of("release"))
        self.assertEqual(self.cloud.heard_of("release")[0]["undo"], "u1")
        await self.stop()

    async def test_a_release_without_the_cloud_outlives_a_restart_and_is_told_later(self):
        self.store.put(store_keys.CLOUD_OWNER, ADA)
        self.cloud.refuses_with = OSError(111, "refused")
        await self.start()
        self.client.release()
        await self.stop()
        self.assertIsNone(self.store.get(store_keys.CLOUD_OWNER))
        self.cloud.refuses_with = None
        await self.online()
        await self.until(lambda: self.cloud.heard_of("release") and not self.client.state["releasing"])
        self.assertIsNone(self.client.owner)  # though the welcome still named the owner before
        await self.stop()

    async def test_the_owner_who_gave_it_up_is_not_taken_back_but_another_is(self):
        self.cloud.acknowledges = False
        await self.online()
        self.client.release()
        self.cloud.say({"type": "owner", "owner": ADA})
        self.cloud.say({"type": "owner", "owner": EVE})
        await self.until(lambda: self.client.owner is not None)
        self.assertEqual(self.client.owner, EVE)
        await self.stop()

    async def test_once_acknowledged_the_same_account_may_register_it_again(self):
        await self.online()
        self.client.release()
        await self.until(lambda: not self.client.state["releasing"])
        self.cloud.say({"type": "owner", "owner": ADA})
        await self.until(lambda: self.client.owner == ADA)
        await self.stop()

    async def test_a_cloud_that_takes_no_release_keeps_its_link_and_hears_nothing_of_it(self):
        self.cloud.welcome.pop("takes")
        await self.online()
        self.client.release()
        await self.until(lambda: self.cloud.heard_of("heartbeat"))
        self.assertEqual(self.cloud.heard_of("release"), [])
        self.assertEqual(self.client.state["state"], ONLINE)
        self.assertTrue(self.client.state["releasing"])
        await self.stop()

    async def test_what_belongs_to_nobody_is_not_released(self):
        self.cloud.welcome["owner"] = None
        await self.online()
        self.assertIn("belongs to no account", self.refused(self.client.release))
        await self.stop()

    async def test_a_full_outbox_refuses_and_changes_nothing(self):
        self.cloud.acknowledges = False
        await self.online()
        self.client._record = dict(ledger.empty(), outbox=[{"type": "x"}] * ledger.OUTBOX_LIMIT)
        self.assertIn("earlier answers", self.refused(self.client.release))
        self.assertEqual(self.client.owner, ADA)
        self.client._record = ledger.empty()
        await self.stop()


class InvitationTest(Case):
    async def test_the_code_goes_out_and_a_link_comes_back(self):
        await self.online()
        self.client.invite()
        self.assertEqual(self.client.invitation["state"], ASKED)
        await self.until(lambda: self.client.invitation["state"] == OPEN)
        self.assertEqual(self.client.invitation["link"], "https://cloud.test/i/x")
        self.assertTrue(590 <= self.client.invitation["expires_s"] <= 600)
        self.assertEqual(self.cloud.heard_of("invite")[0]["service_code"], CODE)
        await self.stop()

    async def test_stopped_here_it_is_withdrawn_at_the_cloud(self):
        await self.online()
        self.client.invite()
        self.client.uninvite()  # before the answer: the cloud hears of both, in this order
        self.assertIsNone(self.client.invitation)
        await self.until(lambda: self.cloud.heard_of("uninvite"))
        asked, ended = self.cloud.heard_of("invite")[0], self.cloud.heard_of("uninvite")[0]
        self.assertEqual(ended["invite_id"], asked["invite_id"])
        self.assertIsNone(self.client.invitation)
        self.client.uninvite()  # there is none any more
        self.client.invite()
        await self.until(lambda: self.client.invitation["state"] == OPEN)
        self.assertEqual(len(self.cloud.heard_of("uninvite")), 1)
        await self.stop()

    async def test_a_cloud_that_knows_of_no_withdrawal_is_sent_none(self):
        self.cloud.welcome["takes"].pop("uninvite")
        await self.online()
        self.client.invite()
        await self.until(lambda: self.client.invitation["state"] == OPEN)
        self.client.uninvite()
        self.client.invite()
        await self.until(lambda: self.client.invitation["state"] == OPEN)
        self.assertEqual(self.cloud.heard_of("uninvite"), [])
        await self.stop()

    async def test_nothing_of_it_is_kept_on_the_flash(self):
        await self.online()
        before = self.kept()
        self.client.invite()
        await self.until(lambda: self.client.invitation["state"] == OPEN)
        self.assertEqual(self.kept(), before)
        await self.stop()

    async def test_a_refusal_is_told_with_its_reason(self):
        self.cloud.invitation = {"type": "invitation", "error": "It belongs to an account."}
        await self.online()
        self.client.invite()
        await self.until(lambda: self.client.invitation["state"] == REFUSED)
        self.assertEqual(self.client.invitation["error"], "It belongs to an account.")
        await self.stop()

    async def test_a_claim_that_comes_takes_the_place_of_the_link(self):
        await self.online()
        self.client.invite()
        await self.until(lambda: self.client.invitation["state"] == OPEN)
        self.cloud.say({"type": "command", "id": "c1", "name": "claim", "args": CLAIM})
        await self.until(lambda: self.client.claim is not None)
        self.assertIsNone(self.client.invitation)
        await self.stop()

    async def test_it_is_refused_offline_when_owned_and_by_a_cloud_that_knows_of_none(self):
        await self.start()
        self.assertIn("not connected", self.refused(self.client.invite))
        await self.stop()
        self.cloud.welcome.pop("takes")
        await self.online()
        self.assertIn("Enter the service code", self.refused(self.client.invite))
        self.cloud.say({"type": "owner", "owner": ADA})
        await self.until(lambda: self.client.owner is not None)
        self.assertIn("Release it first", self.refused(self.client.invite))
        await self.stop()

    async def test_a_reset_drops_it(self):
        await self.online()
        self.client.invite()
        self.client.forget()
        self.assertIsNone(self.client.invitation)
        await self.stop()


class InvitationStateTest(unittest.TestCase):
    def setUp(self):
        self.clock = FakeClock()
        self.invitation = Invitation(self.clock.monotonic_ms)

    def test_an_answer_to_an_earlier_question_says_nothing(self):
        self.invitation.ask("i1")
        self.invitation.ask("i2")
        self.invitation.answered({"invite_id": "i1", "link": "https://x", "expires_s": 9, "error": None})
        self.assertEqual(self.invitation.current()["state"], ASKED)

    def test_an_answer_after_it_was_given_up_says_nothing(self):
        self.invitation.ask("i1")
        self.invitation.drop()
        self.invitation.answered({"invite_id": "i1", "link": "https://x", "expires_s": 9, "error": None})
        self.assertIsNone(self.invitation.current())

    def test_only_a_link_that_browsers_open_securely_is_shown(self):
        for link in ("javascript:alert(1)", "http://cloud.test/", "x"):
            self.invitation.ask("i1")
            self.invitation.answered({"invite_id": "i1", "link": link, "expires_s": 9, "error": None})
            told = self.invitation.current()
            self.assertEqual((told["state"], told["link"]), (REFUSED, None))

    def test_a_cloud_that_does_not_answer_is_not_waited_for(self):
        self.invitation.ask("i1")
        self.clock.pass_ms(ANSWER_MS)
        self.assertIsNone(self.invitation.current())

    def test_a_link_ends_by_the_clock_that_never_steps(self):
        self.invitation.ask("i1")
        self.invitation.answered({"invite_id": "i1", "link": "https://x", "expires_s": 600, "error": None})
        self.clock.set(0, "sntp")
        self.clock.pass_s(599)
        self.assertEqual(self.invitation.current()["expires_s"], 1)
        self.clock.pass_s(1)
        self.assertIsNone(self.invitation.current())


if __name__ == "__main__":
    unittest.main()
