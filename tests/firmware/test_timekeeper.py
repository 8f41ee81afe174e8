import unittest

from gatelodge import store_keys
from gatelodge.compat import monotonic_ms
from gatelodge.store import Store
from gatelodge.timekeeper import Timekeeper

from tests.fakes.crashing_files import CrashingFiles

BUILT = 1_790_000_000
BATTERY_LESS = {"sets_wall_time": False, "has_rtc": False}
WITH_BATTERY = {"sets_wall_time": False, "has_rtc": True}


class TestTimekeeper(unittest.TestCase):
    def setUp(self):
        self.ms = 5000
        self.store = Store(CrashingFiles(), "state/journal").open()

    def keeper(self, board=BATTERY_LESS):
        return Timekeeper(self.store, BUILT, board, lambda: self.ms)

    def test_without_a_battery_time_begins_at_the_build_and_runs(self):
        clock = self.keeper()
        self.ms += 90_000
        self.assertEqual((clock.now(), clock.is_set, clock.source), (BUILT + 90, False, "floor"))

    def test_time_begins_at_the_floor_on_the_flash(self):
        self.store.put(store_keys.CLOCK_FLOOR, BUILT + 7000)
        self.assertEqual(self.keeper().now(), BUILT + 7000)

    def test_a_source_sets_it_and_a_time_in_the_past_is_refused_with_a_reason(self):
        clock = self.keeper()
        self.assertTrue(clock.set(BUILT + 500, "sntp"))
        self.assertEqual((clock.now(), clock.state), (BUILT + 500, "synced"))
        self.assertFalse(clock.set(BUILT - 86400, "sntp"))
        self.assertIn("before a time that had been reached", clock.refusal)

    def test_a_battery_clock_is_believed_at_the_start(self):
        clock = self.keeper(WITH_BATTERY)
        self.assertEqual((clock.is_set, clock.source), (True, "rtc"))

    def test_the_floor_goes_to_the_flash_once_an_hour_has_passed(self):
        clock = self.keeper()
        clock.set(BUILT + 500, "sntp")
        clock.keep_floor_if_due()
        self.assertEqual(self.store.get(store_keys.CLOCK_FLOOR), None)
        self.ms += 3_600_000
        clock.keep_floor_if_due()
        self.assertEqual(self.store.get(store_keys.CLOCK_FLOOR), BUILT + 500 + 3600)
        self.assertEqual(self.store.get(store_keys.CLOCK_PROVEN), BUILT + 3600)

    def test_a_time_that_was_proved_binds_the_next_start(self):
        clock = self.keeper()
        clock.set(BUILT + 86400, "cloud")
        clock.keep_floor_if_due()
        clock = self.keeper()
        self.assertEqual((clock.earliest(), clock.now()), (BUILT + 86400, BUILT + 86400))
        self.assertFalse(clock.set(BUILT, "cloud"))

    def test_the_monotonic_clock_is_the_default(self):
        before = monotonic_ms()
        clock = Timekeeper(self.store, BUILT, BATTERY_LESS)
        self.assertTrue(BUILT <= clock.now() <= BUILT + 1 + (monotonic_ms() - before) // 1000)


if __name__ == "__main__":
    unittest.main()
