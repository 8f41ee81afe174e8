import unittest

from gatelodge.core import base32, totp

SECRET = b"12345678901234567890"  # of RFC 4226 appendix D and RFC 6238 appendix B

RFC_4226 = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()  # noqa: SIM905

# RFC 6238 appendix B for SHA-1, the last six of its eight digits
RFC_6238 = (
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
)
NOW = 1800000000  # the beginning of a step
STEP = NOW // 30


def code(step):
    return totp.hotp(SECRET, step)


class TestTotp(unittest.TestCase):
    def test_vectors_of_rfc_4226_appendix_d(self):
        self.assertEqual([code(counter) for counter in range(10)], RFC_4226)

    def test_vectors_of_rfc_6238_appendix_b(self):
        for now, digits in RFC_6238:
            self.assertEqual(totp.match(SECRET, digits, now, totp.NEVER, 0), now // 30)

    def test_one_step_either_side_is_tolerated_and_no_more(self):
        matched = [totp.match(SECRET, code(STEP + i), NOW, totp.NEVER, 0) for i in (-2, -1, 0, 1, 2)]
        self.assertEqual(matched, [None, STEP - 1, STEP, STEP + 1, None])

    def test_no_step_at_or_before_the_last_one_matches(self):
        matched = [totp.match(SECRET, code(STEP + i), NOW, STEP, 0) for i in (-1, 0, 1)]
        self.assertEqual(matched, [None, None, STEP + 1])

    def test_learned_drift_moves_the_window(self):
        self.assertEqual(totp.match(SECRET, code(STEP + 2), NOW, totp.NEVER, 1), STEP + 2)
        self.assertIsNone(totp.match(SECRET, code(STEP - 1), NOW, totp.NEVER, 1))

    def test_drift_is_learned_and_stays_within_the_tolerance(self):
        learned = [totp.learned_drift(STEP + i, NOW) for i in (-2, -1, 0, 1, 2)]
        self.assertEqual(learned, [-1, -1, 0, 1, 1])

    def test_a_right_clock_is_never_drifted_out_of_the_window(self):
        drift = 0
        for step in range(STEP, STEP + 20):  # the owner always types at the last moment that is tolerated
            late = totp.check(SECRET, code(step), (step + 1 - drift) * 30, step - 1, drift)
            self.assertEqual(late.step, step)
            drift = late.drift_steps
        self.assertEqual(totp.match(SECRET, code(STEP + 99), (STEP + 99) * 30, STEP, drift), STEP + 99)

    def test_the_last_used_code_is_told_from_a_wrong_one(self):
        used = totp.check(SECRET, code(STEP), NOW + 18, STEP, 0)
        wrong = totp.check(SECRET, "000000", NOW + 18, STEP, 0)
        self.assertEqual((used.step, used.reason, used.wait_s), (None, totp.USED, 12))
        self.assertEqual((wrong.step, wrong.reason), (None, totp.WRONG))

    def test_an_older_code_than_the_last_used_is_simply_wrong(self):
        self.assertEqual(totp.check(SECRET, code(STEP - 1), NOW, STEP, 0).reason, totp.WRONG)

    def test_a_used_code_that_the_app_no_longer_shows_needs_no_wait(self):
        self.assertEqual(totp.check(SECRET, code(STEP), NOW + 30, STEP, 0).wait_s, 0)

    def test_the_wait_counts_the_drift_of_the_authenticator(self):
        self.assertEqual(totp.check(SECRET, code(STEP + 1), NOW + 18, STEP + 1, 1).wait_s, 12)

    def test_codes_are_read_as_people_type_them(self):
        for text in ("123456", "123 456", " 123456 ", "123\u00a0456"):
            self.assertEqual(totp.cleaned(text), "123456")

    def test_what_is_not_six_digits_is_no_code(self):
        for text in (
            "",
            "12345",
            "1234567",
            "12345a",
            "\u0661\u0662\u0663\u0664\u0665\u0666",
            "123456" + " " * 100,
        ):
            self.assertIsNone(totp.cleaned(text))

    def test_a_clock_near_1970_is_no_reason_to_fail(self):
        self.assertEqual(totp.match(SECRET, RFC_4226[0], 0, totp.NEVER, -1), 0)

    def test_the_uri_holds_what_an_app_needs(self):
        uri = totp.uri(base32.decode("JBSWY3DPEHPK3PXP"), "Gatelodge", "GL-0001")
        self.assertEqual(uri, "otpauth://totp/Gatelodge:GL-0001?secret=JBSWY3DPEHPK3PXP&issuer=Gatelodge")

    def test_a_wrong_code_of_a_phone_that_is_off_tells_how_far_and_no_more(self):
        for off in (-11, -10, -2, 2, 5, 10, 11):
            expected = off if abs(off) <= totp.EXPLAINED_STEPS else None
            self.assertEqual(totp.steps_off(SECRET, code(STEP + off), NOW, totp.NEVER), expected)
            self.assertIsNone(totp.check(SECRET, code(STEP + off), NOW, totp.NEVER, 0).step)

    def test_nothing_is_told_of_a_code_that_may_have_been_used(self):
        self.assertIsNone(totp.steps_off(SECRET, code(STEP - 3), NOW, STEP - 3))
        self.assertEqual(totp.steps_off(SECRET, code(STEP - 3), NOW, STEP - 4), -3)


if __name__ == "__main__":
    unittest.main()
