"""What the account of the owner undoes on the router, and what nobody can get by it."""

import sys
import unittest

from gatelodge import log, store_keys
from gatelodge.core import base32, recovery, totp
from gatelodge.owner import earlier

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, Router, refused

ADA = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}
EVE = {"account_id": "e1", "name": "Eve", "email": "eve@example.org"}
THIEFS = "the weir has seven herons"
FACTORS = earlier.FACTORS


class UndoTest(unittest.TestCase):
    """A router in Ada's account, on which a thief has got into a session."""

    def setUp(self):
        log.configure("/dev/null")
        self.router = Router()
        self.codes = self.router.set_up().recovery_codes
        self.store = self.router.store
        self.store.put(store_keys.CLOUD_OWNER, ADA)
        self.started()
        self.stolen = self.router.sign_in(THIEF)
        self.router.clocks.wait(30)
        self.before, self.told = self.factors(), []

    def tearDown(self):
        log.configure()

    def started(self):
        self.owner, self.security = self.router.owner, self.router.owner.security
        self.store, self.told = self.router.store, []
        self.owner.tell_notices_to(self.tell)

    def tell(self, kind, _entry, undo_id):
        if kind != "new_browser":
            self.told.append((kind, undo_id))

    def factors(self):
        return {key: self.store.get(key) for key in FACTORS}

    def set_password(self, new=THIEFS, old=PASSWORD):
        self.security.change_password(self.stolen, THIEF, old, new)

    def add(self):
        """Another authenticator; returns its secret."""
        shown = self.security.begin_authenticator(self.stolen)
        secret = base32.decode(shown.secret)
        code = totp.hotp(secret, totp.step_at(self.router.clocks.unix_s))
        self.security.add_authenticator(self.stolen, THIEF, shown.secret, code, "Mine")
        return secret

    def first_id(self):
        return self.owner.status()["authenticators"][0]["id"]

    def undo(self, undo_id=None, account_id="a1"):
        undo_id = undo_id or self.store.get(store_keys.UNDO)["id"]
        return self.owner.undo({"undo_id": undo_id, "account_id": account_id})

    def file(self):
        return self.router.files.open("journal").read(1 << 20)

    def hours(self, count):
        for _ in range(count):
            earlier.connected(self.store, earlier.LOOK_S)


class TestEveryChange(UndoTest):
    def changes(self):
        yield "password_changed", self.set_password
        yield "authenticator_added", self.add
        yield "recovery_codes_renewed", lambda: self.security.renew_recovery_codes(self.stolen, THIEF)
        yield "two_factor_off", lambda: self.security.switch_off(
            self.stolen, THIEF, PASSWORD, self.router.phone()
        )

    def test_each_is_told_with_an_id_by_which_the_router_goes_back(self):
        for kind, change in self.changes():
            change()
            self.assertEqual(self.told[-1], (kind, self.store.get(store_keys.UNDO)["id"]))
            self.assertTrue(self.undo())
            self.assertEqual(self.told[-1], ("changes_undone", None))
            self.assert_back()
            self.router.clocks.wait(60)
            self.stolen = self.router.sign_in(THIEF)
            self.router.clocks.wait(30)

    def assert_back(self):
        """All but the steps, of which some may have been used since."""
        now = self.factors()
        for row in now[store_keys.AUTHENTICATORS] + self.before[store_keys.AUTHENTICATORS]:
            for field in ("last_step", "drift_steps", "last_used_at"):
                row[field] = 0
        self.assertEqual(now, self.before)

    def test_two_factor_on_again_is_one_too_and_goes_back_to_off(self):
        self.store.delete(store_keys.CLOUD_OWNER)
        self.security.switch_off(self.stolen, THIEF, PASSWORD, self.router.phone())
        self.assertEqual(self.told, [("two_factor_off", None)])  # nobody could ask for it
        self.store.put(store_keys.CLOUD_OWNER, ADA)
        self.add()
        self.assertEqual(self.told[-1][0], "two_factor_on")
        self.assertTrue(self.undo())
        self.assertFalse(self.security.is_two_factor)
        self.assertIsNone(self.store.get(store_keys.RECOVERY))

    def test_what_is_kept_is_in_the_same_change_of_the_store(self):
        steps = self.router.files.steps
        self.set_password()
        self.assertLessEqual(self.router.files.steps - steps, 2)  # a write and a sync

    def test_a_cut_of_power_leaves_the_undo_done_or_as_it_was(self):
        self.set_password()
        undo_id = self.store.get(store_keys.UNDO)["id"]
        self.router.files.crash_at = self.router.files.steps + 2  # written, not yet synced
        with self.assertRaises(PowerLost):
            self.undo()
        for number, survivor in enumerate(self.router.files.survivors()):
            if number % 60 == 0:
                self.router.restart(survivor)
                self.started()
                self.assertTrue(self.undo(undo_id))
                self.owner.signing_in.password(PASSWORD, HOME)


