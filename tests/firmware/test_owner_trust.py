import unittest

from gatelodge import store_keys
from gatelodge.core.signin import TRUST_LIFETIME_S, Visitor
from gatelodge.owner.trust import MOST, id_of

from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, OwnedRouter, refused

DAY_S = 86400


def with_token(visitor, token):
    return Visitor(visitor.address, visitor.browser, token)


class TrustedBrowser(OwnedRouter):
    def setUp(self):
        super().setUp()
        self.trust = self.owner.trust
        self.browser = self.trusted(HOME)

    def trusted(self, visitor):
        token, records = self.trust.begin(visitor)
        self.router.store.put_many(records)
        return with_token(visitor, token)


class TestTrust(TrustedBrowser):
    def test_its_token_is_found_and_no_other_is(self):
        self.assertEqual(self.trust.find(self.browser), id_of(self.browser.trust))
        for token in ("", "0" * 64, self.browser.trust[:-1], self.browser.trust + "0"):
            self.assertIsNone(self.trust.find(with_token(HOME, token)))

    def test_it_is_there_after_a_restart(self):
        self.router.restart()
        self.assertIsNotNone(self.router.owner.trust.find(self.browser))

    def test_only_the_hash_of_its_token_is_kept(self):
        self.assertNotIn(self.browser.trust, str(self.router.store.get(store_keys.TRUSTED)))

    def test_it_ends_after_thirty_days_however_often_it_was_used(self):
        self.clocks.wait(TRUST_LIFETIME_S - 1)
        trust_id = self.trust.find(self.browser)
        self.router.store.put_many(self.trust.used(trust_id, self.browser))
        self.clocks.wait(1)
        self.assertIsNone(self.trust.find(self.browser))
        self.assertEqual(self.trust.listed(), [])

    def test_an_unset_clock_believes_none(self):
        self.clocks.is_set = False
        self.assertIsNone(self.trust.find(self.browser))

    def test_the_list_says_which_browser_and_when_it_was_last_used_and_no_hash(self):
        self.clocks.wait(DAY_S)
        laptop = with_token(HOME, self.browser.trust)
        self.router.store.put_many(self.trust.used(id_of(self.browser.trust), laptop))
        listed = self.trust.listed()
        self.assertEqual(len(listed), 1)
        self.assertEqual(listed[0]["last_used_at"], self.clocks.now())
        self.assertEqual(listed[0]["browser"], "Firefox on Linux")
        self.assertNotIn("hash", listed[0])

    def test_a_browser_that_is_trusted_again_has_one_row_and_its_old_token_ends(self):
        again = self.trusted(self.browser)
        self.assertEqual([row["id"] for row in self.trust.listed()], [id_of(again.trust)])
        self.assertIsNone(self.trust.find(self.browser))

    def test_of_too_many_the_one_used_longest_ago_makes_room(self):
        later = []
        for _ in range(MOST):
            self.clocks.wait(DAY_S)
            later.append(self.trusted(HOME))
        self.assertIsNone(self.trust.find(self.browser))
        self.assertEqual([self.trust.find(browser) is None for browser in later], [False] * MOST)

    def test_revoking_one_ends_it_and_its_sessions_and_leaves_the_others(self):
        keeper = self.owner._keeper
        other = self.trusted(THIEF)
        theirs = keeper.begin_session(THIEF, "trusted browser", id_of(other.trust), False)
        ours = keeper.begin_session(HOME, "trusted browser", id_of(self.browser.trust), False)
        self.trust.end(id_of(other.trust), HOME)
        self.assertEqual((self.trust.find(other), self.owner.session(theirs, True)), (None, None))
        self.assertIsNotNone(self.trust.find(self.browser))
        self.assertIsNotNone(self.owner.session(ours, True))

    def test_revoking_what_is_not_there_is_told(self):
        self.assertIn("not trusted", refused(self.trust.end, "00000000", HOME).text)

    def test_end_all_revokes_every_one_once_it_is_stored(self):
        self.router.store.put_many(self.trust.end_all())
        self.assertEqual((self.trust.find(self.browser), self.trust.listed()), (None, []))

    def test_beginning_and_revoking_are_in_the_history(self):
        self.trust.end(id_of(self.browser.trust), HOME)
        results = [entry["result"] for entry in self.owner._keeper.history.entries()]
        self.assertEqual(results[:2], ["trusted browser removed", "browser trusted"])


