"""From a blank router to one with an owner: the label, the password, the first authenticator."""

import unittest

from gatelodge import refusals, store_keys
from gatelodge.contract import service_code
from gatelodge.core import base32, totp
from gatelodge.store import Store

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import CODE, HOME, OTHER_CODE, PASSWORD, THIEF, Router, refused


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


if __name__ == "__main__":
    unittest.main()
