import unittest

from gatelodge import compat, refusals, store_keys
from gatelodge.contract import service_code
from gatelodge.core import base32, totp
from gatelodge.owner import keeper
from gatelodge.store import Store

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import (
    CODE,
    HOME,
    LAPTOP,
    OTHER_CODE,
    PASSWORD,
    THIEF,
    Router,
    refused,
    visitor,
)


class OwnedRouter(unittest.TestCase):
    def setUp(self):
        self.router = Router()
        self.setup = self.router.set_up()
        self.owner = self.router.owner
        self.clocks = self.router.clocks


class TestSetup(unittest.TestCase):
    def setUp(self):
        self.router = Router()
        self.owner = self.router.owner
        self.clocks = self.router.clocks

    def test_the_wizard_ends_with_an_owner_a_session_and_ten_codes(self):
        self.assertFalse(self.owner.is_set_up)
        done = self.router.set_up()
        self.assertTrue(self.owner.is_set_up)
        self.assertEqual(len(set(done.recovery_codes)), 10)
        self.assertEqual(self.owner.session(done.session_token, True).client, HOME.address)

    def test_all_of_it_is_there_after_a_restart(self):
        self.router.set_up()
        self.router.restart()
        self.assertTrue(self.router.owner.is_set_up)
        self.router.sign_in()

    def test_nothing_secret_is_kept_readable(self):
        done = self.router.set_up()
        kept = str(
            [
                self.router.store.get(key)
                for key in (store_keys.OWNER, store_keys.RECOVERY, store_keys.THROTTLE)
            ]
        )
        for secret in [PASSWORD, done.session_token] + [
            code.replace("-", "") for code in done.recovery_codes
        ]:
            self.assertNotIn(secret, kept)

    def test_the_code_of_the_enrolment_counts_as_used(self):
        token, secret = self.router.begin_setup()
        self.owner.setup.finish(token, PASSWORD, secret, self.router.phone(), "", HOME)
        error = refused(self.router.sign_in)
        self.assertIn("has been used", error.text)

    def test_the_service_code_of_another_router_is_refused_and_counted(self):
        errors = [refused(self.owner.setup.check_service_code, OTHER_CODE, HOME) for _ in range(6)]
        self.assertIn("not the service code of this router", errors[4].text)
        self.assertEqual((errors[5].field, errors[5].wait_s), ("service_code", 10))
        self.assertEqual(refused(self.owner.setup.check_service_code, CODE, HOME).wait_s, 10)

    def test_a_typing_error_is_told_and_not_counted(self):
        for _ in range(50):
            self.assertIn("wrong", refused(self.owner.setup.check_service_code, CODE[:-1] + "0", HOME).text)
        self.owner.setup.check_service_code(CODE, HOME)

    def test_set_up_without_the_service_code_is_refused(self):
        for token in ("", "0" * 64):
            self.assertEqual(refused(self.owner.setup.begin_authenticator, token).offer, "start")
            self.assertEqual(
                refused(self.owner.setup.finish, token, PASSWORD, "", "000000", "", THIEF).offer, "start"
            )

    def test_a_setup_token_ends_after_fifteen_minutes(self):
        token, _ = self.router.begin_setup()
        self.clocks.wait(899)
        self.owner.setup.check_token(token)
        self.clocks.wait(1)
        self.assertEqual(refused(self.owner.setup.check_token, token).offer, "start")

    def test_a_reload_shows_the_same_secret_and_its_uri(self):
        token, secret = self.router.begin_setup()
        again = self.owner.setup.begin_authenticator(token)
        self.assertEqual(again.secret, secret)
        plain = secret.replace(" ", "")
        self.assertEqual(
            again.uri, "otpauth://totp/Gatelodge:GL-000123?secret=" + plain + "&issuer=Gatelodge"
        )

    def test_a_secret_that_the_router_did_not_make_is_refused(self):
        token, _ = self.router.begin_setup()
        foreign = base32.encode(b"12345678901234567890")
        digits = totp.hotp(b"12345678901234567890", totp.step_at(self.clocks.unix_s))
        self.assertEqual(
            refused(self.owner.setup.finish, token, PASSWORD, foreign, digits, "", HOME).offer, "start"
        )

    def test_a_refusal_keeps_nothing_and_can_be_put_right(self):
        token, secret = self.router.begin_setup()
        wrong = refused(self.owner.setup.finish, token, PASSWORD, secret, "000000", "", HOME)
        weak = refused(self.owner.setup.finish, token, "password1", secret, self.router.phone(), "", HOME)
        self.assertEqual((wrong.field, weak.field), ("code", "password"))
        self.assertIsNone(self.router.store.get(store_keys.AUTHENTICATORS))
        self.owner.setup.finish(token, PASSWORD, secret, self.router.phone(), "", HOME)

    def test_what_is_printed_on_the_label_is_no_password(self):
        for text in (CODE, service_code.format_grouped(CODE).lower(), "GL-000123", "my " + CODE + "!"):
            self.assertIn("label", refused(self.owner.check_new_password, text).text)
            self.assertEqual(self.owner.password_strength(text), 0)

    def test_a_refused_password_is_told_why(self):
        for text, words in (("short", "at least 8"), ("k7#" * 43, "at most 128"), ("password1", "first")):
            self.assertIn(words, refused(self.owner.check_new_password, text).text)

    def test_every_refusal_names_a_field_of_the_pages_and_is_a_sentence(self):
        fields = ("form", "service_code", "password", "code", "next_code", "recovery_code", "backup", "again")
        fields += ("bundle",)
        for name in refusals.REFUSALS:
            field, offer, text = refusals.REFUSALS[name]
            self.assertIn(field, fields)
            self.assertIn(offer, (None, "recovery", "start", "prove", "reload"))
            self.assertTrue(text == "%s" or text.endswith("."), text)

    def test_a_long_wait_is_told_in_the_unit_that_fits(self):
        waits = [refusals.span(seconds) for seconds in (119, 120, 601, 7199, 7200, 86400)]
        self.assertEqual(waits, ["119 s", "2 minutes", "11 minutes", "120 minutes", "2 hours", "24 hours"])

    def test_without_the_time_set_up_waits_and_says_what_for(self):
        token, secret = self.router.begin_setup()
        self.clocks.is_set = False
        error = refused(self.owner.setup.finish, token, PASSWORD, secret, self.router.phone(), "", HOME)
        self.assertIn("Connect it to the internet", error.text)
        self.assertFalse(self.owner.is_set_up)

    def test_the_second_of_two_who_set_up_is_too_late(self):
        other = self.owner.setup.check_service_code(CODE, THIEF)
        self.router.set_up()
        error = refused(self.owner.setup.finish, other, PASSWORD, "", self.router.phone(), "", THIEF)
        self.assertIn("has an owner already", error.text)
        self.assertIn("has an owner already", refused(self.owner.setup.check_service_code, CODE, THIEF).text)

    def test_a_blank_router_takes_no_password(self):
        self.assertEqual(refused(self.owner.signing_in.password, PASSWORD, HOME).offer, "start")

    def test_power_lost_while_it_is_stored_leaves_no_owner_or_a_whole_one(self):
        token, secret = self.router.begin_setup()
        self.router.files.crash_at = self.router.files.steps + 2  # written, not yet synced
        with self.assertRaises(PowerLost):
            self.owner.setup.finish(token, PASSWORD, secret, self.router.phone(), "", HOME)
        keys = (store_keys.OWNER, store_keys.AUTHENTICATORS, store_keys.RECOVERY)
        whole = set()  # how many of the three survived, over all survivals
        for number, files in enumerate(self.router.files.survivors()):
            if number % 40 == 0:  # the store's own tests cut at every byte
                kept = Store(files, "journal").open()
                whole.add(len([key for key in keys if kept.get(key) is not None]))
        self.assertIn(0, whole)
        self.assertEqual(whole - {0, 3}, set())


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


class TestCost(unittest.TestCase):
    def test_a_wrong_password_costs_as_many_derivations_as_the_right_one(self):
        router = Router()
        router.set_up()
        counted = []
        native = compat.pbkdf2_sha256
        compat.pbkdf2_sha256 = lambda *arguments: counted.append(arguments[2:]) or native(*arguments)
        try:
            router.owner.signing_in.password(PASSWORD, HOME)
            for text in ("", "wrong", "x" * 5000, "\n"):
                refused(router.owner.signing_in.password, text, LAPTOP)
        finally:
            compat.pbkdf2_sha256 = native
        self.assertEqual(counted, [counted[0]] * 5)

    def test_iterations_are_measured_when_none_are_given(self):
        router = Router()
        router.owner._keeper._iterations = None
        keeper.passwords.calibrated_iterations, real = (
            (lambda cost_ms: 4321),
            keeper.passwords.calibrated_iterations,
        )
        try:
            router.set_up()
        finally:
            keeper.passwords.calibrated_iterations = real
        self.assertEqual(router.store.get(store_keys.OWNER)["iterations"], 4321)


if __name__ == "__main__":
    unittest.main()
