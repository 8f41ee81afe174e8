import unittest

from gatelodge import log, store_keys
from gatelodge.core import api_tokens, base32

from tests.firmware.owner_rig import HOME, PASSWORD, THIEF, Router, refused

NEW_PASSWORD = "seven herons left the weir"
DAY_S = 86400


class TestForm(unittest.TestCase):
    def test_a_token_is_prefix_random_and_checksum(self):
        token = api_tokens.new_token(bytes(range(32)))
        self.assertEqual(len(token), api_tokens.LENGTH)
        self.assertTrue(token.startswith("glr_000102030405"))
        self.assertTrue(api_tokens.is_whole(token))

    def test_a_token_with_any_one_character_changed_is_not_whole(self):
        token = api_tokens.new_token(bytes(range(32)))
        for at in range(len(token)):
            other = "0" if token[at] != "0" else "1"
            self.assertFalse(api_tokens.is_whole(token[:at] + other + token[at + 1 :]), at)

    def test_what_is_cut_or_empty_or_strange_is_not_whole(self):
        token = api_tokens.new_token(bytes(range(32)))
        for text in ("", token[:-1], token + "0", token[4:], "é" * api_tokens.LENGTH):
            self.assertFalse(api_tokens.is_whole(text), text)

    def test_scopes_are_in_the_tables_order_each_once_and_all_known(self):
        self.assertEqual(api_tokens.scopes_of(" log:read  status:read log:read"), ["status:read", "log:read"])
        for text in ("", "  ", "status:read admin", "STATUS:READ"):
            self.assertIsNone(api_tokens.scopes_of(text), text)

    def test_a_clock_that_is_not_set_believes_no_token_that_ends(self):
        for_ever, ending = {"expires_at": None}, {"expires_at": 1000}
        self.assertFalse(api_tokens.is_over(ending, 999, True))
        self.assertTrue(api_tokens.is_over(ending, 1000, True))
        self.assertTrue(api_tokens.is_over(ending, 5, False))
        self.assertFalse(api_tokens.is_over(for_ever, 5, False))

    def test_a_use_is_worth_writing_once_a_day_and_after_the_clock_went_back(self):
        self.assertTrue(api_tokens.is_worth_writing({"last_used_at": None}, 10))
        row = {"last_used_at": 1000000}
        self.assertFalse(api_tokens.is_worth_writing(row, 1000000 + DAY_S - 1))
        self.assertTrue(api_tokens.is_worth_writing(row, 1000000 + DAY_S))
        self.assertTrue(api_tokens.is_worth_writing(row, 999999))