class TestRun(UndoTest):
    def test_whatever_a_thief_changes_besides_the_first_state_comes_back(self):
        self.set_password()
        self.add()
        self.security.remove_authenticator(self.stolen, THIEF, self.first_id())
        for number in range(9):
            self.set_password(f"{THIEFS} {number + 1}", THIEFS if not number else f"{THIEFS} {number}")
        self.assertEqual(len({undo_id for _kind, undo_id in self.told}), 1)
        self.assertTrue(self.undo())
        self.assertEqual(refused(self.owner.signing_in.password, f"{THIEFS} 9", THIEF).field, "password")
        self.router.sign_in(HOME)
        self.assertEqual(len(self.owner.status()["authenticators"]), 1)

    def test_everybody_is_out_and_the_history_says_by_whom(self):
        self.set_password()
        trust, records = self.owner.trust.begin(LAPTOP)
        self.owner._keeper.keep(records)
        token = self.owner.api_tokens.create(THIEF, "Mine", "status:read", "30")
        self.assertTrue(trust and self.owner.api_tokens.find(token))
        under_way = self.owner.signing_in.password(THIEFS, THIEF)
        self.assertTrue(self.undo())
        self.assertIsNone(self.owner.session(self.stolen, True))
        self.assertIsNone(self.owner.api_tokens.find(token))
        self.assertEqual(self.owner.trust.listed(), [])
        refused(self.owner.signing_in.code, under_way, self.router.phone(), THIEF)
        entry = self.security.history()[0]
        self.assertEqual((entry["result"], entry["address"]), ("changes undone", "cloud"))

    def test_a_router_that_was_released_goes_back_for_who_had_it(self):
        records, undo_id = self.owner.before_release()
        self.store.put_many(records, (store_keys.CLOUD_OWNER,))
        self.set_password()
        self.store.put(store_keys.CLOUD_OWNER, EVE)  # a thief's own account
        self.add()
        self.assertEqual([told for _kind, told in self.told], [None, None])
        self.assertFalse(self.undo(undo_id, "e1"))
        self.assertTrue(self.undo(undo_id))
        self.router.sign_in(HOME)

    def test_twice_is_harmless_and_undoes_nothing_that_came_after(self):
        self.set_password()
        undo_id = self.store.get(store_keys.UNDO)["id"]
        self.assertTrue(self.undo() and self.undo())
        self.assertEqual(len([kind for kind, _ in self.told if kind == "changes_undone"]), 1)
        token = self.router.sign_in(HOME)
        self.security.change_password(token, HOME, PASSWORD, "quite another lantern")
        self.assertFalse(self.undo(undo_id))
        self.owner.signing_in.password("quite another lantern", HOME)

    def test_an_id_that_was_not_told_or_another_account_changes_nothing(self):
        self.set_password()
        changed = self.factors()
        self.assertFalse(self.undo("0011223344556677"))
        self.assertFalse(self.undo(account_id="e1"))
        self.assertEqual(self.factors(), changed)

    def test_the_deed_is_not_held_in_memory(self):
        self.set_password()
        self.undo()
        self.assertNotIn("gatelodge.owner.undoing", sys.modules)


