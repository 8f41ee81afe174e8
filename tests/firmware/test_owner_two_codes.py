"""A router that has lost the time, or was told a wrong one: two codes in a row let its owner in and set its
clock."""

import unittest

from gatelodge import store_keys
from gatelodge.core import clock, signin, totp
from gatelodge.owner.owner import Owner
from gatelodge.timekeeper import Timekeeper

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import HOME, PASSWORD, THIEF, Router, refused

BOARD = {"has_rtc": False, "sets_wall_time": False}
BUILD = 1790000000
DAY_S = 86400


class LostRouter(Router):
    """Its clock is the real one, with a floor. `clocks.unix_s` stays the true time, which the phone shows."""

    def start(self):
        self.clock = Timekeeper(self.store, BUILD, BOARD, self.clocks.monotonic_ms)
        self.owner = Owner(self.store, self.clock, self.entropy, self.clocks.monotonic_ms, iterations=1)

    def was_off_for(self, seconds):
        self.clocks.wait(seconds)
        self.restart()


class LostTime(unittest.TestCase):
    def setUp(self):
        self.router = LostRouter()
        self.clocks = self.router.clocks
        self.router.clock.set(self.clocks.unix_s, "sntp")
        self.setup = self.router.set_up()
        self.router.was_off_for(DAY_S)

    @property
    def signing_in(self):
        return self.router.owner.signing_in

    def code(self, ahead_steps=0):
        return self.router.phone(ahead_s=30 * ahead_steps)

    def begin(self, first=None, second=None, hint="", visitor=HOME):
        """A password and two codes, of now and of the next step unless told otherwise."""
        token = self.signing_in.password(PASSWORD, visitor)
        second = second or self.code(1)
        self.signing_in.two_codes(token, first or self.code(), second, hint, visitor)
        return token

    def search(self, token, visitor=HOME, most=400):
        for _ in range(most):
            session_token = self.signing_in.go_on(token, visitor)
            if session_token:
                return session_token
        raise AssertionError(f"nothing was found in {most} slices")

    def all_of_it(self, token, visitor=HOME):
        """The refusal at the search's end, which comes after a few slices instead of thousands."""
        search = self.signing_in._clock_search._search
        search._slices = iter([next(search._slices) for _ in range(20)])
        return refused(self.search, token, visitor)


class TestFound(LostTime):
    def test_two_codes_in_a_row_sign_in_and_set_the_clock(self):
        self.assertEqual(self.router.clock.state, clock.UNSET)
        token = self.begin()
        session = self.router.owner.session(self.search(token), True)
        self.assertTrue(session.is_proved)
        self.assertEqual((self.router.clock.state, self.router.clock.source), (clock.PROVEN, clock.TWO_CODES))
        self.assertLess(abs(self.router.clock.now() - (self.clocks.unix_s + 30)), 16)

    def test_the_time_that_the_search_takes_is_counted(self):
        token = self.begin()
        self.clocks.wait(40)
        self.search(token)
        self.assertLess(abs(self.router.clock.now() - (self.clocks.unix_s + 30)), 16)

    def test_years_later_the_browsers_time_leads_there_at_once(self):
        self.router.was_off_for(3 * 365 * DAY_S)
        token = self.begin(hint=str(self.clocks.unix_s + 3600))
        self.search(token, most=12)
        self.assertLess(abs(self.router.clock.now() - self.clocks.unix_s), 60)

    def test_both_steps_are_on_the_flash_before_the_session_and_the_floor_with_them(self):
        step = totp.step_at(self.clocks.unix_s) + 1
        self.search(self.begin())
        for files in self.router.files.survivors():
            self.router.restart(files)
            self.assertEqual(self.router.store.get(store_keys.AUTHENTICATORS)[0]["last_step"], step)
            self.assertGreaterEqual(self.router.store.get(store_keys.CLOCK_FLOOR), 30 * step)

    def test_the_history_says_that_two_codes_set_the_clock_and_who_came_in_by_them(self):
        self.search(self.begin())
        entries = self.router.owner.security.history()[:2]
        self.assertEqual([e["result"] for e in entries], ["signed in", "two codes set the clock"])
        self.assertEqual([e["method"] for e in entries], [signin.BY_TWO_CODES] * 2)
        self.assertIsNotNone(entries[1]["at"])

    def test_the_next_sign_in_takes_one_code(self):
        self.search(self.begin())
        self.clocks.wait(60)
        self.assertIsNotNone(self.router.owner.session(self.router.sign_in(), True))

    def test_a_success_takes_back_what_was_counted(self):
        for _ in range(4):
            self.all_of_it(self.begin("000000", "000001"))
        self.search(self.begin())
        counts = [row[2] for row in self.router.store.get(store_keys.THROTTLE)["clients"]]
        self.assertEqual(counts, [{}])

    def test_a_search_of_nobody_stands_still_and_makes_room(self):
        self.begin()
        ours = self.signing_in.password(PASSWORD, HOME)
        busy = refused(self.signing_in.two_codes, ours, self.code(), self.code(1), "", HOME)
        self.assertIn("busy", busy.text)
        self.clocks.uptime_ms += 6000
        self.signing_in.two_codes(ours, self.code(), self.code(1), "", HOME)
        self.search(ours)

    def test_a_thief_who_searches_makes_room_for_who_is_known_and_not_the_other_way_round(self):
        self.begin("000000", "000001", visitor=THIEF)
        ours = self.begin()
        theirs = self.signing_in.password(PASSWORD, THIEF)
        busy = refused(self.signing_in.two_codes, theirs, self.code(), self.code(1), "", THIEF)
        self.assertIn("busy", busy.text)
        self.search(ours)

    def test_a_typing_error_can_be_put_right_while_the_search_goes_on(self):
        token = self.begin("000000")
        self.signing_in.go_on(token, HOME)
        self.signing_in.two_codes(token, self.code(), self.code(1), "", HOME)
        self.search(token)


