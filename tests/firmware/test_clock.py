import unittest

from gatelodge.core import clock as clocks
from gatelodge.core.clock import DRIFT_S, PROVEN, SYNCED, TWO_CODES, UNSET, Clock

BUILD = 1_790_000_000
NOW = BUILD + 5_000_000
HOUR_MS = 3_600_000


class ClockTest(unittest.TestCase):
    def test_an_unset_clock_runs_from_its_floor(self):
        clock = Clock(BUILD, BUILD + 100, monotonic_ms=7000)
        self.assertEqual((clock.state, clock.source, clock.is_set), (UNSET, "floor", False))
        self.assertEqual(clock.now(9500), BUILD + 102.5)

    def test_a_floor_older_than_the_build_is_the_build(self):
        self.assertEqual(Clock(BUILD, 12).now(0), BUILD)

    def test_every_source_sets_an_unset_clock(self):
        for source in clocks.SOURCES:
            clock = Clock(BUILD)
            self.assertTrue(clock.set(NOW, source, 1000))
            state = PROVEN if source == clocks.TWO_CODES else SYNCED
            self.assertEqual((clock.state, clock.source, clock.now(2000)), (state, source, NOW + 1))

    def test_a_time_before_the_floor_is_refused_and_the_reason_told(self):
        clock = Clock(BUILD, NOW, proven_floor=NOW)
        self.assertFalse(clock.set(NOW - 3600, "cloud", 0))
        self.assertEqual((clock.state, clock.now(0)), (UNSET, NOW))
        self.assertIn("3600 s before", clock.refusal)

    def test_a_time_just_below_the_floor_is_agreement_and_waits_there(self):
        clock = Clock(BUILD, NOW)
        self.assertTrue(clock.set(NOW - 20, "sntp", 0))
        self.assertEqual((clock.now(10_000), clock.now(20_000), clock.now(25_000)), (NOW, NOW, NOW + 5))

    def test_an_absurd_future_is_refused(self):
        clock = Clock(BUILD)
        self.assertFalse(clock.set(BUILD + clocks.HORIZON_S + 1, "bench", 0))
        self.assertFalse(clock.is_set)

    def test_network_time_moves_a_proved_time_within_drift_only(self):
        clock = Clock(BUILD)
        clock.set(NOW, "cloud", 0)
        self.assertTrue(clock.set(NOW + DRIFT_S - 1, "sntp", 0))
        self.assertFalse(clock.set(NOW + DRIFT_S + 1, "sntp", 0))
        self.assertFalse(clock.set(NOW - DRIFT_S - 1, "sntp", 0))
        self.assertEqual(clock.now(0), NOW + DRIFT_S - 1)

    def test_small_steps_of_network_time_do_not_add_up(self):
        clock = Clock(BUILD)
        clock.set(NOW, "bench", 0)
        moved = [clock.set(clock.now(0) + 600, "sntp", 0) for _ in range(5)]
        self.assertEqual(moved, [True, False, False, False, False])

    def test_the_cloud_corrects_false_network_time(self):
        clock = Clock(BUILD)
        clock.set(NOW + 1_000_000, "sntp", 0)
        self.assertTrue(clock.set(NOW, "cloud", 0))
        self.assertEqual(clock.now(0), NOW)

    def test_network_time_corrects_two_codes_within_drift_and_leaves_the_clock_proven(self):
        clock = Clock(BUILD)
        clock.set(NOW, TWO_CODES, 0)
        self.assertTrue(clock.set(NOW + 34, "sntp", 0))
        self.assertEqual((clock.state, clock.source, clock.now(0)), (PROVEN, "sntp", NOW + 34))
        self.assertFalse(clock.set(NOW + 34 + DRIFT_S, "sntp", 0))

    def test_the_cloud_corrects_two_codes_however_far_off_the_phone_was(self):
        clock = Clock(BUILD)
        clock.set(NOW + 86400, TWO_CODES, 0)
        self.assertTrue(clock.set(NOW, "cloud", 0))
        self.assertEqual((clock.state, clock.now(0)), (SYNCED, NOW))

    def test_two_codes_move_a_clock_that_nobody_has_proved_and_no_other(self):
        for source in clocks.SOURCES:
            clock = Clock(BUILD)
            clock.set(NOW, source, 0)
            is_doubtful = source in ("rtc", "sntp")
            self.assertEqual((clock.is_doubtful, clock.takes_two_codes), (is_doubtful, is_doubtful))
            self.assertEqual(clock.set(NOW + 86400, TWO_CODES, 0), is_doubtful)
            self.assertEqual(clock.state, PROVEN if is_doubtful or source == TWO_CODES else SYNCED)
            self.assertEqual((clock.is_disputed, clock.is_doubtful), (is_doubtful, is_doubtful))

    def test_two_codes_that_agree_with_network_time_prove_it(self):
        clock = Clock(BUILD)
        clock.set(NOW, "sntp", 0)
        self.assertTrue(clock.set(NOW + DRIFT_S - 1, TWO_CODES, 0))
        self.assertEqual((clock.is_disputed, clock.is_doubtful, clock.takes_two_codes), (False, False, False))

    def test_a_clock_that_two_codes_have_set_back_takes_later_ones_and_nothing_from_the_network(self):
        clock = Clock(BUILD)
        clock.set(NOW, "sntp", 0)
        clock.set(NOW - 86400, TWO_CODES, 0)
        self.assertFalse(clock.set(NOW, "sntp", 0))
        self.assertTrue(clock.set(NOW - 3600, TWO_CODES, 0))
        self.assertTrue(clock.is_disputed)
        self.assertEqual(clock.earliest(0), NOW - 3600)
        self.assertTrue(clock.set(NOW + 30, TWO_CODES, 0))
        self.assertEqual((clock.is_disputed, clock.takes_two_codes), (False, False))

    def test_the_cloud_settles_a_dispute(self):
        clock = Clock(BUILD)
        clock.set(NOW, "sntp", 0)
        clock.set(NOW - 86400, TWO_CODES, 0)
        clock.set(NOW, "cloud", 0)
        self.assertEqual((clock.is_disputed, clock.is_doubtful), (False, False))

    def test_two_codes_on_a_clock_that_knows_nothing_dispute_nothing(self):
        clock = Clock(BUILD, NOW)
        clock.set(NOW + 86400, TWO_CODES, 0)
        self.assertEqual((clock.is_disputed, clock.takes_two_codes), (False, False))

    def test_proof_takes_back_a_floor_that_forged_network_time_has_raised(self):
        for source in ("cloud", TWO_CODES):
            clock = Clock(BUILD, NOW, proven_floor=NOW)
            clock.set(NOW + 100 * 86400, "sntp", 0)
            clock.kept(*clock.floors_due(0))
            self.assertEqual((clock.floor, clock.proven_floor), (NOW + 100 * 86400, NOW))
            self.assertFalse(clock.set(NOW + 60, "sntp", 0))
            self.assertTrue(clock.set(NOW + 60, source, 0))
            self.assertEqual((clock.now(0), clock.floors_due(0)), (NOW + 60, (NOW + 60, NOW + 60)))

    def test_after_a_restart_too_proof_goes_below_a_floor_that_nobody_proved(self):
        clock = Clock(BUILD, NOW + 100 * 86400, proven_floor=NOW)
        self.assertEqual((clock.now(0), clock.earliest(2000)), (NOW + 100 * 86400, NOW + 2))
        self.assertFalse(clock.set(NOW - 61, "cloud", 0))
        self.assertTrue(clock.set(NOW + 5, "cloud", 0))
        self.assertEqual(clock.now(0), NOW + 5)

    def test_what_was_proved_follows_the_time_that_has_passed_and_proof_only(self):
        clock = Clock(BUILD)
        clock.set(NOW, "sntp", 0)
        self.assertEqual(clock.earliest(HOUR_MS), BUILD + 3600)
        clock.set(NOW + 3600, "cloud", HOUR_MS)
        self.assertEqual(clock.earliest(2 * HOUR_MS), NOW + 7200)

    def test_two_codes_of_a_far_future_are_refused_and_wedge_nothing(self):
        clock = Clock(BUILD)
        self.assertFalse(clock.set(BUILD + clocks.HORIZON_S + 1, TWO_CODES, 0))
        self.assertEqual((clock.state, clock.floor), (UNSET, BUILD))
        self.assertTrue(clock.set(NOW, "sntp", 0))

    def test_a_battery_clock_is_asked_only_while_nothing_is_known(self):
        clock = Clock(BUILD)
        clock.set(NOW, "sntp", 0)
        self.assertFalse(clock.set(NOW + 5, "rtc", 0))

    def test_the_floor_is_due_after_an_hour_in_every_state(self):
        clock = Clock(BUILD)
        self.assertIsNone(clock.floors_due(HOUR_MS - 1))
        self.assertEqual(clock.floors_due(HOUR_MS), (BUILD + 3600, BUILD + 3600))
        clock.kept(BUILD + 3600, BUILD + 3600)
        self.assertIsNone(clock.floors_due(HOUR_MS))
        clock.set(NOW, "cloud", HOUR_MS)
        self.assertEqual(clock.floors_due(HOUR_MS), (NOW, NOW))

    def test_forged_network_time_raises_the_floor_by_a_year_at_most(self):
        clock = Clock(BUILD)
        self.assertTrue(clock.set(BUILD + 10 * clocks.UNPROVEN_FLOOR_S, "sntp", 0))
        self.assertEqual(clock.floors_due(0), (BUILD + clocks.UNPROVEN_FLOOR_S, BUILD))

    def test_a_lower_floor_changes_nothing(self):
        clock = Clock(BUILD, NOW)
        clock.kept(BUILD, BUILD - 1)
        self.assertEqual((clock.floor, clock.proven_floor), (NOW, BUILD))


if __name__ == "__main__":
    unittest.main()
