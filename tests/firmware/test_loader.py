import json
import os
import unittest

import main as loader
from gatelodge import compat
from main import CONFIRMED, EMPTY, FAILING, NEW, SPENT, START_AGAIN, STOP, TRIAL, choose, situation


def record(confirmed=None, trial=None, attempts_left=0, failures=0):
    return {"confirmed": confirmed, "trial": trial, "attempts_left": attempts_left, "failures": failures}


A, B, BOTH, NONE = ["a"], ["b"], ["a", "b"], []

# record, slots with firmware, situation, slot that starts, record before the start
ROWS = (
    (record(), NONE, EMPTY, None, record()),
    (record(), A, NEW, "a", record()),
    (record(), BOTH, NEW, "a", record()),
    (record(), B, NEW, "b", record()),
    (record("a"), BOTH, CONFIRMED, "a", record("a")),
    (record("b"), BOTH, CONFIRMED, "b", record("b")),
    (record("b"), A, NEW, "a", record("b")),
    (record("a", "b", 3), BOTH, TRIAL, "b", record("a", "b", 2)),
    (record("a", "b", 1), BOTH, TRIAL, "b", record("a", "b", 0)),
    (record("a", "b", 0), BOTH, SPENT, "a", record("a")),
    (record("a", "b", 3), A, SPENT, "a", record("a")),
    (record("a", "b", 0), NONE, SPENT, None, record("a")),
    (record("a", "b", 0, 3), BOTH, SPENT, "a", record("a")),
    (record("a", failures=2), BOTH, CONFIRMED, "a", record("a", failures=2)),
    (record("a", failures=3), BOTH, FAILING, "b", record("a", failures=3)),
    (record("a", failures=5), BOTH, FAILING, "b", record("a", failures=5)),
    (record("a", failures=6), BOTH, CONFIRMED, "a", record("a", failures=6)),
    (record("a", failures=3), A, CONFIRMED, "a", record("a", failures=3)),
)


class TableTest(unittest.TestCase):
    def test_every_row_starts_its_slot_and_leaves_its_record(self):
        for before, present, found, slot, after in ROWS:
            self.assertEqual(situation(before, present), found, (before, present))
            self.assertEqual(choose(before, present), (slot, after), (before, present))

    def test_every_situation_has_a_row(self):
        self.assertEqual({row[2] for row in ROWS}, set(loader._TABLE))


