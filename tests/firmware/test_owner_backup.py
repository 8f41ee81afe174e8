import unittest

from gatelodge import store_keys
from gatelodge.compat import json
from gatelodge.core import backup, base32, totp

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, Router, refused

SEALED_BY = "nine slow barges pass"
NEW_PASSWORD = "seven herons left the weir"


class BackupTest(unittest.TestCase):
    """An owner who has just set up at HOME, with another session on the LAPTOP."""

    def setUp(self):
        self.router = Router()
        self.token = self.router.set_up().session_token
        self.other = self.router.sign_in(LAPTOP)
        self.use(self.router)
        self.router.clocks.wait(30)

    def use(self, router):
        self.router, self.owner, self.clocks = router, router.owner, router.clocks

    def state(self):
        """Everything that is kept but the history."""
        store = self.router.store
        names = store.keys()
        kept = [key for key in names if not key.startswith("history")]  # noqa: SIM118 - it is no dict
        return {key: store.get(key) for key in kept}

    def make(self, with_secrets=True):
        return self.owner.backups.make(HOME, SEALED_BY, with_secrets, "0.1.0")

    def restore(self, file, password=SEALED_BY):
        return self.owner.backups.restore(HOME, file, password)

    def content(self, file):
        return json.loads(backup.unseal(file, SEALED_BY))

    def forged(self, **changed):
        """A file with a right password and other content."""
        content = self.content(self.make())
        content.update(changed)
        return backup.seal(json.dumps(content).encode(), SEALED_BY, bytes(16), 1)

    def results(self):
        return [entry["result"] for entry in self.owner.security.history()]

    def assert_refused(self, file, field, password=SEALED_BY):
        before = self.state()
        self.assertEqual(refused(self.restore, file, password).field, field)
        self.assertEqual(self.state(), before)
        self.assertIsNotNone(self.owner.session(self.other, True))

    def test_without_being_asked_it_holds_no_secret(self):
        self.owner.name_router(HOME, "Attic")
        content = self.content(self.make(with_secrets=False))
        self.assertEqual(content["values"], {store_keys.NAME: "Attic"})
        self.assertEqual(self.results()[0], "backup made")

    def test_what_is_this_routers_alone_is_in_neither(self):
        content = self.content(self.make())
        allowed = {store_keys.OWNER, store_keys.AUTHENTICATORS, store_keys.NAME}
        self.assertTrue(set(content["values"]) <= allowed)
        self.assertEqual(self.results()[0], "backup with secrets made")

    def test_a_new_setting_has_to_be_thought_of(self):
        # Every key of the store is in one of these lists, or is left out for the reason that backup.py gives.
        left_out = {
            "CLOCK_FLOOR", "CLOCK_PROVEN", "IDENTITY", "DEVICE_KEY", "LOCKED", "RECOVERY", "THROTTLE",
            "TRUSTED", "API_TOKEN", "HISTORY_COUNT", "HISTORY", "CLOUD_OWNER", "CLOUD_RESET", "COMMANDS",
            "UNDO", "UNDO_AGE", "UPDATE",
        }  # fmt: skip
        names = {name for name in dir(store_keys) if name.isupper() and name != "KEPT_AT_RESET"}
        self.assertEqual(names - left_out, {"OWNER", "AUTHENTICATORS", "NAME"})

    def test_the_look_inside_tells_what_a_restore_would_bring(self):
        self.owner.name_router(HOME, "Attic")
        inside = self.owner.backups.look(self.make(), SEALED_BY)
        self.assertEqual(inside.made_at, self.clocks.unix_s)
        self.assertEqual(inside.serial_number, "GL-000123")
        self.assertEqual(inside.name, "Attic")
        self.assertEqual(inside.authenticators, ["Phone"])
        self.assertTrue(inside.has_secrets)
        self.assertFalse(self.owner.backups.look(self.make(False), SEALED_BY).has_secrets)

    def test_a_setting_comes_back_and_nobody_is_signed_out(self):
        self.owner.name_router(HOME, "Attic")
        file = self.make(with_secrets=False)
        self.owner.name_router(HOME, "Cellar")
        self.restore(file)
        self.assertEqual(self.owner.router_name, "Attic")
        self.assertIsNotNone(self.owner.session(self.other, True))
        self.assertEqual(self.results()[0], "backup restored")

    def test_the_password_comes_back_and_ends_every_session(self):
        file = self.make()
        self.owner.security.change_password(self.token, HOME, PASSWORD, NEW_PASSWORD)
        other = self.owner.signing_in.password(NEW_PASSWORD, LAPTOP)
        self.restore(file)
        self.assertEqual(
            refused(self.owner.signing_in.code, other, self.router.phone(), LAPTOP).offer, "start"
        )
        self.assertIsNone(self.owner.session(self.token, True))
        self.assertEqual(refused(self.owner.signing_in.password, NEW_PASSWORD, HOME).field, "password")
        self.clocks.wait(90)
        self.assertTrue(self.router.sign_in())

    def test_no_code_that_was_used_works_again(self):
        file = self.make()
        used = self.router.phone()
        self.owner.signing_in.code(self.owner.signing_in.password(PASSWORD, LAPTOP), used, LAPTOP)
        self.restore(file)
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        self.assertEqual(refused(self.owner.signing_in.code, token, used, THIEF).field, "code")

    def test_a_code_that_was_used_while_the_clock_was_ahead_stays_used(self):
        file = self.make()
        self.clocks.wait(3600)
        used = self.router.phone()
        self.owner.signing_in.code(self.owner.signing_in.password(PASSWORD, LAPTOP), used, LAPTOP)
        self.clocks.wait(-3600)
        self.restore(file)
        self.clocks.wait(3600)
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        self.assertEqual(refused(self.owner.signing_in.code, token, used, THIEF).field, "code")

    def test_while_the_clock_is_unset_what_was_used_stays_used(self):
        file = self.make()
        self.router.sign_in(LAPTOP)
        self.clocks.is_set = False
        self.restore(file)
        row = self.router.store.get(store_keys.AUTHENTICATORS)[0]
        self.assertTrue(row["last_step"] >= totp.step_at(self.clocks.unix_s))

    def test_spent_and_revoked_things_do_not_come_back(self):
        _trust, records = self.owner.trust.begin(LAPTOP)
        self.owner._keeper.keep(records)
        self.owner.api_tokens.create(HOME, "Script", "status:read", "30")
        file = self.make()
        before = self.router.store.get(store_keys.RECOVERY)
        self.restore(file)
        self.assertEqual(self.owner.trust.listed(), [])
        self.assertEqual(self.owner.api_tokens.listed(), [])
        self.assertEqual(self.router.store.get(store_keys.RECOVERY), before)

    def test_where_it_switches_two_factor_on_again_a_recovery_code_is_a_wrong_one(self):
        file, code = self.make(), self.owner.security.renew_recovery_codes(self.token, HOME)[0]
        self.owner.security.switch_off(self.token, HOME, PASSWORD, code)
        self.restore(file)
        token = self.owner.signing_in.password(PASSWORD, THIEF)
        error = refused(self.owner.signing_in.recovery_code, token, code, THIEF)
        self.assertEqual(error.field, "recovery_code")
        self.assertEqual(self.owner.security.history()[0]["result"], "wrong recovery code")

    def test_it_does_not_switch_two_factor_off(self):
        content = self.content(self.make())
        content["values"][store_keys.AUTHENTICATORS] = []
        self.restore(backup.seal(json.dumps(content).encode(), SEALED_BY, bytes(16), 1))
        self.assertTrue(self.owner.security.is_two_factor)

    def test_another_router_takes_it_over(self):
        secret, file = self.router.secret, self.make()
        other = Router()
        self.token = other.set_up().session_token
        self.use(other)
        self.restore(file)
        self.clocks.wait(90)
        other.secret = secret
        self.assertTrue(other.sign_in(LAPTOP))

    def test_a_wrong_password_and_a_changed_file_change_nothing(self):
        file = self.make()
        self.assert_refused(file, "password", "nine slow barges passed")
        self.assert_refused(file, "password", "a\x00b")
        self.assert_refused(file[:-1] + bytes([file[-1] ^ 1]), "password")
        self.assert_refused(b"GIF89a" + bytes(60), "backup")

    def test_content_that_does_not_fit_changes_nothing(self):
        owner = self.router.store.get(store_keys.OWNER)
        rows = self.router.store.get(store_keys.AUTHENTICATORS)

        def with_owner(**changed):
            return {store_keys.OWNER: dict(owner, **changed), store_keys.AUTHENTICATORS: rows}

        def with_row(**changed):
            return {store_keys.OWNER: owner, store_keys.AUTHENTICATORS: [dict(rows[0], **changed)]}

        for values in (
            [],
            {"device_key": "AAAA"},
            {store_keys.NAME: 7},
            {store_keys.NAME: "two\nlines"},
            {store_keys.OWNER: owner},
            {store_keys.AUTHENTICATORS: rows},
            {store_keys.OWNER: owner, store_keys.AUTHENTICATORS: rows * 9},
            with_owner(algorithm="md5"),
            with_owner(iterations=0),
            with_owner(salt="zz"),
            with_owner(extra=1),
            with_row(secret="not base 32"),
            with_row(secret=base32.encode(b"short")),
            with_row(last_step="7"),
        ):
            self.assert_refused(self.forged(values=values), "backup")
        self.assert_refused(self.forged(made_at="today"), "backup")
        self.assert_refused(self.forged(made_at=-1), "backup")
        self.assert_refused(self.forged(made_at=2**63), "backup")
        self.assert_refused(self.forged(serial_number="x" * 65), "backup")
        self.assert_refused(self.forged(more=1), "backup")
        self.assert_refused(backup.seal(b"not JSON", SEALED_BY, bytes(16), 1), "backup")

    def test_a_weak_password_seals_nothing(self):
        call = self.owner.backups.make
        self.assertEqual(refused(call, HOME, "password", False, "0.1.0").field, "password")

    def test_a_power_cut_leaves_the_state_before_or_the_one_after(self):
        file = self.make()
        self.owner.security.change_password(self.token, HOME, PASSWORD, NEW_PASSWORD)
        before = self.state()
        self.router.files.crash_at = self.router.files.steps + 2  # written, not yet synced
        with self.assertRaises(PowerLost):
            self.restore(file)
        outcomes = set()
        for files in self.router.files.survivors():
            self.router.restart(files)
            is_before = self.state() == before
            outcomes.add(is_before)
            newest = self.router.owner.security.history()[0]["result"]
            self.assertEqual(newest, "password changed" if is_before else "backup restored")
        self.assertEqual(outcomes, {True, False})


if __name__ == "__main__":
    unittest.main()
