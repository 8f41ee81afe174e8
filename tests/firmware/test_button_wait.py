import unittest

from gatelodge.core import throttle
from gatelodge.core.button_wait import ADMITTED, HEARD_S, HELD_BACK, MOST, SHARED, WAITING, ButtonWait
from gatelodge.core.presence import BUTTON, CONSOLE

from tests.firmware.owner_rig import HOME, LAPTOP, PASSWORD, THIEF, Router, refused


class TestButtonWait(unittest.TestCase):
    def setUp(self):
        self.wait = ButtonWait()

    def test_the_one_who_waits_is_let_in_once(self):
        self.assertEqual(self.wait.ask("a", 0), WAITING)
        self.assertTrue(self.wait.pressed(1, False))
        self.assertEqual([self.wait.ask("a", 2), self.wait.ask("a", 3)], [ADMITTED, WAITING])

    def test_of_two_nobody_is_let_in_and_both_are_told(self):
        self.wait.ask("a", 0)
        self.wait.ask("b", 0)
        self.assertFalse(self.wait.pressed(1, False))
        self.assertEqual([self.wait.ask("a", 1), self.wait.ask("b", 1)], [SHARED, SHARED])

    def test_a_press_before_the_question_or_long_after_the_last_lets_nobody_in(self):
        self.assertFalse(self.wait.pressed(0, False))
        self.assertEqual(self.wait.ask("a", 1), WAITING)
        self.assertFalse(self.wait.pressed(1 + HEARD_S + 1, False))
        self.assertEqual(self.wait.ask("a", 8), WAITING)

    def test_an_admission_that_nobody_fetches_is_over(self):
        self.wait.ask("a", 0)
        self.wait.pressed(1, False)
        self.assertEqual(self.wait.ask("a", 1 + HEARD_S), WAITING)

    def test_while_a_factor_is_closed_a_press_lets_nobody_in(self):
        self.wait.ask("a", 0)
        self.assertFalse(self.wait.pressed(1, True))
        self.assertEqual(self.wait.ask("a", 1), HELD_BACK)

    def test_those_who_wait_are_bounded_and_a_crowd_lets_nobody_in(self):
        told = [self.wait.ask(number, 0) for number in range(MOST + 5)]
        self.assertEqual(told, [WAITING] * MOST + [SHARED] * 5)
        self.assertFalse(self.wait.pressed(1, False))


class TestSignInByTheButton(unittest.TestCase):
    def setUp(self):
        self.router = Router()
        self.router.set_up()
        self.owner, self.clocks = self.router.owner, self.router.clocks
        self.signing_in = self.owner.signing_in

    def waiting(self, client=HOME):
        token = self.signing_in.password(PASSWORD, client)
        self.assertIsNone(self.signing_in.button(token, client))
        return token

    def press(self, source=BUTTON):
        self.clocks.wait(1)
        return self.owner.grant_presence(source)

    def test_a_press_after_the_password_signs_in_and_is_told_as_such(self):
        token = self.waiting()
        self.press()
        session = self.owner.session(self.signing_in.button(token, HOME), True)
        self.assertFalse(session.is_proved)
        newest = self.owner.security.history()[0]
        self.assertEqual((newest["result"], newest["method"]), ("signed in", "button"))
        self.assertEqual(refused(self.signing_in.button, token, HOME).offer, "start")

    def test_it_needs_no_clock(self):
        self.clocks.is_set = False
        token = self.waiting()
        self.press()
        self.assertTrue(self.signing_in.button(token, HOME))

    def test_without_the_password_there_is_nothing_to_wait_with(self):
        self.press()
        for token in ("", "guess"):
            self.assertEqual(refused(self.signing_in.button, token, THIEF).offer, "start")
        token = self.waiting()
        self.assertEqual(refused(self.signing_in.button, token, THIEF).offer, "start")

    def test_the_press_is_spent_by_it(self):
        token = self.waiting()
        self.press()
        self.assertEqual(self.owner._keeper.presence.left_s(self.owner._keeper.now_s()), 0)
        self.signing_in.button(token, HOME)
        other = self.waiting(LAPTOP)
        self.assertIsNone(self.signing_in.button(other, LAPTOP))

    def test_a_thief_who_waits_beside_the_owner_gets_nothing_and_is_told_of(self):
        thief, owner = self.waiting(THIEF), self.waiting(HOME)
        self.press()
        for token, client in ((thief, THIEF), (owner, HOME)):
            self.assertIn("Another browser", refused(self.signing_in.button, token, client).text)

    def test_a_thief_who_closes_a_factor_does_not_get_the_press_that_opens_it(self):
        thief = self.waiting(THIEF)
        for _ in range(throttle.CLOSED_FROM):
            self.owner._keeper.count_failure("code", THIEF)
        self.assertIsNone(self.signing_in.button(thief, THIEF))
        self.press()
        self.assertIn("one more try", refused(self.signing_in.button, thief, THIEF).text)
        self.assertTrue(self.router.sign_in(HOME))

    def test_the_serial_console_is_no_button(self):
        token = self.waiting()
        self.press(CONSOLE)
        self.assertIsNone(self.signing_in.button(token, HOME))
        self.assertEqual(self.signing_in.button_rests_s(), 60)

    def test_a_new_password_or_factor_ends_the_wait(self):
        token = self.waiting()
        self.signing_in.begin_again()
        self.press()
        self.assertEqual(refused(self.signing_in.button, token, HOME).offer, "start")


if __name__ == "__main__":
    unittest.main()
