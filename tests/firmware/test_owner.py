"""Signing in, a recovery code in its place, and the proof that sensitive actions ask for."""

import unittest

from gatelodge import store_keys
from gatelodge.contract import service_code
from gatelodge.core import base32

from tests.firmware.owner_rig import CODE, HOME, PASSWORD, THIEF, OwnedRouter, refused


class TestSigningIn(OwnedRouter):
    def test_password_then_code_then_in(self):
        session = self.owner.session(self.router.sign_in(), True)
        self.assertEqual((session.client, session.ends_in_s), (HOME.address, 600))
        self.assertEqual(len(session.csrf_token), 32)

    def test_every_session_has_tokens_of_its_own(self):
        first = self.router.sign_in()
        self.clocks.wait(30)
        second = self.router.sign_in()
        self.assertNotEqual(first, second)
        tokens = [self.owner.session(token, True).csrf_token for token in (first, second)]
        self.assertNotEqual(tokens[0], tokens[1])

    def test_signing_out_ends_it(self):
        token = self.router.sign_in()
        self.owner.sign_out(token)
        self.assertIsNone(self.owner.session(token, True))

    def test_no_session_outlives_a_restart(self):
        token = self.router.sign_in()
        self.router.restart()
        self.assertIsNone(self.router.owner.session(token, True))

    def test_a_used_code_is_told_with_the_seconds_to_the_next(self):
        self.router.sign_in()
        self.clocks.wait(18)
        error = refused(self.router.sign_in)
        self.assertEqual(error.text, "That code has been used. Wait for the next one (12 s).")
        self.assertEqual((error.field, error.wait_s), ("code", 12))

    def test_a_wrong_code_is_not_called_used(self):
        self.router.sign_in()
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.assertNotIn("used", refused(self.owner.signing_in.code, token, "000000", HOME).text)

    def test_a_phone_that_is_34_s_ahead_signs_in_and_is_learned(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.owner.signing_in.code(token, self.router.phone(ahead_s=34), HOME)
        self.assertEqual(self.owner.status()["authenticators"][0]["drift_steps"], 1)

    def test_a_code_is_taken_as_people_type_it_and_nonsense_is_not_counted(self):
        token = self.owner.signing_in.password(PASSWORD, HOME)
        for text in ("", "12345", "abcdef", "1" * 1000):
            self.assertIn("six digits", refused(self.owner.signing_in.code, token, text, HOME).text)
        digits = self.router.phone()
        self.owner.signing_in.code(token, digits[:3] + " " + digits[3:], HOME)

    def test_each_of_several_authenticators_signs_in(self):
        rows = self.router.store.get(store_keys.AUTHENTICATORS)
        rows.insert(0, dict(rows[0], id="other", name="Tablet", secret=base32.encode(bytes(20))))
        self.router.store.put(store_keys.AUTHENTICATORS, rows)
        self.router.sign_in()
        used = [row["last_used_at"] == self.clocks.unix_s for row in self.owner.status()["authenticators"]]
        self.assertEqual(used, [False, True])

    def test_the_clocks_floor_rises_with_each_sign_in(self):
        self.clocks.wait(5000)
        self.router.sign_in()
        self.assertEqual(self.router.store.get(store_keys.CLOCK_FLOOR), self.clocks.unix_s)

    def test_status_shows_what_a_page_needs_and_no_secret(self):
        status = self.owner.status()
        self.assertEqual((status["recovery_codes_left"], status["clock_is_set"]), (10, True))
        self.assertEqual(sorted(status["authenticators"][0]), ["drift_steps", "id", "last_used_at", "name"])
        self.assertEqual(self.owner.service_code(), service_code.format_grouped(CODE))


class TestRecovery(OwnedRouter):
    def test_a_recovery_code_signs_in_once(self):
        code = self.setup.recovery_codes[4]
        began = self.owner.signing_in.password(PASSWORD, HOME)
        token = self.owner.signing_in.recovery_code(began, code, HOME)
        self.assertIsNotNone(self.owner.session(token, True))
        self.assertEqual(self.owner.status()["recovery_codes_left"], 9)
        again = self.owner.signing_in.password(PASSWORD, HOME)
        error = refused(self.owner.signing_in.recovery_code, again, code, HOME)
        self.assertEqual(error.field, "recovery_code")

    def test_a_spent_recovery_code_stays_spent_across_a_restart(self):
        code = self.setup.recovery_codes[0]
        self.owner.signing_in.recovery_code(self.owner.signing_in.password(PASSWORD, HOME), code, HOME)
        self.router.restart()
        token = self.router.owner.signing_in.password(PASSWORD, HOME)
        refused(self.router.owner.signing_in.recovery_code, token, code, HOME)
        self.assertEqual(self.router.owner.status()["recovery_codes_left"], 9)

    def test_guessing_recovery_codes_is_throttled_and_typing_errors_are_not(self):
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        for _ in range(20):
            self.assertIsNone(refused(self.owner.signing_in.recovery_code, token, "12345", THIEF).wait_s)
        errors = [refused(self.owner.signing_in.recovery_code, token, "00000-00000", THIEF) for _ in range(6)]
        self.assertEqual(errors[5].wait_s, 10)

    def test_without_the_time_a_code_is_not_judged_and_a_recovery_code_is(self):
        self.clocks.is_set = False
        token = self.owner.signing_in.password(PASSWORD, HOME)
        error = refused(self.owner.signing_in.code, token, self.router.phone(), HOME)
        self.assertEqual((error.field, error.offer), ("code", "recovery"))
        self.assertIn("does not know the time", error.text)
        self.assertIsNotNone(self.owner.signing_in.recovery_code(token, self.setup.recovery_codes[0], HOME))

    def test_an_unset_clock_does_not_move_the_floor(self):
        floor = self.router.store.get(store_keys.CLOCK_FLOOR)
        self.clocks.is_set, self.clocks.unix_s = False, 5
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.owner.signing_in.recovery_code(token, self.setup.recovery_codes[0], HOME)
        self.assertEqual(self.router.store.get(store_keys.CLOCK_FLOOR), floor)


class TestProof(OwnedRouter):
    """Sensitive actions ask for a code, unless one was given in the last five minutes."""

    def setUp(self):
        super().setUp()
        self.token = self.router.sign_in()

    def test_the_code_of_the_sign_in_is_proof_for_five_minutes(self):
        self.owner.require_proof(self.token)
        self.clocks.wait(300)
        error = refused(self.owner.require_proof, self.token)
        self.assertEqual((error.field, error.offer), ("code", "prove"))

    def test_a_fresh_code_is_proof_once_and_a_used_one_is_not(self):
        self.clocks.wait(300)
        digits = self.router.phone()
        token = self.owner.prove(self.token, digits, HOME)
        self.owner.require_proof(token)
        self.clocks.wait(10)
        self.assertIn("has been used", refused(self.owner.prove, token, digits, HOME).text)

    def test_who_proves_again_gets_another_token_and_is_the_same_session(self):
        """OWASP ASVS 5, 7.2.4: the token before does nothing sensitive, and is soon over."""
        self.clocks.wait(300)
        before = self.owner.session(self.token, True)
        token = self.owner.prove(self.token, self.router.phone(), HOME)
        after = self.owner.session(token, True)
        self.assertEqual([after.id, after.csrf_token], [before.id, before.csrf_token])
        self.assertIsNotNone(self.owner.session(self.token, True))
        self.assertEqual(refused(self.owner.require_proof, self.token).offer, "prove")
        self.clocks.wait(30)
        self.assertIsNone(self.owner.session(self.token, True))
        self.assertTrue(self.owner.goes_on(before.id, False))

    def test_a_recovery_code_is_proof_and_is_spent_by_it(self):
        self.clocks.wait(300)
        code = self.setup.recovery_codes[0]
        token = self.owner.prove(self.token, code, HOME)
        self.owner.require_proof(token)
        self.assertEqual(self.owner.status()["recovery_codes_left"], 9)
        self.assertIsNotNone(refused(self.owner.prove, token, code, HOME))

    def test_guessing_a_proof_is_throttled_like_guessing_a_code(self):
        self.clocks.wait(300)
        for _ in range(5):
            refused(self.owner.prove, self.token, "000000", HOME)
        self.assertIsNotNone(refused(self.owner.prove, self.token, self.router.phone(), HOME).wait_s)
        self.assertIsNotNone(refused(self.owner.require_proof, self.token))

    def test_no_session_has_no_proof(self):
        self.assertIsNotNone(refused(self.owner.require_proof, "0" * 64))


if __name__ == "__main__":
    unittest.main()
