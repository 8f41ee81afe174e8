import unittest

from gatelodge import store_keys
from gatelodge.core import base32, totp
from gatelodge.core.sessions import PROOF_S
from gatelodge.core.signin import Visitor
from gatelodge.owner.security import MOST_AUTHENTICATORS, UNDO_S

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, Router, refused

NEW_PASSWORD = "seven herons left the weir"


class SecurityTest(unittest.TestCase):
    """An owner who has just set up at HOME, with another session on the LAPTOP."""

    def setUp(self):
        self.router = Router()
        self.done = self.router.set_up()
        self.owner, self.clocks = self.router.owner, self.router.clocks
        self.security = self.owner.security
        self.token = self.done.session_token
        self.other = self.router.sign_in(LAPTOP)
        self.clocks.wait(30)

    def get(self, key):
        return self.router.store.get(key)

    def result(self):
        """Of the newest entry in the history."""
        return self.security.history()[0]["result"]

    def trust_a_browser(self):
        token, records = self.owner.trust.begin(LAPTOP)
        self.owner._keeper.keep(records)
        return token

    def add(self, name="Tablet"):
        """Another authenticator; returns (its secret in bytes, what add_authenticator returned)."""
        shown = self.security.begin_authenticator(self.token)
        secret = base32.decode(shown.secret)
        code = totp.hotp(secret, totp.step_at(self.clocks.unix_s))
        return secret, self.security.add_authenticator(self.token, HOME, shown.secret, code, name)

    def ids(self):
        return [row["id"] for row in self.owner.status()["authenticators"]]

    def assert_others_ended(self):
        self.assertIsNone(self.owner.session(self.other, True))
        self.assertIsNotNone(self.owner.session(self.token, True))
        self.assertEqual(self.owner.trust.listed(), [])

    def assert_nothing_changed(self, call, *arguments):
        """Return the refusal of a call that leaves every factor as it was."""
        keys = (store_keys.OWNER, store_keys.AUTHENTICATORS, store_keys.RECOVERY, store_keys.TRUSTED)
        before = [self.get(key) for key in keys]
        error = refused(call, *arguments)
        self.assertEqual([self.get(key) for key in keys], before)
        self.assertIsNotNone(self.owner.session(self.other, True))
        return error


class TestPassword(SecurityTest):
    def test_a_new_password_ends_every_other_session_and_all_trusted_browsers(self):
        self.trust_a_browser()
        self.security.change_password(self.token, HOME, PASSWORD, NEW_PASSWORD)
        self.assert_others_ended()
        self.assertEqual(self.result(), "password changed")
        self.assertIn("not the password", refused(self.owner.signing_in.password, PASSWORD, HOME).text)
        self.owner.signing_in.password(NEW_PASSWORD, HOME)

    def test_the_old_password_is_needed_and_its_field_told(self):
        error = self.assert_nothing_changed(
            self.security.change_password, self.token, HOME, "not this one", NEW_PASSWORD
        )
        self.assertEqual(error.field, "old_password")
        self.assertEqual(self.result(), "wrong password")

    def test_guesses_at_the_old_password_are_throttled_like_a_sign_in(self):
        for _ in range(5):
            refused(self.security.change_password, self.token, HOME, "not this one", NEW_PASSWORD)
        error = refused(self.security.change_password, self.token, HOME, PASSWORD, NEW_PASSWORD)
        self.assertEqual((error.field, error.wait_s), ("old_password", 10))
        self.assertEqual(refused(self.owner.signing_in.password, PASSWORD, HOME).wait_s, 10)

    def test_a_weak_new_password_or_the_same_one_is_refused(self):
        for new in ("short", "password1", PASSWORD):
            error = self.assert_nothing_changed(
                self.security.change_password, self.token, HOME, PASSWORD, new
            )
            self.assertEqual(error.field, "password", new)

    def test_the_change_and_its_entry_are_one_change_of_the_store(self):
        steps = self.router.files.steps
        self.security.change_password(self.token, HOME, PASSWORD, NEW_PASSWORD)
        one_change = 2  # a write and a sync
        self.assertLessEqual(self.router.files.steps - steps, one_change)

    def test_a_power_cut_leaves_the_old_password_or_the_new_one_with_its_entry(self):
        self.trust_a_browser()
        self.router.files.crash_at = self.router.files.steps + 2  # written, not yet synced
        with self.assertRaises(PowerLost):
            self.security.change_password(self.token, HOME, PASSWORD, NEW_PASSWORD)
        seen = set()
        for number, survivor in enumerate(self.router.files.survivors()):
            if number % 40 == 0:  # the store's own tests cut at every byte
                self.router.restart(survivor)
                changed = self.router.owner.security.history()[0]["result"] == "password changed"
                self.assertEqual(self.get(store_keys.TRUSTED) == [], changed)
                self.router.owner.signing_in.password(NEW_PASSWORD if changed else PASSWORD, HOME)
                seen.add(changed)
        self.assertIn(False, seen)


