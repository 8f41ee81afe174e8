"""Updates by the owner on a flash of files, from the bundle that comes to what the next start makes of it."""

import json
import os
import sys
import unittest

import main as loader
from gatelodge import compat, store_keys
from gatelodge.owner.updates import MOST_BYTES, Place
from gatelodge.refusals import SigninError, refusal
from gatelodge.web.wire import Refusal

from tests.fakes import bundles
from tests.firmware.owner_rig import HOME, Router

PIECE = 700  # bytes


class Upload:
    """A body in pieces. breaks_after: of them, after which the line breaks."""

    def __init__(self, data, breaks_after=None):
        self.length = len(data)
        self._pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
        self._breaks_after = breaks_after

    async def piece(self):
        if self._breaks_after is not None:
            self._breaks_after -= 1
            if self._breaks_after < 0:
                raise Refusal(400, "The upload was cut off.")
        return self._pieces.pop(0) if self._pieces else b""


class UpdatesTest(unittest.IsolatedAsyncioTestCase):
    """Version 1.0.0 runs in slot a; there is none in slot b."""

    def setUp(self):
        self.root = "/tmp/gatelodge-test-updates-" + compat.entropy(4).hex()
        compat.makedirs(self.root + "/slots/a")
        with open(self.root + "/slots/a/manifest.json", "w") as file:
            file.write(json.dumps({"version": "1.0.0"}))
        self.router = Router()
        self.router.set_up()
        self.free_kb = 60000
        self.turns = 0
        self.last_turn = None  # after which whoever sent it may not any more
        self.start("a", "1.0.0")

    def tearDown(self):
        os.system("rm -r " + self.root)

    def start(self, slot, version):
        place = Place(self.root, slot, version, bundles.RELEASE_KEY, lambda: self.free_kb)
        self.updates = self.router.owner.updates(place)

    def turn(self):
        if self.turns == self.last_turn:
            raise refusal("session_over")
        self.turns += 1

    async def take(self, data, takes_older=False):
        return await self.updates.take(Upload(data), HOME, takes_older, self.turn)

    async def refused(self, data):
        """(field, sentence)"""
        with self.assertRaises(SigninError) as caught:
            await self.take(data)
        return caught.exception.field, caught.exception.text

    def next_start(self):
        """As the loader has it: the slot and its version; the daemon in it serves then."""
        path = self.root + "/boot.json"
        slot, after = loader.choose(loader.read_record(path), loader.present_slots(self.root))
        loader.write_record(path, after)
        self.start(slot, loader.version_of(self.root, slot))
        return slot

    def results(self):
        return [entry["result"] for entry in self.router.owner._keeper.history.entries()]

    async def test_what_was_taken_runs_after_the_next_start(self):
        self.assertEqual(await self.take(bundles.signed()), "1.2.3")
        self.assertEqual(self.updates.told().update["state"], "waiting")
        self.assertEqual(self.next_start(), "b")
        self.updates.settle()
        told = self.updates.told()
        self.assertEqual((told.running, told.other, told.can_switch), ("1.2.3", "1.0.0", True))
        self.assertEqual((told.update["state"], told.update["before"]), ("done", "1.0.0"))
        self.assertEqual(self.results()[0], "firmware installed")

    async def test_the_owner_is_told_elsewhere_too(self):
        told = []
        self.router.owner.tell_notices_to(lambda kind, entry, undo_id: told.append((kind, entry["address"])))
        await self.take(bundles.signed())
        self.assertEqual(told, [("firmware_changed", HOME.address)])

    async def test_what_does_not_serve_is_left_told_and_not_offered_again(self):
        await self.take(bundles.signed())
        starts = [self.next_start() for _ in range(4)]
        self.assertEqual(starts, ["b", "b", "b", "a"])
        self.updates.settle()
        told = self.updates.told()
        self.assertEqual((told.other, told.can_switch, told.update["state"]), ("1.2.3", False, "failed"))
        self.assertEqual(self.results()[0], "firmware failed")
        with self.assertRaises(SigninError):
            self.updates.switch(HOME)

    async def test_the_way_back_is_a_trial_too(self):
        await self.take(bundles.signed())
        self.next_start()
        loader.write_record(self.root + "/boot.json", dict(loader.NEW_RECORD, confirmed="b"))
        self.updates.settle()
        self.assertEqual(self.updates.switch(HOME), "1.0.0")
        record = loader.read_record(self.root + "/boot.json")
        self.assertEqual((record["confirmed"], record["trial"]), ("b", "a"))
        self.assertEqual(self.next_start(), "a")
        self.updates.settle()
        self.assertEqual(self.updates.told().update["state"], "done")
        self.assertEqual(self.results()[0], "firmware switched")

    async def test_firmware_that_came_another_way_ends_what_was_told(self):
        await self.take(bundles.signed())
        self.next_start()
        self.updates.settle()
        self.start("a", "1.0.1")  # by the bench, say
        self.updates.settle()
        self.assertIsNone(self.updates.told().update)

    async def test_pressing_start_twice_changes_nothing_more(self):
        await self.take(bundles.signed())
        self.assertEqual([self.updates.switch(HOME), self.updates.switch(HOME)], ["1.2.3", "1.2.3"])
        self.assertEqual(self.results().count("firmware switched"), 0)

    async def test_with_nothing_in_the_other_slot_there_is_no_way_back(self):
        with self.assertRaises(SigninError):
            self.updates.switch(HOME)

    async def test_an_older_version_is_taken_where_that_is_wanted(self):
        self.assertIn("older than 1.0.0", (await self.refused(bundles.signed(version="0.9.9")))[1])
        self.assertEqual(await self.take(bundles.signed(version="0.9.9"), takes_older=True), "0.9.9")

    async def test_a_refusal_is_said_in_the_readers_language_and_leaves_the_flash_as_it_was(self):
        self.assertEqual((await self.refused(bundles.signed(key=bundles.OTHER_KEY)))[0], "bundle")
        sent = -(-len(bundles.signed()) // PIECE)
        self.assertEqual(self.turns, sent + 1)
        self.assertEqual(compat.listdir(self.root), ["slots"])
        self.assertEqual(compat.listdir(self.root + "/slots"), ["a"])
        self.assertFalse(self.router.store.has(store_keys.UPDATE))

    async def test_a_broken_upload_leaves_nothing_and_the_next_one_goes(self):
        with self.assertRaises(Refusal):
            await self.updates.take(Upload(bundles.signed(), 2), HOME, False, self.turn)
        self.assertEqual(compat.listdir(self.root), ["slots"])
        self.assertEqual(await self.take(bundles.signed()), "1.2.3")

    async def test_who_is_put_out_at_any_moment_of_it_installs_nothing(self):
        await self.take(bundles.signed())
        turns, self.last_turn = self.turns, 0
        self.router.store.delete(store_keys.UPDATE)
        compat.remove(self.root + "/boot.json")
        before = self.results()
        while self.last_turn < turns:
            self.turns = 0
            self.assertIn("ended", (await self.refused(bundles.signed(version="1.3.0")))[1])
            self.assertFalse(self.router.store.has(store_keys.UPDATE))
            self.assertEqual([compat.listdir(self.root), self.results()], [["slots"], before])
            self.assertNotEqual(self.updates.told().other, "1.3.0")
            self.last_turn += 1
        self.turns = 0
        self.assertEqual(await self.take(bundles.signed(version="1.3.0")), "1.3.0")

    async def test_what_a_power_cut_left_of_an_upload_goes_at_the_next_start(self):
        with open(self.root + "/upload.tar", "wb") as file:
            file.write(b"half of it")
        self.updates.settle()
        self.assertEqual(compat.listdir(self.root), ["slots"])

    async def test_a_second_upload_over_one_that_waits_takes_its_place(self):
        await self.take(bundles.signed())
        self.assertEqual(await self.take(bundles.signed(version="1.3.0")), "1.3.0")
        self.assertEqual((self.next_start(), self.updates.told().running), ("b", "1.3.0"))

    async def test_without_room_it_is_refused_before_it_is_sent(self):
        self.free_kb = 300
        with self.assertRaises(SigninError) as caught:
            self.updates.check_room(40000)
        self.assertIn("no room", caught.exception.text)
        self.free_kb = None  # nobody knows
        self.updates.check_room(40000)
        with self.assertRaises(SigninError) as caught:
            self.updates.check_room(MOST_BYTES + 1)
        self.assertEqual(caught.exception.field, "bundle")

    async def test_a_slot_that_cannot_be_written_is_told(self):
        with open(self.root + "/slots/b", "w") as file:
            file.write("no directory")
        self.assertIn("cannot be written", (await self.refused(bundles.signed()))[1])

    async def test_what_installs_it_is_unloaded_afterwards(self):
        await self.take(bundles.signed())
        self.assertNotIn("gatelodge.owner.updating", sys.modules)
        self.assertNotIn("gatelodge.install", sys.modules)

    async def test_a_step_that_nobody_takes_any_more_lets_go_of_its_file(self):
        from gatelodge.owner import updating

        closed = []

        def steps():
            try:
                yield
                yield
            finally:
                closed.append(True)

        def turn():
            raise refusal("update_room")

        running = steps()
        with self.assertRaises(SigninError):
            await updating._through(running, turn)
        compat.unload((updating.__name__,))
        self.assertEqual(closed, [True])


if __name__ == "__main__":
    unittest.main()
