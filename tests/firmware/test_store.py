import unittest

from gatelodge import compat, store
from gatelodge.contract.errors import ValueRangeError
from gatelodge.store import FlashFiles, Store, StoreError

from tests.fakes.crashing_files import CrashingFiles, PowerLost

PATH = "flash/journal"

# Each is one atomic change: (values, deleted keys). Small, since each is cut at every byte.
CHANGES = (
    ({"a": 1}, ()),
    ({"b": "\xe9\n", "c": [1, {"x": None}]}, ()),
    ({"a": 2}, ()),
    ({"d": "ddd"}, ("b",)),
    ({}, ("c",)),
    ({"a": 3, "b": False}, ()),
    ({"a": 4}, ("d",)),
)


def states_after_each_change():
    state, states = {}, [{}]
    for values, deleted in CHANGES:
        state = dict(state)
        state.update(values)
        for key in deleted:
            del state[key]
        states.append(state)
    return states


def contents(opened):
    return {key: opened.get(key) for key in opened.keys()}  # noqa: SIM118 - a Store is no dict


def run_until_crash(files):
    """How many changes were acknowledged."""
    acknowledged = 0
    try:
        journal = Store(files, PATH).open()
        for values, deleted in CHANGES:
            journal.put_many(values, deleted)
            acknowledged += 1
    except PowerLost:
        return acknowledged
    return acknowledged


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.limits = store.COMPACT_FROM_BYTES, store.COMPACT_RATIO
        store.COMPACT_FROM_BYTES, store.COMPACT_RATIO = 100, 1  # so that the changes above compact twice

    def tearDown(self):
        store.COMPACT_FROM_BYTES, store.COMPACT_RATIO = self.limits

    def steps(self):
        files = CrashingFiles()
        self.assertEqual(run_until_crash(files), len(CHANGES))
        return files.steps

    def test_a_crash_at_every_step_leaves_the_state_before_or_after(self):
        states, seen = states_after_each_change(), 0
        for step in range(1, self.steps() + 1):
            files = CrashingFiles(crash_at=step)
            acknowledged = run_until_crash(files)
            for survivor in files.survivors():
                found = contents(Store(survivor, PATH).open())
                self.assertIn(found, states[acknowledged : acknowledged + 2], f"step {step}")
                seen += 1
        self.assertGreater(seen, 500)

    def test_what_a_crash_left_can_be_written_and_read_again(self):
        for step in range(1, self.steps() + 1):
            files = CrashingFiles(crash_at=step)
            run_until_crash(files)
            for survivor in files.survivors():
                journal = Store(survivor, PATH).open()
                journal.put("after", step)
                expected = contents(journal)
                again = Store(survivor, PATH).open()
                self.assertEqual(contents(again), expected)
                self.assertFalse(again.torn)

    def test_a_crash_while_a_torn_tail_is_repaired_loses_nothing(self):
        files = CrashingFiles(crash_at=self.steps() - 1)
        acknowledged = run_until_crash(files)
        states = states_after_each_change()
        for survivor in files.survivors():
            for step in range(1, 12):
                again = CrashingFiles(survivor._names, crash_at=step)
                run_until_crash_in_open(again)
                for last in again.survivors():
                    found = contents(Store(last, PATH).open())
                    self.assertIn(found, states[acknowledged : acknowledged + 2])

    def test_the_changes_above_do_compact(self):
        files = CrashingFiles()
        names = []
        rename = files.rename
        files.rename = lambda old, new: (names.append(old), rename(old, new))
        run_until_crash(files)
        self.assertGreater(len(names), 1)


def run_until_crash_in_open(files):
    try:
        Store(files, PATH).open()
    except PowerLost:
        return True
    return False