class TestAuthenticators(SecurityTest):
    def test_another_one_is_kept_once_its_code_is_right_and_its_code_is_used(self):
        secret, codes = self.add("  Tablet\n")
        self.assertIsNone(codes)
        kept = self.owner.status()["authenticators"]
        self.assertEqual([row["name"] for row in kept], ["Phone", "Tablet"])
        self.assert_others_ended()
        self.assertEqual(self.result(), "authenticator added")
        signin = self.owner.signing_in.password(PASSWORD, HOME)
        code = totp.hotp(secret, totp.step_at(self.clocks.unix_s))
        self.assertIn("has been used", refused(self.owner.signing_in.code, signin, code, HOME).text)

    def test_either_authenticator_signs_in(self):
        secret, _ = self.add()
        self.clocks.wait(30)
        for code in (self.router.phone(), totp.hotp(secret, totp.step_at(self.clocks.unix_s))):
            signin = self.owner.signing_in.password(PASSWORD, HOME)
            self.owner.signing_in.code(signin, code, HOME)

    def test_a_wrong_code_or_another_secret_adds_nothing(self):
        shown = self.security.begin_authenticator(self.token)
        add = self.security.add_authenticator
        wrong = self.assert_nothing_changed(add, self.token, HOME, shown.secret, "000000", "")
        self.assertEqual(wrong.field, "code")
        foreign = base32.encode(b"12345678901234567890")
        code = totp.hotp(b"12345678901234567890", totp.step_at(self.clocks.unix_s))
        self.assertEqual(self.assert_nothing_changed(add, self.token, HOME, foreign, code, "").field, "form")
        self.assert_nothing_changed(add, self.other, HOME, shown.secret, "000000", "")

    def test_the_secret_stays_the_same_for_a_session_for_fifteen_minutes(self):
        first = self.security.begin_authenticator(self.token)
        self.assertEqual(self.security.begin_authenticator(self.token).secret, first.secret)
        self.assertNotEqual(self.security.begin_authenticator(self.other).secret, first.secret)
        self.clocks.wait(900)
        self.assertNotEqual(self.security.begin_authenticator(self.token).secret, first.secret)

    def test_who_is_asked_for_a_code_meanwhile_goes_on_with_the_same_secret(self):
        shown = self.security.begin_authenticator(self.token)
        self.clocks.wait(PROOF_S)
        self.token = self.owner.prove(self.token, self.router.phone(), HOME)
        self.assertEqual(self.security.begin_authenticator(self.token).secret, shown.secret)
        code = totp.hotp(base32.decode(shown.secret.replace(" ", "")), totp.step_at(self.clocks.unix_s))
        self.security.add_authenticator(self.token, HOME, shown.secret, code, "Tablet")
        self.assertEqual(len(self.ids()), 2)

    def test_there_are_eight_at_most(self):
        while len(self.ids()) < MOST_AUTHENTICATORS:
            self.add()
        self.assertIn("eight", refused(self.security.begin_authenticator, self.token).text)

    def test_a_new_name_ends_nothing(self):
        self.security.rename_authenticator(HOME, self.ids()[0], "Ada's phone")
        self.assertEqual(self.owner.status()["authenticators"][0]["name"], "Ada's phone")
        self.assertEqual(self.result(), "authenticator renamed")
        self.assertIsNotNone(self.owner.session(self.other, True))
        self.clocks.wait(30)
        self.router.sign_in()

    def test_a_removed_one_signs_in_no_more_and_its_removal_ends_the_others(self):
        self.add()
        self.other = self.router.sign_in(LAPTOP)
        self.clocks.wait(30)
        self.security.remove_authenticator(self.token, HOME, self.ids()[0])
        self.assert_others_ended()
        self.assertEqual(self.result(), "authenticator removed")
        self.assertIn("not the code", refused(self.router.sign_in).text)

    def test_the_last_one_is_not_removed_alone(self):
        error = self.assert_nothing_changed(
            self.security.remove_authenticator, self.token, HOME, self.ids()[0]
        )
        self.assertIn("last", error.text)

    def test_one_that_is_not_there_is_refused(self):
        for call in (
            lambda: self.security.remove_authenticator(self.token, HOME, "00000000"),
            lambda: self.security.rename_authenticator(HOME, "00000000", "x"),
            lambda: self.security.restore_authenticator(self.token, HOME, "00000000"),
        ):
            self.assertEqual(self.assert_nothing_changed(call).field, "form")