class TestRefused(LostTime):
    def test_what_is_no_pair_of_codes_is_told_and_not_counted(self):
        token = self.signing_in.password(PASSWORD, HOME)
        for first, second, field in (
            ("12345", "", "code"),
            ("123456", "", "next_code"),
            ("1" * 6, "1" * 6, "next_code"),
        ):
            for _ in range(3):
                error = refused(self.signing_in.two_codes, token, first, second, "", HOME)
                self.assertEqual((error.field, error.wait_s), (field, None))

    def test_a_clock_that_was_proved_takes_one_code_and_no_pair(self):
        self.router.clock.set(self.clocks.unix_s, "cloud")
        token = self.signing_in.password(PASSWORD, HOME)
        error = refused(self.signing_in.two_codes, token, self.code(), self.code(1), "", HOME)
        self.assertEqual((error.field, error.offer), ("code", "reload"))

    def test_a_clock_that_is_proved_during_the_search_ends_it(self):
        token = self.begin("000000")
        self.signing_in.go_on(token, HOME)
        self.router.clock.set(self.clocks.unix_s, "cloud")
        self.assertEqual(refused(self.signing_in.go_on, token, HOME).offer, "reload")
        self.signing_in.code(token, self.code(), HOME)

    def test_a_single_code_is_not_judged(self):
        token = self.signing_in.password(PASSWORD, HOME)
        error = refused(self.signing_in.code, token, self.code(), HOME)
        self.assertEqual((error.offer, self.router.clock.is_set), ("recovery", False))

    def test_a_pair_that_is_not_there_is_refused_and_offers_the_recovery_code(self):
        error = self.all_of_it(self.begin("000000", "000001"))
        self.assertEqual((error.field, error.offer), ("code", "recovery"))
        self.assertEqual(self.router.owner.security.history()[0]["result"], "wrong code")

    def test_without_a_search_there_is_nothing_to_go_on_with(self):
        token = self.signing_in.password(PASSWORD, HOME)
        self.assertIn("has ended", refused(self.signing_in.go_on, token, HOME).text)

    def test_a_recovery_code_works_and_leaves_the_clock_alone(self):
        token = self.signing_in.password(PASSWORD, HOME)
        self.signing_in.recovery_code(token, self.setup.recovery_codes[0], HOME)
        self.assertFalse(self.router.clock.is_set)


