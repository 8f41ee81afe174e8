"""A phone whose clock is off is explained, and a password's hash follows what the router can do."""

import unittest
from collections import namedtuple

from gatelodge import compat, log, store_keys
from gatelodge.core import password as passwords
from gatelodge.web.pages.security_cards import Cards

from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, OwnedRouter, Router, refused


class TestPhoneThatIsOff(OwnedRouter):
    def setUp(self):
        super().setUp()
        self.clocks.wait(600)  # so that a phone that is behind shows codes that were never used
        self.token = self.owner.signing_in.password(PASSWORD, HOME)

    def told(self, ahead_s, client=HOME):
        token = self.token if client is HOME else self.owner.signing_in.password(PASSWORD, client)
        return refused(self.owner.signing_in.code, token, self.router.phone(ahead_s), client).text

    def test_the_second_code_that_is_as_far_off_is_explained_and_refused(self):
        for ahead_s, words in ((150, "3 minutes ahead"), (-210, "4 minutes behind")):
            self.assertIn("not the code shown now", self.told(ahead_s))
            self.clocks.wait(30)
            text = self.told(ahead_s)
            self.assertIn(words, text)
            self.assertIn("automatic time", text)
            self.clocks.wait(3600)
            self.token = self.owner.signing_in.password(PASSWORD, HOME)

    def test_one_code_tells_nothing_however_often_it_is_typed(self):
        digits = self.router.phone(ahead_s=150)
        for _ in range(3):
            text = refused(self.owner.signing_in.code, self.token, digits, HOME).text
            self.assertIn("not the code shown now", text)
            self.clocks.wait(10)

    def test_two_codes_that_are_not_equally_far_off_tell_nothing(self):
        self.told(270)
        self.assertIn("not the code shown now", self.told(90))

    def test_codes_of_two_clients_tell_nothing(self):
        self.told(150, LAPTOP)
        self.clocks.wait(30)
        self.assertIn("not the code shown now", self.told(150))

    def test_an_explained_code_was_counted_as_any_other(self):
        for _ in range(5):
            self.told(150)
            self.clocks.wait(30 if _ < 4 else 0)
        error = refused(self.owner.signing_in.code, self.token, self.router.phone(), HOME)
        self.assertEqual(error.wait_s, 30)

    def test_nothing_is_told_of_a_clock_that_is_farther_off(self):
        self.told(330)
        self.clocks.wait(30)
        self.assertIn("not the code shown now", self.told(330))


class TestCostOfThePassword(OwnedRouter):
    def kept(self):
        return self.router.store.get(store_keys.OWNER)

    def sign_in_at(self, iterations):
        """With a router that can do that many; one iteration is what the rig's passwords cost."""
        self.owner._keeper._iterations = iterations
        self.owner.signing_in.password(PASSWORD, HOME)

    def test_it_rises_at_a_sign_in_and_the_password_stays_the_same(self):
        before = self.kept()
        self.clocks.wait(86400)
        self.sign_in_at(50)
        after = self.kept()
        self.assertEqual((after["iterations"], after["created_at"]), (50, before["created_at"]))
        self.assertNotEqual(after["salt"], before["salt"])
        self.assertTrue(passwords.verify(after, PASSWORD))

    def test_a_wrong_password_changes_nothing(self):
        before = self.kept()
        self.owner._keeper._iterations = 50
        refused(self.owner.signing_in.password, "not the password", HOME)
        self.assertEqual(self.kept(), before)

    def test_it_never_falls_and_a_little_more_is_not_worth_it(self):
        self.sign_in_at(50)
        for iterations in (1, 49, 60):
            self.sign_in_at(iterations)
            self.assertEqual(self.kept()["iterations"], 50)
        self.sign_in_at(61)
        self.assertEqual(self.kept()["iterations"], 61)

    def test_a_new_password_costs_no_less_than_the_old_one(self):
        self.sign_in_at(50)
        self.owner._keeper._iterations = 2
        self.assertEqual(self.owner._keeper.owner_record("another lantern")["iterations"], 50)

    def test_it_is_measured_once_between_two_starts(self):
        keeper, measured = self.owner._keeper, []
        keeper._iterations = None
        keeper._cost_ms = lambda iterations: measured.append(iterations) or 400
        for _ in range(3):
            self.owner.signing_in.password(PASSWORD, HOME)
        self.assertEqual(measured, [1000])

    def test_where_no_library_hashes_the_log_and_the_page_say_so(self):
        keeper, native = self.owner._keeper, compat.PBKDF2_IS_NATIVE
        keeper._iterations, keeper._cost_ms = None, lambda iterations: 400
        Site = namedtuple("Site", ("owner", "clock"))
        cards = Cards(Site(self.owner, self.clocks))
        self.assertNotIn("no fast library", cards._password(None))
        try:
            compat.PBKDF2_IS_NATIVE = False
            self.owner.signing_in.password(PASSWORD, HOME)
            self.assertIn("plain Python does, 10000 times", "".join(log.lines()[-2:]))
            self.assertIn("no fast library", cards._password(None))
        finally:
            compat.PBKDF2_IS_NATIVE = native

    def test_a_wrong_password_costs_as_many_derivations_as_the_right_one(self):
        counted = []
        native = compat.pbkdf2_sha256
        compat.pbkdf2_sha256 = lambda *arguments: counted.append(arguments[2:]) or native(*arguments)
        try:
            self.owner.signing_in.password(PASSWORD, HOME)
            for text in ("", "wrong", "x" * 5000, "\n"):
                refused(self.owner.signing_in.password, text, LAPTOP)
        finally:
            compat.pbkdf2_sha256 = native
        self.assertEqual(counted, [counted[0]] * 5)

    def test_iterations_are_measured_when_none_are_given(self):
        router = Router()
        router.owner._keeper._iterations = None
        real = passwords.calibrated_iterations
        passwords.calibrated_iterations = lambda cost_ms: 4321
        try:
            router.set_up()
        finally:
            passwords.calibrated_iterations = real
        self.assertEqual(router.store.get(store_keys.OWNER)["iterations"], 4321)


if __name__ == "__main__":
    unittest.main()