class TestUsedUp(UndoTest):
    def test_a_code_that_was_used_stays_used_though_its_authenticator_was_removed(self):
        self.add()
        used = self.router.phone()
        self.owner.signing_in.code(self.owner.signing_in.password(PASSWORD, LAPTOP), used, LAPTOP)
        self.security.remove_authenticator(self.stolen, THIEF, self.first_id())
        self.assertTrue(self.undo())
        token = self.owner.signing_in.password(PASSWORD, HOME)
        self.assertEqual(refused(self.owner.signing_in.code, token, used, HOME).field, "code")

    def test_nor_does_the_code_that_switched_two_factor_off(self):
        for used in (self.router.phone(), self.codes[0]):
            self.security.switch_off(self.stolen, THIEF, PASSWORD, used)
            self.assertTrue(self.undo())
            self.router.clocks.wait(1)
            token = self.owner.signing_in.password(PASSWORD, HOME)
            way = self.owner.signing_in.code if totp.cleaned(used) else self.owner.signing_in.recovery_code
            refused(way, token, used, HOME)
            self.router.clocks.wait(60)
            self.stolen = self.router.sign_in(THIEF)

    def test_a_recovery_code_that_was_spent_does_not_come_back_with_the_others(self):
        self.set_password()
        token = self.owner.signing_in.password(THIEFS, LAPTOP)
        self.owner.signing_in.recovery_code(token, self.codes[0], LAPTOP)
        self.security.renew_recovery_codes(self.stolen, THIEF)
        self.assertTrue(self.undo())
        self.assertEqual(recovery.remaining(self.store.get(store_keys.RECOVERY)), recovery.COUNT - 1)
        token = self.owner.signing_in.password(PASSWORD, HOME)
        refused(self.owner.signing_in.recovery_code, token, self.codes[0], HOME)
        self.assertIsNotNone(self.owner.signing_in.recovery_code(token, self.codes[1], HOME))


class TestForHowLong(UndoTest):
    def test_it_ends_after_three_days_of_being_connected_by_no_clock_and_no_restart(self):
        self.set_password()
        self.router.clocks.wait(5 * 365 * 86400)  # two codes of a thief's own phone can do that
        self.hours(71)
        self.router.restart()
        self.started()
        self.assertTrue(store_keys.UNDO in self.store.keys())  # noqa: SIM118 - a Store is no dict
        self.hours(1)
        self.assertNotIn(store_keys.UNDO, self.store.keys())
        self.assertFalse(self.undo("0011223344556677"))

    def test_a_later_change_prolongs_it_but_none_of_another_account(self):
        self.set_password()
        self.hours(71)
        self.add()
        self.hours(71)
        self.store.put(store_keys.CLOUD_OWNER, EVE)
        self.set_password(THIEFS + "!", THIEFS)
        self.hours(1)
        self.assertNotIn(store_keys.UNDO, self.store.keys())

    def test_nothing_of_it_is_left_in_the_journals_file(self):
        hashed = self.before[store_keys.OWNER]["hash"].encode()
        self.set_password()
        self.assertIn(hashed, self.file())
        self.hours(72)
        self.assertNotIn(hashed, self.file())

    def test_nor_of_the_thiefs_after_the_undo_and_nothing_at_all_after_a_reset(self):
        self.set_password()
        thiefs = self.store.get(store_keys.OWNER)["hash"].encode()
        self.assertTrue(self.undo())
        self.assertNotIn(thiefs, self.file())
        self.owner.reset.wipe("a test")
        self.assertNotIn(store_keys.UNDO, self.store.keys())

    def test_a_router_in_no_account_keeps_nothing(self):
        self.store.delete(store_keys.CLOUD_OWNER)
        self.set_password()
        self.assertNotIn(store_keys.UNDO, self.store.keys())
        self.hours(1)
        self.assertNotIn(store_keys.UNDO_AGE, self.store.keys())


if __name__ == "__main__":
    unittest.main()
