"""Somebody at the router: the serial console's words, what they open, and a factory reset."""

import unittest

from gatelodge import log, store_keys
from gatelodge.core import presence, throttle
from gatelodge.owner import reset
from gatelodge.store import Store

from tests.fakes.crashing_files import PowerLost
from tests.firmware.owner_rig import CODE, HOME, IDENTITY, LAPTOP, PASSWORD, THIEF, Router, refused, visitor

WRONG = "not the password"
OWNED = (store_keys.OWNER, store_keys.AUTHENTICATORS, store_keys.RECOVERY, store_keys.CLOUD_OWNER)


class NotedPower:
    """As gatelodge.power.Power, and nothing goes down."""

    def __init__(self):
        self.done = []

    def restart(self, by):
        self.done.append(("restart", by))

    def reset(self, by):
        self.done.append(("reset", by))


class AtTheRouter(unittest.TestCase):
    def setUp(self):
        log.configure("/dev/null")
        self.router = Router()
        self.setup = self.router.set_up()
        self.owner = self.router.owner
        self.desk = self.owner.at_console
        self.clocks = self.router.clocks

    def tearDown(self):
        log.configure()

    def close(self, factor="password"):
        """A hundred failures of strangers, in no time."""
        for number in range(throttle.CLOSED_FROM):
            self.owner._keeper.count_failure(factor, visitor(100 + number))

    def try_password(self, client, text=PASSWORD):
        return self.owner.signing_in.password(text, client)


class TestUnlocking(AtTheRouter):
    def test_a_closed_factor_says_what_opens_it(self):
        self.close()
        error = refused(self.try_password, LAPTOP)
        self.assertEqual((error.field, error.offer, error.wait_s), ("password", "presence", None))
        self.assertIn("Press the button on the router, or type unlock on its serial console", error.text)
        self.clocks.wait(365 * 86400)
        self.assertEqual(refused(self.try_password, LAPTOP).text, error.text)

    def test_the_history_tells_when_a_factor_was_closed_and_only_then(self):
        self.close()
        self.owner._keeper.count_failure("password", THIEF, "wrong password")
        results = [entry["result"] for entry in self.owner._keeper.history.entries()]
        self.assertEqual((results[0], results.count("locked out")), ("wrong password", 1))
        self.assertIn("too many wrong tries of the password", log.lines()[-1])

    def test_a_closed_code_offers_the_recovery_code_which_is_another_factor(self):
        self.close("code")
        token = self.try_password(LAPTOP)
        self.assertEqual(refused(self.owner.signing_in.code, token, "123456", LAPTOP).offer, "recovery")
        self.owner.signing_in.recovery_code(token, self.setup.recovery_codes[0], LAPTOP)

    def test_unlock_lets_the_owner_in_from_a_new_device_whatever_strangers_do(self):
        self.close("password")
        self.close("code")
        self.desk.unlock()
        for number in range(60, 250):
            refused(self.try_password, visitor(number), WRONG)
        token = self.try_password(LAPTOP)
        self.assertIsNotNone(self.owner.signing_in.code(token, self.router.phone(), LAPTOP))

    def test_the_button_opens_as_the_console_does(self):
        self.close()
        self.assertTrue(self.owner.grant_presence(presence.BUTTON))
        self.try_password(LAPTOP)

    def test_each_client_has_one_try_and_after_five_minutes_none(self):
        self.close()
        self.desk.unlock()
        self.assertIn("not the password", refused(self.try_password, THIEF, WRONG).text)
        self.assertEqual(refused(self.try_password, THIEF).offer, "presence")
        self.clocks.wait(presence.LASTS_S)
        self.assertEqual(refused(self.try_password, LAPTOP).offer, "presence")

    def test_a_success_by_presence_opens_the_budget_again(self):
        self.close()
        self.desk.unlock()
        self.try_password(LAPTOP)
        self.clocks.wait(presence.LASTS_S)
        self.try_password(THIEF)

    def test_presence_also_ends_a_wait(self):
        for _ in range(5):
            refused(self.try_password, LAPTOP, WRONG)
        self.assertEqual(refused(self.try_password, LAPTOP).wait_s, 10)
        self.desk.unlock()
        self.try_password(LAPTOP)

    def test_what_needs_no_presence_uses_up_none(self):
        self.desk.unlock()
        self.try_password(HOME)
        self.close()
        self.try_password(LAPTOP)

    def test_unlock_says_when_it_was_done_a_moment_ago(self):
        self.assertIn("one more try", self.desk.unlock()[0])
        self.clocks.wait(20)
        self.assertEqual(self.desk.unlock(), ["Unlocked a moment ago. It can be done again in 40 s."])

    def test_a_restart_keeps_it_closed_and_ends_presence(self):
        self.close()
        self.desk.unlock()
        self.router.restart()
        self.owner = self.router.owner
        self.assertEqual(refused(self.try_password, LAPTOP).offer, "presence")

    def test_presence_gives_no_factor_away(self):
        self.desk.unlock()
        token = self.try_password(LAPTOP)
        self.assertIn("not the code", refused(self.owner.signing_in.code, token, "000000", LAPTOP).text)


