import unittest

from gatelodge import store_keys
from gatelodge.owner.history import KEPT

from tests.firmware.owner_rig import HOME, PASSWORD, THIEF, Router, refused


class TestHistory(unittest.TestCase):
    def setUp(self):
        self.router = Router()
        self.router.set_up()
        self.history = self.router.owner._keeper.history

    def results(self):
        return [entry["result"] for entry in self.history.entries()]

    def test_sign_ins_and_failures_are_told_newest_first(self):
        refused(self.router.owner.signing_in.password, "not the password", THIEF)
        self.router.sign_in()
        self.assertEqual(self.results(), ["signed in", "wrong password", "set up"])
        newest, wrong, _ = self.history.entries()
        self.assertEqual((newest["address"], newest["method"], newest["browser"]), (HOME[0], "code", HOME[1]))
        self.assertEqual((wrong["address"], wrong["at"]), (THIEF[0], self.router.clocks.unix_s))

    def test_it_is_there_after_a_restart(self):
        self.router.restart()
        self.history = self.router.owner._keeper.history
        self.assertEqual(self.results(), ["set up"])

    def test_it_keeps_the_last_fifty_in_as_many_keys(self):
        for _ in range(KEPT + 7):
            self.history.add(HOME, "signed in")
        self.assertEqual(self.results(), ["signed in"] * KEPT)
        numbers = [entry["number"] for entry in self.history.entries()]
        self.assertEqual(numbers, list(range(KEPT + 7, 7, -1)))
        keys = self.router.store.keys()
        kept = [key for key in keys if key.startswith("history.")]
        self.assertEqual(len(kept), KEPT + 1)

    def test_what_the_throttle_turns_away_pushes_nothing_out(self):
        for _ in range(40):
            refused(self.router.owner.signing_in.password, "not the password", THIEF)
        self.assertIn("set up", self.results())
        self.assertLess(len(self.results()), 20)

    def test_an_unset_clock_dates_nothing(self):
        self.router.clocks.is_set = False
        refused(self.router.owner.signing_in.password, "not the password", THIEF)
        self.assertIsNone(self.history.entries()[0]["at"])

    def test_a_failure_and_its_count_are_one_change(self):
        steps = self.router.files.steps
        refused(self.router.owner.signing_in.password, "not the password", THIEF)
        self.assertLessEqual(self.router.files.steps - steps, 2)  # one write, one sync
        self.assertIn("192.168.1.66", str(self.router.store.get(store_keys.THROTTLE)))

    def test_a_damaged_count_keeps_nobody_out_and_goes_on_from_what_is_left(self):
        for damaged in ("no number", -3, [], 1.5):
            self.router.store.put(store_keys.HISTORY_COUNT, damaged)
            refused(self.router.owner.signing_in.password, "not the password", THIEF)
            self.assertEqual(self.results()[0], "wrong password")
            self.assertEqual(self.results()[-1], "set up")
            self.router.clocks.wait(600)
            self.router.store.put(store_keys.HISTORY_COUNT, damaged)
            self.assertTrue(self.router.sign_in())
        numbers = [entry["number"] for entry in self.history.entries()]
        self.assertEqual(numbers, list(range(8, -1, -1)))

    def test_a_damaged_entry_is_left_out_and_keeps_nobody_out(self):
        for damaged in ("text", 7, [], {"number": 0}, {}):
            self.router.store.put(store_keys.HISTORY % 0, damaged)
            heard = []
            self.history.listener = lambda kind, entry, heard=heard: heard.append(kind)
            self.assertTrue(self.router.sign_in())
            self.assertNotIn("set up", self.results())
            self.assertEqual(self.results()[0], "signed in")
            self.router.clocks.wait(30)

    def test_a_password_is_never_in_it(self):
        refused(self.router.owner.signing_in.password, "nearly " + PASSWORD, THIEF)
        self.assertNotIn(PASSWORD, str(self.history.entries()))


if __name__ == "__main__":
    unittest.main()
