import unittest

from gatelodge.contract.errors import OurError
from gatelodge.core import presence, recovery, throttle
from gatelodge.core.presence import Presence
from gatelodge.core.throttle import CLOSED_FROM, CONSOLE, Throttle

A_DAY = 86400
A_YEAR = 365 * A_DAY
CODE_ODDS = 3e-6  # three codes of a million are right at any moment (the tolerance)
HOME = [f"10.0.0.{number}" for number in range(2, 255)]
STRANGERS = [f"10.{number}.0.1" for number in range(40)]


def odds(guesses):
    return 1 - (1 - CODE_ODDS) ** guesses


def fail(limits, times, factor="password", client="10.0.0.9", now_s=0):
    for _ in range(times):
        limits.failed(factor, client, now_s)


def guesses_judged(limits, seconds, addresses, factor="code"):
    """How many guesses one who has all these addresses gets judged, trying whenever any of them may."""
    now_s = tried = 0
    while now_s < seconds:
        addresses = [address for address in addresses if not limits.is_closed(factor, address)]
        if not addresses:
            break
        wait_s, address = min([(limits.wait_s(factor, address, now_s), address) for address in addresses])
        if wait_s:
            now_s += wait_s
        else:
            limits.failed(factor, address, now_s)
            tried += 1
    return tried


def guesses_by_grant(limits, held, addresses, now_s):
    """How many codes are judged of one grant of presence, by one who has all these addresses."""
    taken = [address for address in addresses if held.take_try("code", address, now_s)]
    for address in taken:
        limits.failed("code", address, now_s)
    return len(taken)


class TestNextAttempt(unittest.TestCase):
    def test_nothing_failed_nothing_waits(self):
        self.assertEqual(throttle.next_attempt(None, throttle.CLIENT_WAITS, 0), 0)

    def test_the_wait_runs_down_to_zero(self):
        waits = [throttle.next_attempt([5, 100], ((5, 10),), now_s) for now_s in (100, 101, 109, 110, 9999)]
        self.assertEqual(waits, [10, 9, 1, 0, 0])

    def test_a_part_of_a_second_is_waited_in_full(self):
        self.assertEqual(throttle.next_attempt([5, 100], ((5, 10),), 109.5), 1)

    def test_every_table_rises_in_both_columns(self):
        tables = [
            throttle.CLIENT_WAITS,
            throttle.ACCOUNT_WAITS,
            throttle.CODE_CLIENT_WAITS,
            throttle.CODE_ACCOUNT_WAITS,
        ]
        for table in tables:
            for column in (0, 1):
                values = [row[column] for row in table]
                self.assertEqual(values, sorted(set(values)))