class TestAttacks(LostTime):
    def refuse(self, first, second, hint=""):
        """The pair is refused, the clock stays unset, and the floor where it was."""
        floor = self.router.store.get(store_keys.CLOCK_FLOOR)
        error = self.all_of_it(self.begin(first, second, hint, THIEF), THIEF)
        self.assertIn("no two new codes in a row", error.text)
        self.assertFalse(self.router.clock.is_set)
        self.assertEqual(self.router.store.get(store_keys.CLOCK_FLOOR), floor)

    def test_a_replayed_pair_is_refused_after_another_power_cut(self):
        first, second = self.code(), self.code(1)
        self.search(self.begin(first, second))
        self.router.was_off_for(60)
        self.refuse(first, second)

    def test_a_pair_with_one_used_step_is_refused(self):
        self.search(self.begin())
        second, third = self.code(1), self.code(2)
        self.router.was_off_for(60)
        self.refuse(second, third)

    def test_a_pair_out_of_order_is_refused(self):
        self.refuse(self.code(1), self.code())

    def test_two_right_codes_that_do_not_follow_each_other_are_refused(self):
        self.refuse(self.code(), self.code(2))

    def test_the_same_code_twice_is_refused(self):
        token = self.signing_in.password(PASSWORD, THIEF)
        error = refused(self.signing_in.two_codes, token, self.code(), self.code(), "", THIEF)
        self.assertIn("first code again", error.text)

    def test_a_pair_from_before_the_floor_is_refused_whatever_the_hint(self):
        hint = self.clocks.unix_s - 2 * DAY_S
        self.refuse(self.code(-2 * 2880), self.code(-2 * 2880 + 1), str(hint))

    def test_a_lying_hint_does_not_keep_the_owner_out(self):
        for hint in (
            "0",
            "1",
            str(self.clocks.unix_s + 4 * 365 * DAY_S),
            "99999999999999",
            "-5",
            "now",
            "1" * 999,
        ):
            token = self.begin(hint=hint)
            self.signing_in._clock_search._driven_s -= 60
            self.search(token)
            self.assertLess(abs(self.router.clock.now() - self.clocks.unix_s), 60)
            self.router.was_off_for(DAY_S)

    def test_a_hint_in_the_far_future_wedges_no_clock(self):
        for hint in ("9" * 15, str(self.clocks.unix_s + 30 * 365 * DAY_S)):
            self.refuse("000000", "000001", hint)
        self.clocks.uptime_ms += 10**6
        self.assertTrue(self.router.clock.set(self.clocks.unix_s, "sntp"))

    def test_failures_are_throttled_as_codes_are_and_a_closed_tab_is_one(self):
        for _ in range(5):
            self.begin("000000", "000001", visitor=THIEF)
            self.clocks.uptime_ms += 6000
        token = self.signing_in.password(PASSWORD, THIEF)
        error = refused(self.signing_in.two_codes, token, self.code(), self.code(1), "", THIEF)
        self.assertEqual((error.field, error.wait_s), ("code", 24))
        self.router.restart()
        token = self.signing_in.password(PASSWORD, THIEF)
        self.assertIsNotNone(
            refused(self.signing_in.two_codes, token, self.code(), self.code(1), "", THIEF).wait_s
        )

    def test_a_search_of_another_sign_in_cannot_be_taken_over(self):
        self.begin()
        theirs = self.signing_in.password(PASSWORD, THIEF)
        self.assertIn("has ended", refused(self.signing_in.go_on, theirs, THIEF).text)

    def test_a_power_cut_before_the_steps_are_on_the_flash_gives_no_session(self):
        token = self.begin()
        self.router.files.crash_at = self.router.files.steps + 1
        with self.assertRaises(PowerLost):
            self.search(token)
        self.assertEqual(len(self.router.owner._keeper.sessions), 0)


class ForgedTime(LostTime):
    """Network time was forged, for hours, and the floor has followed it. `ahead_s`: how wrong it is."""

    ahead_s = 200 * DAY_S

    def setUp(self):
        super().setUp()
        self.forge(self.ahead_s)

    def forge(self, ahead_s):
        self.assertTrue(self.router.clock.set(self.clocks.unix_s + ahead_s, "sntp"))
        self.clocks.wait(3600)
        self.router.clock.keep_floor_if_due()