class TestOwned(unittest.TestCase):
    def setUp(self):
        log.configure("/dev/null")
        self.router = Router()
        self.session = self.router.set_up().session_token
        self.tokens = self.router.owner.api_tokens

    def tearDown(self):
        log.configure()

    def make(self, scopes="devices:read log:read", lifetime="90"):
        return self.tokens.create(HOME, "Home assistant", scopes, lifetime)

    def test_a_token_is_found_with_its_scopes_across_restarts(self):
        token = self.make()
        self.router.restart()
        grant = self.router.owner.api_tokens.find(token)
        self.assertEqual((grant.name, grant.scopes), ("Home assistant", ["devices:read", "log:read"]))

    def test_the_store_holds_its_hash_and_never_the_token(self):
        token = self.make()
        keys = self.router.store.keys()
        kept = [str(self.router.store.get(key)) for key in keys]
        self.assertFalse([text for text in kept if token in text or token[4:68] in text])
        self.assertTrue([text for text in kept if api_tokens.hashed(token) in text])

    def test_another_with_the_same_beginning_of_its_hash_is_not_found(self):
        token = self.make()
        key = store_keys.API_TOKEN % api_tokens.hashed(token)[:8]
        row = self.router.store.get(key)
        row["hash"] = row["hash"][:8] + "0" * 56
        self.router.store.put(key, row)
        self.assertIsNone(self.tokens.find(token))

    def test_it_works_until_it_ends_and_not_a_second_longer(self):
        token = self.make(lifetime="30")
        self.router.clocks.wait(30 * DAY_S - 1)
        self.assertIsNotNone(self.tokens.find(token))
        self.router.clocks.wait(1)
        self.assertIsNone(self.tokens.find(token))
        self.assertTrue(self.tokens.listed()[0]["is_over"])

    def test_it_is_refused_while_the_clock_is_unset_unless_it_never_ends(self):
        ending, for_ever = self.make(), self.make(lifetime="none")
        self.router.clocks.is_set = False
        self.assertIsNone(self.tokens.find(ending))
        self.assertIsNotNone(self.tokens.find(for_ever))
        self.assertIn("does not know the time", refused(self.make).text)

    def test_revoked_it_is_over_at_once_and_revoking_again_says_so(self):
        token = self.make()
        token_id = self.tokens.listed()[0]["id"]
        self.tokens.revoke(HOME, token_id)
        self.assertIsNone(self.tokens.find(token))
        self.assertEqual(
            refused(self.tokens.revoke, HOME, token_id).text, "That token has been revoked already."
        )

    def test_no_other_key_of_the_store_can_be_revoked(self):
        for name in ("", "../owner", "owner"):
            refused(self.tokens.revoke, HOME, name)
        self.assertIsNotNone(self.router.store.get(store_keys.OWNER))

    def test_a_new_password_and_not_me_end_every_token_and_a_new_authenticator_none(self):
        security = self.router.owner.security
        kept = self.make()
        shown = security.begin_authenticator(self.session)
        self.router.secret = base32.decode(shown.secret)
        security.add_authenticator(self.session, HOME, shown.secret, self.router.phone(), "Tablet")
        self.assertIsNotNone(self.tokens.find(kept))
        security.change_password(self.session, HOME, PASSWORD, NEW_PASSWORD)
        self.assertIsNone(self.tokens.find(kept))
        other = self.make()
        security.not_me(self.session, HOME)
        self.assertIsNone(self.tokens.find(other))
        self.assertEqual(self.tokens.listed(), [])

    def test_a_reset_leaves_none(self):
        token = self.make(lifetime="none")
        self.router.owner.reset.wipe("a test")
        self.router.restart()
        self.assertIsNone(self.router.owner.api_tokens.find(token))
        keys = self.router.store.keys()
        self.assertEqual([key for key in keys if key.startswith("api_token")], [])

    def test_there_are_sixteen_at_most(self):
        for _ in range(api_tokens.MOST):
            self.make()
        self.assertEqual(refused(self.make).text, "There are sixteen tokens. Revoke one first.")

    def test_it_needs_a_scope_a_lifetime_and_no_name(self):
        self.assertEqual(refused(self.make, "").field, "form")
        self.assertEqual(refused(self.make, "owner").field, "form")
        self.assertIn("how long", refused(self.make, "log:read", "10000").text)
        self.tokens.create(HOME, " \n ", "log:read", "90")
        self.assertEqual(self.tokens.listed()[0]["name"], "Token")

    def test_a_thousand_uses_write_the_flash_once_and_the_page_knows_the_last(self):
        token = self.make()
        writes = []
        put_many = self.router.store.put_many
        self.router.store.put_many = lambda values, deleted=(): (
            writes.append(values) or put_many(values, deleted)
        )
        for _ in range(1000):
            self.router.clocks.wait(1)
            self.tokens.find(token)
        self.assertEqual(len(writes), 1)
        self.assertEqual(self.tokens.listed()[0]["last_used_at"], self.router.clocks.unix_s)

    def test_using_one_puts_off_the_end_of_no_session(self):
        token = self.make()
        for _ in range(20):
            self.router.clocks.wait(60)
            self.tokens.find(token)
        self.assertIsNone(self.router.owner.session(self.session, False))

    def test_making_one_is_in_the_history_and_told_elsewhere(self):
        told = []
        self.router.owner.tell_notices_to(lambda kind, entry, undo_id: told.append((kind, entry["address"])))
        self.tokens.create(THIEF, "", "log:read", "none")
        self.tokens.revoke(HOME, self.tokens.listed()[0]["id"])
        results = [entry["result"] for entry in self.router.owner.security.history(2)]
        self.assertEqual(results, ["token revoked", "token created"])
        self.assertEqual(told, [("token_created", THIEF.address)])


if __name__ == "__main__":
    unittest.main()