class TestThrottle(unittest.TestCase):
    def test_the_first_tries_are_free(self):
        limits = Throttle(None, 0)
        fail(limits, 4)
        self.assertEqual(limits.wait_s("password", "10.0.0.9", 0), 0)
        fail(limits, 1)
        self.assertEqual(limits.wait_s("password", "10.0.0.9", 0), 10)

    def test_factors_have_budgets_of_their_own(self):
        limits = Throttle(None, 0)
        fail(limits, 50, "password")
        self.assertGreater(limits.wait_s("password", "10.0.0.9", 0), 0)
        for factor in ("code", "recovery_code", "service_code"):
            self.assertEqual(limits.wait_s(factor, "10.0.0.9", 0), 0)

    def test_many_clients_share_the_budget_of_the_account(self):
        limits = Throttle(None, 0)
        for number in range(10):
            limits.failed("password", f"10.0.0.{number}", 0)
        self.assertEqual(limits.wait_s("password", "10.0.0.200", 0), 60)

    def test_strangers_cannot_put_off_the_first_set_up(self):
        limits = Throttle(None, 0)
        fail(limits, 200, "service_code", "10.9.0.9")
        self.assertEqual(limits.wait_s("service_code", "10.0.0.2", 0), 0)
        self.assertGreater(limits.wait_s("service_code", "10.9.0.9", 0), 0)
        self.assertFalse(limits.is_closed("service_code", "10.9.0.9"))

    def test_strangers_cannot_keep_a_known_client_out(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        for number in range(1000):
            limits.failed("code", f"10.1.{number // 250}.{number % 250}", 0)
        self.assertEqual(limits.wait_s("code", "10.0.0.2", 0), 0)
        self.assertFalse(limits.is_closed("code", "10.0.0.2"))
        self.assertTrue(limits.is_closed("code", "10.0.0.3"))

    def test_a_known_client_is_still_limited(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        fail(limits, 15, "code", "10.0.0.2")
        self.assertEqual(limits.wait_s("code", "10.0.0.2", 0), 3600)
        self.assertEqual(limits.wait_s("code", "10.0.0.3", 0), 0)

    def test_success_clears_only_what_the_attempt_was_judged_by(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        fail(limits, 10)
        limits.succeeded("password", "10.0.0.2")
        self.assertEqual(limits.wait_s("password", "10.0.0.9", 0), 60)
        limits.succeeded("password", "10.0.0.9")
        self.assertEqual(limits.wait_s("password", "10.0.0.9", 0), 0)
        self.assertEqual(limits.saved()["account"], {})

    def test_a_restart_forgives_nothing_and_begins_the_wait_again(self):
        before = Throttle(None, 0)
        fail(before, 10, now_s=5000)
        after = Throttle(before.saved(), 0)
        self.assertEqual(after.saved(), before.saved())
        self.assertEqual([after.wait_s("password", "10.0.0.9", now_s) for now_s in (0, 59, 60)], [60, 1, 0])

    def test_restarts_in_a_row_never_open_a_way_and_never_wedge(self):
        limits = Throttle(None, 0)
        fail(limits, 10)
        for _ in range(20):
            limits = Throttle(limits.saved(), 0)
            self.assertEqual(limits.wait_s("password", "10.0.0.9", 30), 30)
        self.assertEqual(limits.wait_s("password", "10.0.0.9", 60), 0)

    def test_the_table_of_clients_is_bounded_and_keeps_the_known_ones(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        for number in range(100):
            limits.failed("password", f"10.1.0.{number}", 0)
        rows = limits.saved()["clients"]
        self.assertEqual(len(rows), throttle.MOST_CLIENTS)
        self.assertEqual(rows[0], ["10.0.0.2", True, {}])
        self.assertEqual(rows[-1][0], "10.1.0.99")

    def test_the_least_recently_known_client_becomes_a_stranger(self):
        limits = Throttle(None, 0)
        for number in range(throttle.MOST_KNOWN + 1):
            limits.know(f"10.0.0.{number}")
        known = [row[0] for row in limits.saved()["clients"] if row[1]]
        self.assertEqual(known, [f"10.0.0.{number}" for number in range(1, throttle.MOST_KNOWN + 1)])

    def test_a_hundred_failures_of_strangers_close_that_factor_for_strangers(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        for number in range(CLOSED_FROM):
            self.assertFalse(limits.is_closed("code", "10.9.0.9"))
            limits.failed("code", f"10.1.0.{number}", 0)
        self.assertTrue(limits.is_closed("code", "10.9.0.9"))
        for factor, client in (("password", "10.9.0.9"), ("code", "10.0.0.2"), ("code", CONSOLE)):
            self.assertFalse(limits.is_closed(factor, client))

    def test_a_hundred_failures_of_a_known_client_close_it_alone(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        fail(limits, CLOSED_FROM, "password", "10.0.0.2")
        self.assertTrue(limits.is_closed("password", "10.0.0.2"))
        self.assertFalse(limits.is_closed("password", "10.0.0.3"))

    def test_a_closed_budget_stays_closed_over_restarts_until_a_success(self):
        limits = Throttle(None, 0)
        fail(limits, CLOSED_FROM)
        limits = Throttle(limits.saved(), 0)
        self.assertTrue(limits.is_closed("password", "10.0.0.9"))
        limits.succeeded("password", "10.0.0.9")  # by presence
        self.assertFalse(limits.is_closed("password", "10.0.0.9"))
        self.assertEqual(limits.wait_s("password", "10.0.0.3", 0), 0)

    def test_the_serial_console_is_never_closed_but_waits_by_its_own_record(self):
        limits = Throttle(None, 0)
        fail(limits, 1000, "password", "10.0.0.9")
        self.assertEqual(limits.wait_s("password", CONSOLE, 0), 0)
        fail(limits, 1000, "password", CONSOLE)
        self.assertFalse(limits.is_closed("password", CONSOLE))
        self.assertEqual(limits.wait_s("password", CONSOLE, 0), 900)

    def test_strangers_cannot_push_the_serial_consoles_record_out(self):
        limits = Throttle(None, 0)
        fail(limits, 20, "password", CONSOLE)
        for number in range(200):
            limits.failed("password", f"10.1.0.{number}", 0)
        self.assertEqual(limits.wait_s("password", CONSOLE, 0), 900)

    def test_an_unknown_factor_is_our_own_fault(self):
        with self.assertRaises(OurError):
            Throttle(None, 0).wait_s("pasword", "10.0.0.9", 0)

    def test_an_unknown_factor_in_the_store_is_left_behind(self):
        saved = {"account": {"smell": 3, "code": 1}, "clients": [["10.0.0.9", False, {"smell": 2}]]}
        self.assertEqual(Throttle(saved, 0).saved()["account"], {"code": 1})


class TestOdds(unittest.TestCase):
    """What one who already has the password gains by guessing codes, whenever a try is judged."""

    def test_years_of_guessing_from_any_number_of_addresses(self):
        for factor in ("recovery_code", "password", "code"):
            guesses = guesses_judged(Throttle(None, 0), 10 * A_YEAR, STRANGERS, factor)
            self.assertEqual(guesses, CLOSED_FROM)
        self.assertLess(odds(guesses), 0.0003)

    def test_a_grant_of_presence_with_every_address_of_a_home_taken(self):
        limits, held = Throttle(None, 0), Presence()
        guesses_judged(limits, A_YEAR, STRANGERS)
        held.grant(presence.BUTTON, 0)
        guesses = sum([guesses_by_grant(limits, held, HOME, now_s) for now_s in range(0, 300, 10)])
        self.assertEqual(guesses, len(HOME))
        self.assertLess(odds(guesses), 0.0008)

    def test_whoever_holds_the_cable_gets_a_try_a_minute(self):
        limits, held, guesses = Throttle(None, 0), Presence(), 0
        for now_s in range(3600):
            held.grant(presence.CONSOLE, now_s)
            guesses += guesses_by_grant(limits, held, ["10.0.0.9"], now_s)
        self.assertEqual(guesses, 60)

    def test_a_recovery_code_is_beyond_guessing(self):
        guesses = CLOSED_FROM * (1 + throttle.MOST_KNOWN)
        self.assertLess(guesses * recovery.COUNT / 2 ** (5 * recovery.LENGTH), 1e-11)

    def test_a_day_of_guessing_from_any_number_of_addresses(self):
        guesses = guesses_judged(Throttle(None, 0), A_DAY, STRANGERS)
        self.assertLess(guesses, 70)
        self.assertGreater(guesses, 20)  # else the tables keep out the owner, too

    def test_a_year_of_guessing_with_every_known_address_taken(self):
        limits = Throttle(None, 0)
        known = [f"10.0.0.{number}" for number in range(throttle.MOST_KNOWN)]
        for address in known:
            limits.know(address)
        guesses = guesses_judged(limits, A_YEAR, known + ["10.9.0.1", "10.9.0.2"])
        self.assertLessEqual(guesses, CLOSED_FROM * (1 + throttle.MOST_KNOWN))
        self.assertLess(odds(guesses), 0.0027)

    def test_pulling_the_plug_after_every_try_gains_nothing(self):
        limits, spent_s, guesses = Throttle(None, 0), 0, 0
        while spent_s < A_DAY:
            wait_s = limits.wait_s("code", "10.0.0.9", 0)
            spent_s += wait_s + 3  # three seconds to start again
            limits = Throttle(limits.saved(), 0)
            limits.failed("code", "10.0.0.9", 0)
            limits = Throttle(limits.saved(), 0)
            guesses += 1
        self.assertLess(guesses, 70)


if __name__ == "__main__":
    unittest.main()