class TestSignIn(TrustedBrowser):
    def opened(self, visitor):
        """The session's token when the password alone opens the door to this visitor, else None."""
        token = self.owner.signing_in.password(PASSWORD, visitor)
        return self.owner.signing_in.without_code(token, visitor)

    def test_a_trusted_browser_skips_the_code_and_nothing_else(self):
        session = self.owner.session(self.opened(self.browser), True)
        self.assertFalse(session.is_proved)
        self.assertIsNone(self.opened(HOME))
        self.assertIn("not the password", refused(self.owner.signing_in.password, "", self.browser).text)

    def test_its_sign_in_is_in_the_history_and_in_its_row(self):
        self.clocks.wait(DAY_S)
        self.opened(self.browser)
        entry = self.owner._keeper.history.entries()[0]
        self.assertEqual((entry["result"], entry["method"]), ("signed in", "trusted browser"))
        self.assertEqual(self.trust.listed()[0]["last_used_at"], self.clocks.now())

    def test_it_has_to_prove_itself_before_what_is_sensitive(self):
        session_token = self.opened(self.browser)
        self.assertEqual(refused(self.owner.require_proof, session_token).offer, "prove")
        self.owner.require_proof(self.owner.prove(session_token, self.router.phone(), self.browser))

    def test_a_password_ticket_that_skips_the_code_takes_no_code(self):
        token = self.owner.signing_in.password(PASSWORD, self.browser)
        self.assertEqual(refused(self.owner.signing_in.check_token, token, self.browser).offer, "start")
        code = self.router.phone()
        self.assertEqual(refused(self.owner.signing_in.code, token, code, self.browser).offer, "start")

    def test_a_ticket_serves_once_and_only_where_it_was_given(self):
        token = self.owner.signing_in.password(PASSWORD, self.browser)
        elsewhere = with_token(THIEF, self.browser.trust)
        self.assertEqual(refused(self.owner.signing_in.without_code, token, elsewhere).offer, "start")
        self.assertIsNotNone(self.owner.signing_in.without_code(token, self.browser))
        self.assertEqual(refused(self.owner.signing_in.without_code, token, self.browser).offer, "start")

    def test_trust_that_is_revoked_between_password_and_session_opens_nothing(self):
        token = self.owner.signing_in.password(PASSWORD, self.browser)
        self.trust.end(id_of(self.browser.trust), HOME)
        self.assertEqual(refused(self.owner.signing_in.without_code, token, self.browser).offer, "start")

    def test_with_the_clock_unset_it_needs_codes_like_any_other(self):
        self.clocks.is_set = False
        self.assertIsNone(self.opened(self.browser))

    def test_after_thirty_days_it_needs_a_code_again(self):
        self.clocks.wait(TRUST_LIFETIME_S)
        self.assertIsNone(self.opened(self.browser))

    def test_every_session_of_a_trusted_browser_ends_with_it(self):
        by_trust = self.opened(self.browser)
        self.clocks.is_set = False
        began = self.owner.signing_in.password(PASSWORD, self.browser)
        code = self.setup.recovery_codes[0]
        by_recovery_code = self.owner.signing_in.recovery_code(began, code, self.browser)
        self.trust.end(id_of(self.browser.trust), HOME)
        sessions = [self.owner.session(token, True) for token in (by_trust, by_recovery_code)]
        self.assertEqual(sessions, [None, None])

    def test_the_session_in_which_a_browser_is_trusted_ends_with_it_too(self):
        session_token = self.router.sign_in(THIEF)
        token = self.trust.remember(session_token, THIEF)
        self.assertIsNotNone(self.opened(with_token(THIEF, token)))
        self.trust.end(id_of(token), HOME)
        self.assertIsNone(self.owner.session(session_token, True))

    def test_who_came_by_a_copy_of_its_cookie_is_out_when_it_is_trusted_anew(self):
        by_copy = self.opened(with_token(THIEF, self.browser.trust))
        other = self.opened(self.trusted(LAPTOP))
        session_token = self.router.sign_in()
        self.trust.remember(session_token, self.browser)
        sessions = [self.owner.session(token, True) is not None for token in (by_copy, other, session_token)]
        self.assertEqual(sessions, [False, True, True])

    def test_a_change_of_the_password_ends_them_all(self):
        session_token = self.router.sign_in()
        new = "another lantern, upstream"
        self.owner.security.change_password(session_token, HOME, PASSWORD, new)
        token = self.owner.signing_in.password(new, self.browser)
        self.assertIsNone(self.owner.signing_in.without_code(token, self.browser))


class TestTwoFactorOff(TrustedBrowser):
    def password_alone(self):
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        return self.owner.signing_in.without_code(token, THIEF)

    def test_the_password_alone_opens_the_door_and_says_so_in_the_history(self):
        self.router.store.put(store_keys.AUTHENTICATORS, [])
        session_token = self.password_alone()
        self.owner.require_proof(
            session_token
        )  # the password was given just now, and there is no more to give
        self.assertEqual(self.owner._keeper.history.entries()[0]["method"], "password")

    def test_it_needs_no_clock(self):
        self.router.store.put(store_keys.AUTHENTICATORS, [])
        self.clocks.is_set = False
        self.assertIsNotNone(self.password_alone())

    def test_a_list_of_authenticators_that_is_missing_opens_nothing(self):
        self.router.store.delete(store_keys.AUTHENTICATORS)
        self.assertIsNone(self.password_alone())

    def test_two_factor_that_is_switched_on_between_password_and_session_is_asked_for(self):
        rows = self.router.store.get(store_keys.AUTHENTICATORS)
        self.router.store.put(store_keys.AUTHENTICATORS, [])
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        self.router.store.put(store_keys.AUTHENTICATORS, rows)
        self.assertEqual(refused(self.owner.signing_in.without_code, token, THIEF).offer, "start")


class TestBudget(TrustedBrowser):
    def test_guesses_from_its_own_address_do_not_keep_it_out(self):
        for _ in range(30):
            refused(self.owner.signing_in.password, "not the password", HOME)
            self.clocks.wait(1)
        self.assertIsNotNone(refused(self.owner.signing_in.password, PASSWORD, HOME).wait_s)
        self.owner.signing_in.password(PASSWORD, self.browser)

    def test_its_own_guesses_are_throttled(self):
        for _ in range(5):
            refused(self.owner.signing_in.password, "not the password", self.browser)
        self.assertEqual(refused(self.owner.signing_in.password, PASSWORD, self.browser).wait_s, 10)

    def test_its_budget_needs_no_clock(self):
        self.clocks.is_set = False
        for _ in range(30):
            refused(self.owner.signing_in.password, "not the password", HOME)
        self.owner.signing_in.password(PASSWORD, self.browser)

    def test_an_invented_token_has_the_budget_of_its_address(self):
        for number in range(30):
            refused(self.owner.signing_in.password, "not the password", with_token(THIEF, f"{number:064}"))
        self.assertIsNotNone(refused(self.owner.signing_in.password, PASSWORD, THIEF).wait_s)


if __name__ == "__main__":
    unittest.main()