class TestForgedTime(ForgedTime):
    def test_a_right_code_is_refused_and_two_in_a_row_put_the_clock_right(self):
        token = self.signing_in.password(PASSWORD, HOME)
        refused(self.signing_in.code, token, self.code(), HOME)
        self.search(self.begin())
        self.assertEqual((self.router.clock.state, self.router.clock.source), (clock.PROVEN, clock.TWO_CODES))
        self.assertLess(abs(self.router.clock.now() - (self.clocks.unix_s + 30)), 16)

    def test_so_they_do_after_a_power_cut_and_from_then_on_one_code_is_enough(self):
        self.router.was_off_for(60)
        self.assertGreater(self.router.clock.now(), self.clocks.unix_s + 100 * DAY_S)
        self.search(self.begin())
        self.router.was_off_for(DAY_S)
        self.assertLess(self.router.clock.now(), self.clocks.unix_s)
        self.router.clock.set(self.clocks.unix_s, "sntp")
        self.assertIsNotNone(self.router.sign_in())

    def test_a_time_that_was_set_back_is_put_right_too(self):
        self.router.was_off_for(300 * DAY_S)
        self.assertTrue(self.router.clock.set(self.clocks.unix_s - 90 * DAY_S, "sntp"))
        self.search(self.begin(hint=str(self.clocks.unix_s)))
        self.assertLess(abs(self.router.clock.now() - (self.clocks.unix_s + 30)), 16)

    def test_the_forger_is_not_believed_any_more(self):
        self.search(self.begin())
        self.assertFalse(self.router.clock.set(self.clocks.unix_s + self.ahead_s, "sntp"))

    def test_the_session_takes_a_recovery_code_for_what_is_sensitive_and_no_trust(self):
        session_token = self.search(self.begin())
        self.assertFalse(self.router.owner.session(session_token, True).is_proved)
        self.assertTrue(self.signing_in.is_in_doubt)
        self.clocks.wait(60)
        self.assertIn("in doubt", refused(self.router.owner.prove, session_token, self.code(), HOME).text)
        self.assertFalse(self.router.owner.session(session_token, True).is_proved)
        session_token = self.router.owner.prove(session_token, self.setup.recovery_codes[0], HOME)
        self.assertTrue(self.router.owner.session(session_token, True).is_proved)

    def test_the_password_alone_opens_nothing(self):
        token = self.signing_in.password(PASSWORD, THIEF)
        self.assertIsNone(self.signing_in.without_code(token, THIEF))

    def test_a_power_cut_leaves_the_forged_floors_or_the_right_ones(self):
        step = totp.step_at(self.clocks.unix_s) + 1
        token = self.begin()
        before = self.router.files.steps
        self.search(token)
        self.assertGreater(self.router.files.steps, before)
        for files in self.router.files.survivors():
            self.router.restart(files)
            self.assertEqual(self.router.store.get(store_keys.AUTHENTICATORS)[0]["last_step"], step)
            self.assertLess(abs(self.router.store.get(store_keys.CLOCK_FLOOR) - self.clocks.unix_s), 60)
            self.assertLess(abs(self.router.store.get(store_keys.CLOCK_PROVEN) - self.clocks.unix_s), 60)


class TestTimeForgedByYears(ForgedTime):
    ahead_s = 10 * 365 * DAY_S

    def test_who_signs_in_meanwhile_takes_the_floor_no_farther_than_a_year(self):
        token = self.signing_in.password(PASSWORD, HOME)
        self.signing_in.recovery_code(token, self.setup.recovery_codes[0], HOME)
        floor = self.router.store.get(store_keys.CLOCK_FLOOR)
        self.assertLess(floor, self.clocks.unix_s + clock.UNPROVEN_FLOOR_S)
        self.assertLess(self.router.store.get(store_keys.CLOCK_PROVEN), self.clocks.unix_s)
        self.router.was_off_for(60)
        self.search(self.begin())
        self.assertLess(abs(self.router.clock.now() - (self.clocks.unix_s + 30)), 16)