class TestStatus(AtTheRouter):
    def test_it_tells_of_the_owner_and_of_nothing_else_when_all_is_well(self):
        self.assertEqual(self.desk.status(), [("owner", "yes")])
        self.assertEqual(Router().owner.at_console.status(), [("owner", "none yet")])

    def test_it_tells_what_is_held_back_and_what_is_unlocked(self):
        self.close("code")
        for number in range(10):
            self.owner._keeper.count_failure("password", visitor(100 + number))
        self.desk.unlock()
        told = dict(self.desk.status())
        self.assertIn("closed", told["code"])
        self.assertEqual((told["password"], told["unlocked"]), ("wait 60 s", "for 5 minutes"))

    def test_it_tells_no_secret(self):
        told = str(self.desk.status())
        for secret in (PASSWORD, CODE, self.setup.session_token):
            self.assertNotIn(secret, told)


class TestRecovering(AtTheRouter):
    def codes(self, password=PASSWORD):
        return self.desk.recover(password)[2:]

    def test_the_password_gives_ten_new_codes_and_each_signs_in(self):
        codes = self.codes()
        self.assertEqual(len(set(codes)), 10)
        self.clocks.is_set = False
        token = self.try_password(LAPTOP)
        self.assertIsNotNone(self.owner.signing_in.recovery_code(token, codes[9], LAPTOP))

    def test_the_old_codes_are_void(self):
        self.codes()
        token, old = self.try_password(LAPTOP), self.setup.recovery_codes[0]
        error = refused(self.owner.signing_in.recovery_code, token, old, LAPTOP)
        self.assertIn("not on the list", error.text)

    def test_every_session_and_trusted_browser_ends_and_the_history_tells(self):
        self.router.store.put(store_keys.TRUSTED, [{"id": "a1", "hash": "00"}])
        self.codes()
        self.assertIsNone(self.owner.session(self.setup.session_token, True))
        self.assertEqual(self.router.store.get(store_keys.TRUSTED), [])
        self.assertEqual(self.owner._keeper.history.entries()[0]["result"], "recovered at the console")

    def test_a_wrong_password_changes_nothing_and_is_logged_without_it(self):
        self.assertEqual(self.desk.recover(WRONG), ["This is not the password. Try again."])
        self.assertNotIn(WRONG, "".join(log.lines()))
        self.assertIn("a wrong password at the serial console", log.lines()[-1])
        self.assertIsNotNone(self.owner.session(self.setup.session_token, True))

    def test_it_is_throttled_and_unlock_does_not_open_it(self):
        for _ in range(20):
            self.desk.recover(WRONG)
            self.clocks.wait(300)
        told = ["Too many wrong tries. Wait 10 minutes, then try again."]
        self.assertEqual(self.desk.recover(PASSWORD), told)
        self.desk.unlock()
        self.assertEqual(len(self.codes()), 0)
        self.clocks.wait(600)
        self.assertEqual(len(self.codes()), 10)

    def test_strangers_on_the_network_do_not_close_it(self):
        self.close()
        self.assertEqual(len(self.codes()), 10)

    def test_the_codes_are_on_the_flash_before_they_are_shown(self):
        codes = self.codes()
        self.router.restart()
        token = self.router.owner.signing_in.password(PASSWORD, LAPTOP)
        self.router.owner.signing_in.recovery_code(token, codes[0], LAPTOP)

    def test_without_a_second_factor_there_is_nothing_to_recover(self):
        self.router.store.put(store_keys.AUTHENTICATORS, [])
        self.assertEqual(self.desk.recover(PASSWORD), ["Two-factor is off: the password alone signs you in."])
        self.assertEqual(self.desk.recover(WRONG), ["This is not the password. Try again."])

    def test_a_router_without_an_owner_has_nothing_to_recover(self):
        told = Router().owner.at_console.recover(PASSWORD)
        self.assertEqual(told, ["This router has no owner yet. Set it up first."])