class TestUndo(SecurityTest):
    def setUp(self):
        super().setUp()
        self.add()
        self.removed = self.ids()[0]
        self.security.remove_authenticator(self.token, HOME, self.removed)

    def test_a_removal_can_be_undone_for_ten_minutes(self):
        self.assertEqual(self.security.removed(), [{"id": self.removed, "name": "Phone"}])
        self.clocks.wait(UNDO_S - 1)
        self.security.restore_authenticator(self.token, HOME, self.removed)
        self.assertEqual(self.security.removed(), [])
        self.assertEqual(self.result(), "authenticator restored")
        self.router.sign_in()

    def test_not_later(self):
        self.clocks.wait(UNDO_S)
        self.assertEqual(self.security.removed(), [])
        error = refused(self.security.restore_authenticator, self.token, HOME, self.removed)
        self.assertIn("10 minutes are over", error.text)

    def test_a_code_that_was_used_before_stays_used(self):
        self.clocks.wait(-30)  # back to the step of the laptop's sign-in
        self.security.restore_authenticator(self.token, HOME, self.removed)
        self.assertIn("has been used", refused(self.router.sign_in).text)

    def test_switching_two_factor_off_ends_what_could_be_undone(self):
        self.clocks.wait(30)
        self.security.switch_off(self.token, HOME, PASSWORD, self.done.recovery_codes[0])
        self.assertEqual(self.security.removed(), [])


class TestTwoFactorOff(SecurityTest):
    def switch_off(self):
        self.security.switch_off(self.token, HOME, PASSWORD, self.router.phone())

    def test_it_takes_the_password_and_a_code_and_drops_every_factor(self):
        self.trust_a_browser()
        self.switch_off()
        self.assertEqual(self.get(store_keys.AUTHENTICATORS), [])
        self.assertIsNone(self.get(store_keys.RECOVERY))
        self.assertEqual(self.security.recovery_codes(), (0, 10, None))
        self.assertEqual(self.owner.status()["recovery_codes_left"], 0)
        self.assertEqual(self.result(), "two-factor off")
        self.assert_others_ended()

    def test_a_wrong_password_or_a_wrong_code_leaves_it_on(self):
        for password, code, field in (
            ("not this one", self.router.phone(), "password"),
            (PASSWORD, "000000", "code"),
            (PASSWORD, "22222-22222", "code"),
            (PASSWORD, "", "code"),
        ):
            error = self.assert_nothing_changed(self.security.switch_off, self.token, HOME, password, code)
            self.assertEqual(error.field, field)

    def test_who_lost_the_phone_switches_it_off_by_a_recovery_code(self):
        self.security.switch_off(self.token, HOME, PASSWORD, self.done.recovery_codes[4])
        self.assertFalse(self.security.is_two_factor)

    def test_on_again_makes_ten_new_recovery_codes(self):
        self.switch_off()
        self.router.secret, codes = self.add("New phone")
        self.assertEqual(len(set(codes)), 10)
        self.assertEqual(set(codes) & set(self.done.recovery_codes), set())
        self.assertEqual(self.result(), "two-factor on")
        self.clocks.wait(30)
        self.router.sign_in()

    def test_while_it_is_off_there_are_no_recovery_codes_to_make_and_nothing_to_switch_off(self):
        self.switch_off()
        self.assertIn("off", refused(self.security.renew_recovery_codes, self.token, HOME).text)
        self.assertIn("off", refused(self.switch_off).text)

    def test_while_it_is_off_the_password_is_the_proof(self):
        self.switch_off()
        self.clocks.wait(PROOF_S)
        self.assertEqual(refused(self.owner.require_proof, self.token).offer, "prove")
        self.assertEqual(refused(self.owner.prove, self.token, "not this one", HOME).field, "password")
        self.owner.require_proof(self.owner.prove(self.token, PASSWORD, HOME))