class TestAttacksOnForgedTime(ForgedTime):
    def refuse(self, first, second, hint=""):
        """The pair is refused, and moves neither the clock nor what is known to be past."""
        now, earliest = self.router.clock.now(), self.router.clock.earliest()
        error = self.all_of_it(self.begin(first, second, hint, THIEF), THIEF)
        self.assertIn("no two new codes in a row", error.text)
        self.assertEqual((self.router.clock.now(), self.router.clock.earliest()), (now, earliest))
        self.assertEqual(self.router.clock.source, "sntp")

    def test_a_replayed_pair_is_refused_however_the_clock_is_forged_again(self):
        first, second = self.code(), self.code(1)
        self.search(self.begin(first, second))
        self.router.was_off_for(60)
        self.forge(self.ahead_s)
        self.refuse(first, second)

    def test_a_pair_with_one_used_step_is_refused(self):
        self.search(self.begin())
        second, third = self.code(1), self.code(2)
        self.router.was_off_for(60)
        self.forge(self.ahead_s)
        self.refuse(second, third)

    def test_a_pair_out_of_order_and_one_with_a_gap_are_refused(self):
        self.refuse(self.code(1), self.code())
        self.refuse(self.code(), self.code(2))

    def test_a_pair_from_before_what_was_proved_is_refused_whatever_the_hint(self):
        past = self.clocks.unix_s
        first, second = self.code(), self.code(1)
        self.router.clock.set(past + DAY_S, "cloud")
        self.router.clock.keep_floor_if_due()
        self.clocks.wait(DAY_S)
        self.router.was_off_for(60)
        self.forge(self.ahead_s)
        self.refuse(first, second, str(past))

    def test_a_pair_from_before_a_code_of_another_authenticator_is_refused(self):
        first, second = self.code(), self.code(1)
        self.clocks.wait(DAY_S)
        rows = self.router.store.get(store_keys.AUTHENTICATORS)
        tablet = dict(rows[0], id="tablet", secret="B" * 32, last_step=totp.step_at(self.clocks.unix_s))
        self.router.store.put(store_keys.AUTHENTICATORS, rows + [tablet])
        self.refuse(first, second)

    def test_no_hint_wedges_the_clock(self):
        for hint in ("9" * 15, str(self.clocks.unix_s + 30 * 365 * DAY_S), "-1", "now", ""):
            self.refuse("000000", "000001", hint)
            self.clocks.uptime_ms += 100_000
        self.clocks.uptime_ms += 10**6
        self.search(self.begin(visitor=HOME))

    def test_a_lying_hint_does_not_keep_the_owner_out(self):
        self.search(self.begin(hint=str(self.clocks.unix_s + 4 * 365 * DAY_S)))
        self.assertLess(abs(self.router.clock.now() - self.clocks.unix_s), 60)

    def test_failures_are_throttled_as_codes_are(self):
        for _ in range(5):
            self.begin("000000", "000001", visitor=THIEF)
            self.clocks.uptime_ms += 6000
        token = self.signing_in.password(PASSWORD, THIEF)
        error = refused(self.signing_in.two_codes, token, self.code(), self.code(1), "", THIEF)
        self.assertEqual((error.field, error.wait_s), ("code", 24))
        self.assertIsNotNone(refused(self.signing_in.code, token, self.code(), THIEF).wait_s)


class TestTwoBrowsers(LostTime):
    def test_a_step_that_was_used_while_the_search_went_on_stays_used(self):
        self.router.clock.set(self.clocks.unix_s, "sntp")
        theirs = self.begin(visitor=THIEF)
        self.clocks.wait(30)
        self.router.sign_in()  # by the second of the two codes
        used = self.router.store.get(store_keys.AUTHENTICATORS)[0]["last_step"]
        self.assertIn("no two new codes", refused(self.search, theirs, THIEF).text)
        self.assertEqual(self.router.store.get(store_keys.AUTHENTICATORS)[0]["last_step"], used)


class TestCodesThatSomebodySaw(LostTime):
    """Network time is right. A thief knows the password, and saw codes in a row that nobody used."""

    def setUp(self):
        super().setUp()
        self.seen = [self.code(ahead) for ahead in range(3)]
        self.seen_at_s = self.clocks.unix_s
        self.clocks.wait(10 * DAY_S)
        self.router.restart()
        self.router.clock.set(self.clocks.unix_s, "sntp")
        self.theirs = self.search(self.begin(*self.seen[:2], str(self.seen_at_s), visitor=THIEF), THIEF)

    def test_they_set_the_clock_back_and_prove_nothing(self):
        self.assertLess(self.router.clock.now(), self.clocks.unix_s - 9 * DAY_S)
        self.assertFalse(self.router.owner.session(self.theirs, True).is_proved)

    def test_a_third_one_proves_nothing_either_wherever_it_is_given(self):
        self.clocks.wait(30)
        owner = self.router.owner
        refused(owner.prove, self.theirs, self.seen[2], THIEF)
        off = owner.security.switch_off
        self.assertEqual(refused(off, self.theirs, THIEF, PASSWORD, self.seen[2]).field, "code")
        token = self.signing_in.password(PASSWORD, THIEF)
        again = self.signing_in.code(token, self.seen[2], THIEF)
        self.assertFalse(owner.session(again, True).is_proved)
        self.assertTrue(owner.security.is_two_factor)

    def test_the_owner_puts_the_clock_right_without_a_restart_and_they_cannot_again(self):
        token = self.begin(hint=str(self.clocks.unix_s))
        self.search(token)
        self.assertLess(abs(self.router.clock.now() - (self.clocks.unix_s + 30)), 16)
        self.assertFalse(self.router.clock.takes_two_codes)
        self.clocks.wait(60)
        session_token = self.router.sign_in()
        self.assertTrue(self.router.owner.session(session_token, True).is_proved)


if __name__ == "__main__":
    unittest.main()