class TestReset(AtTheRouter):
    def kept(self):
        present = self.router.store.keys()
        return [key for key in present if key != store_keys.CLOUD_RESET]

    def test_it_wipes_what_was_the_owners_and_nothing_else(self):
        self.router.store.put_many({store_keys.LOCKED: True, store_keys.DEVICE_KEY: "AA=="})
        self.router.store.put_many({store_keys.CLOUD_OWNER: {}, store_keys.COMMANDS: {}, "of the future": 1})
        self.close()
        self.owner.reset.wipe("the serial console")
        self.assertEqual(self.kept(), sorted(store_keys.KEPT_AT_RESET))
        self.assertEqual(self.router.store.get(store_keys.IDENTITY), IDENTITY)

    def test_the_flash_itself_holds_nothing_of_the_owners_any_more(self):
        rows = self.router.store.get(store_keys.AUTHENTICATORS)
        secrets = [rows[0]["secret"], self.router.store.get(store_keys.OWNER)["hash"], HOME.address]
        files = self.router.files
        held = files._names["journal"].durable
        self.assertEqual([secret.encode() in held for secret in secrets], [True] * 3)
        self.owner.reset.wipe("the serial console")
        held = b"".join([content.durable for content in files._names.values()])
        self.assertEqual([secret.encode() in held for secret in secrets], [False] * 3)
        self.assertIn(IDENTITY["service_code"].encode(), held)

    def test_nobody_is_signed_in_afterwards_and_the_label_sets_it_up_again(self):
        self.owner.reset.wipe("the serial console")
        self.assertIsNone(self.owner.session(self.setup.session_token, True))
        self.router.restart()
        self.assertFalse(self.router.owner.is_set_up)
        done = self.router.set_up()
        self.assertIsNotNone(self.router.owner.session(done.session_token, True))

    def test_failures_before_it_are_forgiven_with_the_rest(self):
        self.close("service_code")
        self.owner.reset.wipe("the serial console")
        self.owner.setup.check_service_code(CODE, LAPTOP)

    def test_the_clock_never_runs_below_its_floor_afterwards(self):
        floor = self.router.store.get(store_keys.CLOCK_FLOOR)
        self.owner.reset.wipe("the serial console")
        self.assertEqual(self.router.store.get(store_keys.CLOCK_FLOOR), floor)

    def test_the_cloud_is_owed_the_news_and_each_reset_has_an_id_of_its_own(self):
        ids = []
        for _ in range(2):
            self.owner.reset.wipe("the serial console")
            ids.append(self.router.store.get(store_keys.CLOUD_RESET))
        self.assertEqual([len(reset_id) for reset_id in ids], [2 * reset.ID_BYTES] * 2)
        self.assertNotEqual(ids[0], ids[1])

    def test_a_power_cut_leaves_the_owner_or_nobody_and_never_half_of_one(self):
        self.router.store.put(store_keys.CLOUD_OWNER, {"account_id": "a1"})
        self.router.files.crash_at = self.router.files.steps + 2  # written, not yet synced
        with self.assertRaises(PowerLost):
            self.owner.reset.wipe("the serial console")
        seen = set()
        for number, files in enumerate(self.router.files.survivors()):
            if number % 40 == 0:  # the store's own tests cut at every byte
                store = Store(files, "journal").open()
                found = [store.get(key) is not None for key in OWNED]
                seen.add((all(found), any(found), store.get(store_keys.CLOUD_RESET) is not None))
        self.assertEqual(seen - {(True, True, False), (False, False, True)}, set())

    def test_at_the_console_the_serial_number_confirms_it_in_any_case(self):
        answers = (("GL-000124", False), ("yes", False), ("GL-000123", True), (" gl-000123 ", True))
        for text, is_reset in answers:
            power = NotedPower()
            told = self.desk.actions(power)["reset"](text)
            self.assertEqual(power.done, [("reset", "the serial console")] if is_reset else [])
            self.assertIn("no owner any more" if is_reset else "Nothing was changed", told[0])

    def test_a_restart_is_asked_for_by_its_word(self):
        power = NotedPower()
        self.assertEqual(self.desk.actions(power)["restart"](), ["The router restarts."])
        self.assertEqual(power.done, [("restart", "the serial console")])


if __name__ == "__main__":
    unittest.main()