class TestRecoveryCodes(SecurityTest):
    def test_a_new_set_voids_the_old_one_and_ends_the_others(self):
        codes = self.security.renew_recovery_codes(self.token, HOME)
        self.assertEqual(len(set(codes)), 10)
        self.assert_others_ended()
        self.assertEqual(self.result(), "recovery codes renewed")
        signin = self.owner.signing_in.password(PASSWORD, HOME)
        old = self.done.recovery_codes[0]
        self.assertIn("not on the list", refused(self.owner.signing_in.recovery_code, signin, old, HOME).text)
        self.owner.signing_in.recovery_code(signin, codes[0], HOME)

    def test_how_many_are_left_is_told(self):
        signin = self.owner.signing_in.password(PASSWORD, HOME)
        self.owner.signing_in.recovery_code(signin, self.done.recovery_codes[0], HOME)
        left, of, made_at = self.security.recovery_codes()
        self.assertEqual((left, of), (9, 10))
        self.assertLess(made_at, self.clocks.unix_s)


class TestSessions(SecurityTest):
    def test_they_are_listed_with_where_from_and_how(self):
        rows = self.security.sessions(self.token)
        self.assertEqual([row["is_this"] for row in rows], [False, True])
        told = [(row["address"], row["browser"], row["method"]) for row in rows]
        self.assertEqual(told[0], (LAPTOP.address, LAPTOP.browser, "code"))
        self.assertEqual(told[1], (HOME.address, HOME.browser, "set-up"))

    def test_one_is_ended_and_ones_own_is_not(self):
        other, own = [row["id"] for row in self.security.sessions(self.token)]
        self.assertIn("ended already", refused(self.security.end_session, self.token, HOME, own).text)
        self.security.end_session(self.token, HOME, other)
        self.assertIsNone(self.owner.session(self.other, True))
        self.assertIn("ended already", refused(self.security.end_session, self.token, HOME, other).text)
        self.assertEqual(self.result(), "sessions ended")

    def test_all_others_are_ended_at_once(self):
        self.clocks.wait(30)
        third = self.router.sign_in(THIEF)
        self.assertEqual(self.security.end_other_sessions(self.token, HOME), 2)
        self.assertIsNone(self.owner.session(third, True))
        self.assertIsNotNone(self.owner.session(self.token, True))

    def test_not_me_ends_the_others_and_the_trusted_browsers(self):
        self.trust_a_browser()
        self.security.not_me(self.token, HOME)
        self.assert_others_ended()

    def test_whoever_was_on_the_way_in_begins_again_after_any_change(self):
        signin = self.owner.signing_in.password(PASSWORD, LAPTOP)
        self.security.renew_recovery_codes(self.token, HOME)
        error = refused(self.owner.signing_in.code, signin, self.router.phone(), LAPTOP)
        self.assertEqual(error.offer, "start")

    def test_a_trusted_browser_has_to_enter_a_code_after_any_change(self):
        for change in (
            lambda: self.security.change_password(self.token, HOME, PASSWORD, NEW_PASSWORD),
            lambda: self.security.renew_recovery_codes(self.token, HOME),
            self.add,
        ):
            trusted = Visitor(LAPTOP.address, LAPTOP.browser, self.trust_a_browser())
            self.assertIsNotNone(self.owner.trust.find(trusted))
            change()
            self.assertIsNone(self.owner.trust.find(trusted))


if __name__ == "__main__":
    unittest.main()