class FailingFlash(CrashingFiles):
    """Refuses writes while `full`, after having taken half of the data, as a full file system does."""

    full = False

    def write(self, file, data):
        super().write(file, data[: len(data) // 2] if self.full else data)
        if self.full:
            raise OSError(28)


class StoreTest(unittest.TestCase):
    def test_a_torn_tail_is_dropped_and_told(self):
        files = CrashingFiles()
        Store(files, PATH).open().put("kept", 1)
        files._names[PATH].durable += b"\x10\x00\x00\x00half"
        journal = Store(files, PATH).open()
        self.assertTrue(journal.torn)
        self.assertEqual(contents(journal), {"kept": 1})

    def test_every_flipped_bit_of_the_last_record_is_seen(self):
        files = CrashingFiles()
        journal = Store(files, PATH).open()
        before = len(files._names[PATH].durable)
        journal.put("key", "value")
        whole = files._names[PATH].durable
        for bit in range(8 * before, 8 * len(whole)):
            broken = bytearray(whole)
            broken[bit // 8] ^= 1 << (bit % 8)
            files._names[PATH].durable = bytes(broken)
            self.assertEqual(contents(Store(CrashingFiles(files._names), PATH).open()), {})

    def test_a_file_that_is_no_journal_is_left_as_it_is(self):
        files = CrashingFiles()
        with files.create(PATH) as file:
            files.write(file, b"a letter, not a journal")
        with self.assertRaises(StoreError):
            Store(files, PATH).open()
        self.assertEqual(files._names[PATH].unsynced, b"a letter, not a journal")

    def test_a_refused_write_changes_nothing_and_the_next_one_repairs(self):
        files = FailingFlash()
        journal = Store(files, PATH).open()
        journal.put("a", 1)
        files.full = True
        with self.assertRaises(StoreError):
            journal.put("a", 2)
        self.assertEqual(journal.get("a"), 1)
        files.full = False
        journal.put("b", 3)
        self.assertEqual(contents(Store(files, PATH).open()), {"a": 1, "b": 3})

    def test_the_past_is_forgotten_or_the_flash_refuses_and_the_state_stays(self):
        files = FailingFlash()
        journal = Store(files, PATH).open()
        journal.put("a", "old secret")
        journal.put("a", "new")
        files.full = True
        with self.assertRaises(StoreError):
            journal.forget_the_past()
        files.full = False
        journal.put("b", 1)
        self.assertEqual(contents(Store(files, PATH).open()), {"a": "new", "b": 1})
        journal.forget_the_past()
        self.assertNotIn(b"old secret", files._names[PATH].durable)
        self.assertEqual(contents(Store(files, PATH).open()), {"a": "new", "b": 1})

    def test_a_change_that_is_none_spares_the_flash(self):
        files = CrashingFiles()
        journal = Store(files, PATH).open()
        journal.put("a", {"y": 1, "x": 2})
        before = files.steps
        journal.put("a", {"x": 2, "y": 1})
        journal.delete("b")
        self.assertEqual(files.steps, before)

    def test_too_large_a_change_is_refused(self):
        journal = Store(CrashingFiles(), PATH).open()
        with self.assertRaises(ValueRangeError):
            journal.put("a", "x" * store.MAX_RECORD_BYTES)
        self.assertEqual(journal.get("a", "absent"), "absent")

    def test_a_state_that_memory_cannot_hold_is_refused(self):
        journal = Store(CrashingFiles(), PATH).open()
        allowed, store.MAX_STATE_BYTES = store.MAX_STATE_BYTES, 100
        try:
            journal.put("a", "x" * 90)
            with self.assertRaises(ValueRangeError):
                journal.put("b", "x" * 10)
        finally:
            store.MAX_STATE_BYTES = allowed
        self.assertEqual(journal.keys(), ["a"])

    def test_a_value_that_was_got_is_the_callers_own(self):
        journal = Store(CrashingFiles(), PATH).open()
        journal.put("a", [1])
        journal.get("a").append(2)
        self.assertEqual(journal.get("a"), [1])

    def test_the_journal_stays_bounded_over_thousands_of_changes(self):
        files = CrashingFiles()
        journal = Store(files, PATH).open()
        for number in range(3000):
            journal.put("clock.floor", number)
        self.assertLessEqual(len(files._names[PATH].durable), store.COMPACT_FROM_BYTES + 100)
        self.assertEqual(Store(files, PATH).open().get("clock.floor"), 2999)


class FlashFilesTest(unittest.TestCase):
    def setUp(self):
        self.folder = "/tmp/gatelodge-test-store-" + compat.entropy(4).hex()
        self.path = self.folder + "/state/journal"

    def tearDown(self):
        compat.remove(self.path)
        for folder in (self.folder + "/state", self.folder):
            compat.remove_directory(folder)

    def test_a_real_file_system_gives_back_what_was_put(self):
        journal = Store(FlashFiles(), self.path).open()
        journal.put("a", {"text": "\xe9"})
        journal.put("b", 2)
        journal.delete("b")
        journal.close()
        self.assertEqual(contents(Store(FlashFiles(), self.path).open()), {"a": {"text": "\xe9"}})

    def test_the_journal_is_readable_by_its_user_only(self):
        Store(FlashFiles(), self.path).open().put("secret", 1)
        self.assertEqual(compat.file_mode(self.path), 0o600)

    def test_a_real_torn_tail_is_dropped(self):
        Store(FlashFiles(), self.path).open().put("a", 1)
        with open(self.path, "ab") as file:
            file.write(b"\x05\x00\x00\x00")
        journal = Store(FlashFiles(), self.path).open()
        self.assertTrue(journal.torn)
        self.assertEqual(contents(journal), {"a": 1})
        self.assertNotIn("journal.new", compat.listdir(self.folder + "/state"))


if __name__ == "__main__":
    unittest.main()