class LoaderTest(unittest.TestCase):
    def setUp(self):
        self.root = "/tmp/gatelodge-test-loader-" + compat.entropy(4).hex()
        compat.makedirs(self.root + "/slots")
        self.write("board.json", {"name": "test"})
        self.rests = []
        loader.say, self.say = self.said_by, loader.say
        self.said = []

    def tearDown(self):
        loader.say = self.say
        os.system("rm -r " + self.root)

    def said_by(self, text):
        self.said.append(text)

    def write(self, name, value):
        with open(self.root + "/" + name, "w") as file:
            file.write(json.dumps(value))

    def fill(self, *slots):
        for slot in slots:
            compat.makedirs(self.root + "/slots/" + slot)
            self.write("slots/" + slot + "/manifest.json", {"version": "1.2." + str(ord(slot) - ord("a"))})

    def record(self):
        return loader.read_record(self.root + "/boot.json")

    def run_with(self, start):
        return loader.run(self.root, self.root + "/board.json", start, self.rests.append)

    def test_the_daemon_is_told_its_root_its_board_and_its_slot(self):
        self.fill("a")
        told = []
        code = self.run_with(
            lambda root, board, boot: told.append((root, board, boot.slot, boot.version)) or STOP
        )
        self.assertEqual((code, told), (STOP, [(self.root, {"name": "test"}, "a", "1.2.0")]))

    def test_a_trial_that_never_confirms_ends_with_the_confirmed_slot(self):
        self.fill("a", "b")
        self.write("boot.json", record("a", "b", 2))
        started = []
        for _ in range(4):
            self.run_with(lambda root, board, boot: started.append(boot.slot) or START_AGAIN)
        self.assertEqual(started, ["b", "b", "a", "a"])
        self.assertEqual(self.record(), record("a"))

    def test_a_trial_that_raises_is_left_after_its_starts_and_gets_no_other_turn(self):
        self.fill("a", "b")
        self.write("boot.json", record("a", "b", 3))
        started = []

        def broken_in_b(root, board, boot):
            started.append(boot.slot)
            if boot.slot == "b":
                raise ValueError("broken update")
            boot.confirm()

        for _ in range(6):
            self.run_with(broken_in_b)
        self.assertEqual("".join(started), "bbbaaa")
        self.assertEqual(self.rests, [1, 2, 4])

    def test_a_daemon_that_fails_after_an_installation_takes_the_trial_from_nobody(self):
        self.fill("a", "b")

        def installs_and_fails(root, board, boot):
            boot.confirm()
            self.write("boot.json", record("a", "b", 3))
            raise ValueError("broken daemon")

        self.run_with(installs_and_fails)
        started = []
        self.run_with(lambda root, board, boot: started.append(boot.slot))
        self.assertEqual(started, ["b"])

    def test_a_trial_that_confirms_stays(self):
        self.fill("a", "b")
        self.write("boot.json", record("a", "b", 3))
        self.run_with(lambda root, board, boot: boot.confirm())
        self.assertEqual(self.record(), record("b"))

    def test_a_daemon_that_raises_is_counted_told_and_started_again_later(self):
        self.fill("a")

        def broken(root, board, boot):
            raise ValueError("broken daemon")

        codes = [self.run_with(broken) for _ in range(8)]
        self.assertEqual(codes, [START_AGAIN] * 8)
        self.assertEqual(self.rests, [1, 2, 4, 8, 16, 32, 60, 60])
        self.assertIn("firmware 1.2.0 in slot a failed, 8 in a row", self.said[-1])

    def test_slots_that_both_fail_take_turns(self):
        self.fill("a", "b")
        started = []

        def broken(root, board, boot):
            started.append(boot.slot)
            raise ValueError("broken daemon")

        self.write("boot.json", record("a"))
        for _ in range(9):
            self.run_with(broken)
        self.assertEqual("".join(started), "aaabbbaaa")

    def test_confirming_forgets_the_failures(self):
        self.fill("a")
        self.write("boot.json", record("a", failures=2))
        self.run_with(lambda root, board, boot: boot.confirm())
        self.assertEqual(self.record(), record("a"))

    def test_without_any_firmware_it_says_so_and_tries_again(self):
        self.assertEqual(self.run_with(None), START_AGAIN)
        self.assertIn("no firmware", self.said[-1])
        self.assertEqual(self.rests, [loader.LONGEST_REST_S])

    def test_a_record_that_makes_no_sense_is_begun_anew(self):
        self.fill("a")
        for broken in (
            [],
            {"confirmed": "c"},
            record("c"),
            record("a", failures=-1),
            record("a", failures="many"),
        ):
            self.write("boot.json", broken)
            self.assertEqual(self.record(), record())
        with open(self.root + "/boot.json", "w") as file:
            file.write('{"confirmed": "a", "tri')
        self.assertEqual(self.record(), record())

    def test_a_half_written_record_leaves_the_old_one(self):
        self.write("boot.json", record("a"))
        with open(self.root + "/boot.json.new", "w") as file:
            file.write('{"confi')
        self.assertEqual(self.record(), record("a"))

    def test_ctrl_c_on_the_serial_line_stops_no_router(self):
        self.fill("a")

        def interrupted(root, board, boot):
            raise KeyboardInterrupt()

        self.assertEqual(self.run_with(interrupted), START_AGAIN)
        self.assertEqual(self.record()["failures"], 0)


if __name__ == "__main__":
    unittest.main()
