import unittest

from gatelodge.contract.errors import OurError
from gatelodge.core import throttle
from gatelodge.core.throttle import Throttle

A_DAY = 86400
CODE_ODDS = 3e-6  # three codes of a million are right at any moment (the tolerance)


def fail(limits, times, factor="password", client="10.0.0.9", now_s=0):
    for _ in range(times):
        limits.failed(factor, client, now_s)


def guesses_judged(limits, seconds, addresses):
    """How many codes one who has all these addresses gets judged, trying whenever any of them may."""
    now_s = tried = 0
    while now_s < seconds:
        waits = [(limits.wait_s("code", address, now_s), address) for address in addresses]
        wait_s, address = min(waits)
        if wait_s:
            now_s += wait_s
        else:
            limits.failed("code", address, now_s)
            tried += 1
    return tried


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

    def test_strangers_cannot_keep_a_known_client_out(self):
        limits = Throttle(None, 0)
        limits.know("10.0.0.2")
        for number in range(1000):
            limits.failed("code", f"10.1.{number // 250}.{number % 250}", 0)
        self.assertEqual(limits.wait_s("code", "10.0.0.2", 0), 0)
        self.assertEqual(limits.wait_s("code", "10.0.0.3", 0), A_DAY)

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

    def test_an_unknown_factor_is_our_own_fault(self):
        with self.assertRaises(OurError):
            Throttle(None, 0).wait_s("pasword", "10.0.0.9", 0)

    def test_an_unknown_factor_in_the_store_is_left_behind(self):
        saved = {"account": {"smell": 3, "code": 1}, "clients": [["10.0.0.9", False, {"smell": 2}]]}
        self.assertEqual(Throttle(saved, 0).saved()["account"], {"code": 1})


class TestOdds(unittest.TestCase):
    """What one who already has the password gains by guessing codes, whenever a try is judged."""

    def test_a_year_of_guessing_from_any_number_of_addresses(self):
        strangers = [f"10.{number}.0.1" for number in range(40)]
        guesses = guesses_judged(Throttle(None, 0), 365 * A_DAY, strangers)
        odds = 1 - (1 - CODE_ODDS) ** guesses
        self.assertLess(guesses, 470)
        self.assertLess(odds, 0.0014)

    def test_a_day_of_guessing_from_any_number_of_addresses(self):
        strangers = [f"10.{number}.0.1" for number in range(40)]
        guesses = guesses_judged(Throttle(None, 0), A_DAY, strangers)
        self.assertLess(guesses, 70)
        self.assertGreater(guesses, 20)  # else the tables keep out the owner, too

    def test_a_year_of_guessing_with_every_known_address_taken(self):
        limits = Throttle(None, 0)
        known = [f"10.0.0.{number}" for number in range(throttle.MOST_KNOWN)]
        for address in known:
            limits.know(address)
        guesses = guesses_judged(limits, 365 * A_DAY, known + ["10.9.0.1", "10.9.0.2"])
        self.assertLess(1 - (1 - CODE_ODDS) ** guesses, 0.014)

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
