import unittest

from gatelodge.contract.errors import StateError
from gatelodge.core import signin

EVENTS = {event for _, event in signin.TRANSITIONS}
STATES = {signin.PASSWORD, signin.CODE, signin.SIGNED_IN}


def at(state):
    attempt = signin.Signin("10.0.0.2")
    attempt.state = state
    return attempt


class TestSignin(unittest.TestCase):
    def test_password_then_code(self):
        attempt = signin.Signin("10.0.0.2")
        self.assertEqual(attempt.happened(signin.PASSWORD_RIGHT), signin.CODE)
        self.assertEqual(attempt.happened(signin.CODE_RIGHT), signin.SIGNED_IN)

    def test_password_then_recovery_code(self):
        attempt = signin.Signin("10.0.0.2")
        attempt.happened(signin.PASSWORD_RIGHT)
        self.assertEqual(attempt.happened(signin.RECOVERY_RIGHT), signin.SIGNED_IN)

    def test_only_these_lead_in(self):
        leading_in = {key for key in signin.TRANSITIONS if signin.TRANSITIONS[key] == signin.SIGNED_IN}
        through_a_code = {
            signin.CODE_RIGHT,
            signin.TWO_CODES_RIGHT,
            signin.RECOVERY_RIGHT,
            signin.BUTTON_PRESSED,
        }
        without = {signin.PASSWORD_RIGHT_AND_TRUSTED, signin.PASSWORD_RIGHT_ALONE}
        expected = {(signin.CODE, event) for event in through_a_code}
        self.assertEqual(leading_in, expected | {(signin.PASSWORD, event) for event in without})

    def test_only_the_right_password_leads_anywhere_from_the_start(self):
        leading = {k[1] for k in signin.TRANSITIONS if k[0] == signin.PASSWORD != signin.TRANSITIONS[k]}
        right = {signin.PASSWORD_RIGHT, signin.PASSWORD_RIGHT_AND_TRUSTED, signin.PASSWORD_RIGHT_ALONE}
        self.assertEqual(leading, right)

    def test_what_the_table_does_not_name_is_an_error_and_changes_nothing(self):
        for state in STATES:
            for event in EVENTS:
                if (state, event) not in signin.TRANSITIONS:
                    attempt = at(state)
                    with self.assertRaises(StateError):
                        attempt.happened(event)
                    self.assertEqual(attempt.state, state)

    def test_an_unset_clock_leads_nowhere(self):
        self.assertEqual(at(signin.CODE).happened(signin.CLOCK_UNSET), signin.CODE)

    def test_signed_in_is_the_end(self):
        self.assertEqual([key for key in signin.TRANSITIONS if key[0] == signin.SIGNED_IN], [])


if __name__ == "__main__":
    unittest.main()
