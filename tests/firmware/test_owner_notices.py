import unittest

from gatelodge import log
from gatelodge.contract.messages import NOTICES
from gatelodge.core import signin
from gatelodge.core.signin import Visitor
from gatelodge.core.throttle import CLOSED_FROM
from gatelodge.owner import notices
from gatelodge.owner.history import RESULTS

from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, Router, refused


class NoticesTest(unittest.TestCase):
    def setUp(self):
        log.configure("/dev/null")
        self.router = Router()
        self.done = self.router.set_up()
        self.told = []
        self.router.owner.tell_notices_to(self.tell)

    def tearDown(self):
        log.configure()

    def tell(self, kind, entry, _undo_id):
        self.told.append((kind, entry["address"]))

    def trusted(self):
        token, records = self.router.owner.trust.begin(LAPTOP)
        self.router.owner._keeper.keep(records)
        return token

    def test_the_contract_names_every_kind_and_the_history_every_result(self):
        kinds = list(notices.KINDS.values()) + [notices.NEW_BROWSER]
        self.assertEqual(set(kinds), set(NOTICES))
        for result in list(notices.KINDS) + list(notices.LET_IN):
            self.assertIn(result, RESULTS)

    def test_a_browser_that_has_been_here_is_no_news(self):
        self.router.sign_in(HOME)
        self.assertEqual(self.told, [])

    def test_a_new_one_is_told_once(self):
        self.router.sign_in(LAPTOP)
        self.router.clocks.wait(30)
        self.router.sign_in(LAPTOP)
        self.assertEqual(self.told, [("new_browser", LAPTOP.address)])

    def test_another_browser_of_the_same_device_is_new(self):
        self.router.sign_in(Visitor(HOME.address, "curl", ""))
        self.assertEqual(self.told, [("new_browser", HOME.address)])

    def test_a_device_that_got_another_address_is_known_by_its_hardware(self):
        entry = {"number": 1, "result": "signed in", "method": signin.BY_CODE, "browser": "Firefox"}
        entry.update({"address": "192.168.1.9", "mac": "02:00:00:00:00:09"})
        before = dict(entry, number=0, address="192.168.1.8")
        self.assertIsNone(notices.kind_of(entry, lambda: [entry, before]))
        stranger = dict(before, mac="02:00:00:00:00:08")
        self.assertEqual(notices.kind_of(entry, lambda: [entry, stranger]), "new_browser")

    def test_a_trusted_browser_is_known_wherever_it_is(self):
        traveller = Visitor(THIEF.address, THIEF.browser, self.trusted())
        token = self.router.owner.signing_in.password(PASSWORD, traveller)
        self.assertIsNotNone(self.router.owner.signing_in.without_code(token, traveller))
        self.assertEqual(self.told, [])

    def test_wrong_tries_are_not_told_but_the_one_that_closes_is(self):
        owner = self.router.owner
        for _ in range(CLOSED_FROM):
            refused(owner.signing_in.password, "not the password", THIEF)
            self.router.clocks.wait(1000)
        self.assertEqual(self.told, [("locked_out", THIEF.address)])

    def test_every_change_of_a_factor_is_told(self):
        security, token = self.router.owner.security, self.done.session_token
        security.renew_recovery_codes(token, HOME)
        security.change_password(token, HOME, PASSWORD, "seven herons left the weir")
        security.switch_off(token, HOME, "seven herons left the weir", self.router.phone())
        kinds = [kind for kind, _ in self.told]
        self.assertEqual(kinds, ["recovery_codes_renewed", "password_changed", "two_factor_off"])

    def test_a_listener_that_fails_undoes_nothing(self):
        self.router.owner.tell_notices_to(lambda kind, entry, undo_id: 1 // 0)
        self.router.owner.security.renew_recovery_codes(self.done.session_token, HOME)
        self.assertEqual(self.router.owner.security.history()[0]["result"], "recovery codes renewed")


if __name__ == "__main__":
    unittest.main()
