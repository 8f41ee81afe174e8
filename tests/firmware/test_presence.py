import unittest

from gatelodge.contract.errors import OurError
from gatelodge.core import presence
from gatelodge.core.presence import BUTTON, CONSOLE, Presence


class TestPresence(unittest.TestCase):
    def setUp(self):
        self.presence = Presence()

    def test_nobody_is_there_at_first(self):
        self.assertEqual(self.presence.left_s(0), 0)
        self.assertFalse(self.presence.take_try("code", "10.0.0.2", 0))
        self.assertFalse(self.presence.spend(0))

    def test_a_grant_lasts_five_minutes(self):
        for source in (BUTTON, CONSOLE):
            held = Presence()
            self.assertTrue(held.grant(source, 100))
            self.assertEqual([held.left_s(now_s) for now_s in (100, 399, 400, 9999)], [300, 1, 0, 0])
            self.assertFalse(held.take_try("code", "10.0.0.2", 400))

    def test_each_client_has_one_try_of_each_factor(self):
        self.presence.grant(BUTTON, 0)
        for client in ("10.0.0.2", "10.0.0.3"):
            for factor in ("password", "code"):
                tries = [self.presence.take_try(factor, client, 1) for _ in range(3)]
                self.assertEqual(tries, [True, False, False])

    def test_whoever_takes_every_other_address_leaves_the_owner_a_try(self):
        self.presence.grant(BUTTON, 0)
        taken = sum([self.presence.take_try("code", f"10.0.0.{number}", 1) for number in range(3, 255)])
        self.assertEqual(taken, 252)
        self.assertTrue(self.presence.take_try("code", "10.0.0.2", 1))

    def test_the_tries_of_a_grant_are_bounded(self):
        self.presence.grant(BUTTON, 0)
        taken = sum([self.presence.take_try("code", str(number), 1) for number in range(1000)])
        self.assertEqual(taken, presence.MOST_CLIENTS)

    def test_one_use_spends_the_grant_and_every_try_of_it(self):
        self.presence.grant(BUTTON, 0)
        self.assertEqual([self.presence.spend(1), self.presence.spend(1)], [True, False])
        self.assertFalse(self.presence.take_try("code", "10.0.0.2", 1))

    def test_a_new_grant_gives_new_tries_but_not_within_a_minute(self):
        self.presence.grant(BUTTON, 0)
        self.presence.take_try("code", "10.0.0.2", 1)
        self.assertFalse(self.presence.grant(CONSOLE, 59))
        self.assertFalse(self.presence.take_try("code", "10.0.0.2", 59))
        self.assertTrue(self.presence.grant(CONSOLE, 60))
        self.assertTrue(self.presence.take_try("code", "10.0.0.2", 60))
        self.assertEqual(self.presence.left_s(60), 300)

    def test_a_spent_grant_does_not_shorten_the_minute(self):
        self.presence.grant(BUTTON, 0)
        self.presence.spend(1)
        self.assertEqual(self.presence.rest_s(1), 59)
        self.assertFalse(self.presence.grant(BUTTON, 30))

    def test_nothing_else_grants_presence(self):
        with self.assertRaises(OurError):
            self.presence.grant("cloud", 0)


if __name__ == "__main__":
    unittest.main()
