"""Whoever has the password, a code that was seen, a cookie or the power cord gets no further."""

import unittest

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, OwnedRouter, refused, visitor


class TestAttacks(OwnedRouter):
    def test_a_code_replayed_after_a_restart_is_refused(self):
        digits = self.router.phone()
        self.router.sign_in()
        self.router.restart()
        token = self.router.owner.signing_in.password(PASSWORD, THIEF)
        self.assertIn("has been used", refused(self.router.owner.signing_in.code, token, digits, THIEF).text)

    def test_one_code_serves_only_one_of_two_sign_ins_under_way(self):
        ours = self.owner.signing_in.password(PASSWORD, HOME)
        theirs = self.owner.signing_in.password(PASSWORD, THIEF)
        digits = self.router.phone()
        self.owner.signing_in.code(ours, digits, HOME)
        self.assertIn("has been used", refused(self.owner.signing_in.code, theirs, digits, THIEF).text)

    def test_a_code_older_than_the_last_used_is_refused(self):
        older = self.router.phone()
        self.clocks.wait(30)
        self.router.sign_in()
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        refused(self.owner.signing_in.code, token, older, THIEF)

    def test_a_signin_token_of_another_client_is_answered_like_none(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        stolen = refused(self.owner.signing_in.code, token, self.router.phone(), THIEF)
        invented = refused(self.owner.signing_in.code, "0" * 64, self.router.phone(), THIEF)
        self.assertEqual((stolen.text, stolen.offer), (invented.text, "start"))
        refused(self.owner.signing_in.recovery_code, token, self.setup.recovery_codes[0], THIEF)
        self.owner.signing_in.code(token, self.router.phone(), HOME)

    def test_a_signin_token_serves_once(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.owner.signing_in.code(token, self.router.phone(), HOME)
        self.clocks.wait(30)
        again = refused(self.owner.signing_in.code, token, self.router.phone(), HOME)
        by_recovery = refused(self.owner.signing_in.recovery_code, token, self.setup.recovery_codes[0], HOME)
        self.assertEqual((again.offer, by_recovery.offer), ("start", "start"))

    def test_a_signin_token_serves_for_five_minutes(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.clocks.wait(299)
        self.owner.signing_in.check_token(token, HOME)
        self.clocks.wait(1)
        self.assertEqual(refused(self.owner.signing_in.code, token, self.router.phone(), HOME).offer, "start")

    def test_a_session_token_is_no_signin_token_and_the_other_way_round(self):
        signin_token = self.owner.signing_in.password(PASSWORD, HOME)
        self.assertIsNone(self.owner.session(signin_token, True))
        session_token = self.owner.signing_in.code(signin_token, self.router.phone(), HOME)
        self.assertEqual(refused(self.owner.signing_in.check_token, session_token, HOME).offer, "start")

    def test_wrong_passwords_are_slowed_even_across_a_restart(self):
        for _ in range(5):
            refused(self.owner.signing_in.password, "not the password", THIEF)
        self.assertEqual(refused(self.owner.signing_in.password, PASSWORD, THIEF).wait_s, 10)
        self.router.restart()
        error = refused(self.router.owner.signing_in.password, PASSWORD, THIEF)
        self.assertEqual((error.wait_s, error.text), (10, "Too many wrong tries. Wait 10 s, then try again."))

    def test_a_jump_of_the_wall_clock_neither_unlocks_nor_wedges(self):
        for _ in range(5):
            refused(self.owner.signing_in.password, "not the password", THIEF)
        for jump in (10 * 365 * 86400, -20 * 365 * 86400):
            self.clocks.unix_s += jump
            self.assertEqual(refused(self.owner.signing_in.password, PASSWORD, THIEF).wait_s, 10)
        self.clocks.uptime_ms += 10000
        self.owner.signing_in.password(PASSWORD, THIEF)

    def test_a_jump_of_the_wall_clock_does_not_end_a_session(self):
        token = self.router.sign_in()
        self.clocks.unix_s += 10 * 365 * 86400
        self.assertIsNotNone(self.owner.session(token, False))

    def test_strangers_who_guess_do_not_keep_the_owners_browser_out(self):
        for number in range(60):
            client = visitor(100 + number)
            refused(self.owner.signing_in.password, "not the password", client)
        self.assertEqual(refused(self.owner.signing_in.password, PASSWORD, LAPTOP).wait_s, 60)
        self.assertIsNotNone(self.owner.session(self.router.sign_in(HOME), True))

    def test_a_thief_with_the_password_pushes_no_sign_in_of_the_owners_out(self):
        signing_in = self.owner.signing_in
        at_home = signing_in.password(PASSWORD, HOME)
        for number in range(50):
            signing_in.password(PASSWORD, visitor(100 + number))
            self.clocks.wait(1)
        signing_in.check_token(at_home, HOME)
        elsewhere = signing_in.password(PASSWORD, LAPTOP)  # from where nobody has signed in yet
        for _ in range(50):
            signing_in.password(PASSWORD, THIEF)
            self.clocks.wait(1)
        session_token = signing_in.code(elsewhere, self.router.phone(), LAPTOP)
        self.assertIsNotNone(self.owner.session(session_token, True))

    def test_a_thief_with_the_password_gets_few_codes_judged_and_no_more_by_restarts(self):
        judged = 0
        for attempt in range(40):
            token = self.router.owner.signing_in.password(PASSWORD, THIEF)
            error = refused(self.router.owner.signing_in.code, token, "000000", THIEF)
            judged += error.wait_s is None
            if attempt % 7 == 6:
                self.router.restart()
        self.assertEqual(judged, 5)

    def test_a_power_cut_before_the_code_is_on_the_flash_gives_no_session(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.router.files.crash_at = self.router.files.steps + 1
        with self.assertRaises(PowerLost):
            self.owner.signing_in.code(token, self.router.phone(), HOME)
        self.assertEqual(len(self.owner._keeper.sessions), 1)  # the one of the set-up

    def test_once_a_session_is_given_the_code_is_used_whatever_the_flash_keeps(self):
        digits = self.router.phone()
        self.router.sign_in()
        survivors = list(self.router.files.survivors())
        for files in survivors:
            self.router.restart(files)
            token = self.router.owner.signing_in.password(PASSWORD, HOME)
            error = refused(self.router.owner.signing_in.code, token, digits, HOME)
            self.assertIn("has been used", error.text)
        self.assertGreater(len(survivors), 0)

    def test_no_answer_and_no_error_holds_a_secret(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        digits = self.router.phone()
        self.owner.signing_in.code(token, digits, HOME)
        again = self.owner.signing_in.password(PASSWORD, HOME)
        for error in (
            refused(self.owner.signing_in.code, again, digits, HOME),
            refused(self.owner.signing_in.password, PASSWORD + "x", HOME),
            refused(self.owner.signing_in.recovery_code, again, "00000-00000", HOME),
        ):
            for secret in (PASSWORD, digits, again, "00000"):
                self.assertNotIn(secret, str(error))


if __name__ == "__main__":
    unittest.main()
