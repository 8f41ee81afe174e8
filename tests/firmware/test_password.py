import unittest

from gatelodge import compat
from gatelodge.contract import common_passwords
from gatelodge.contract.errors import StateError
from gatelodge.core import new_password, password

SALT = b"0123456789abcdef"
GOOD = "lantern over quiet water"


def record(text):
    return password.new_record(text, SALT, 1)


class TestPolicy(unittest.TestCase):
    def test_length_is_8_to_128_characters(self):
        self.assertEqual(new_password.refusal("k7#pQz2"), password.TOO_SHORT)
        self.assertIsNone(new_password.refusal("k7#pQz2m"))
        self.assertIsNone(new_password.refusal("ab7 xq!k" * 8 + "0123 tulip reads " * 3 + "k7#pQz2m+w@r_"))
        self.assertEqual(new_password.refusal("k7#pQz2m" * 16 + "!"), password.TOO_LONG)

    def test_length_counts_characters_not_bytes(self):
        self.assertIsNone(new_password.refusal("\u0416\u0443\u043a\u0438 \u0451\u043b\u044c"))

    def test_the_first_guesses_are_refused(self):
        for text in (
            "password",
            "Password1",
            "P@ssw0rd",
            "Password123!",
            "12345678",
            "87654321",
            "qwerty123",
            "iloveyou2",
            "aaaaaaaa",
            "abcabcabc",
            "1q2w3e4r5t",
            "asdf1234",
            "football2024",
            "Summer2026!",
            "gatelodge1",
            "letmein!",
        ):
            self.assertEqual(new_password.refusal(text), password.COMMON, text)

    def test_every_common_word_of_eight_letters_is_refused(self):
        for word in common_passwords.WORDS.split():
            self.assertTrue(len(word) <= common_passwords.LONGEST, word)
            if len(word) >= password.SHORTEST:
                self.assertEqual(new_password.refusal(word), password.COMMON, word)

    def test_no_composition_is_asked_for(self):
        for text in (
            "zonsopgang",
            "k7#pQz2m",
            GOOD,
            "83620574",
            "\u043a\u043e\u0440\u0430\u0431\u043b\u0438\u043a",
        ):
            self.assertIsNone(new_password.refusal(text), text)

    def test_control_characters_are_refused(self):
        self.assertEqual(new_password.refusal("k7#pQz2m\n"), password.CONTROL)
        self.assertEqual(new_password.refusal("k7#p\0Qz2m"), password.CONTROL)

    def test_strength_rises_with_what_cannot_be_foreseen(self):
        texts = ("password", "k7#pQz2m", "zonsopgang", "zonsopgang-fiets", GOOD)
        self.assertEqual([new_password.strength(text) for text in texts], [0, 1, 2, 4, 4])

    def test_strength_stays_within_0_to_4(self):
        for text in ("", "a", "x" * 128, "k7#pQz2m" * 16, "k7#pQz2m" * 100):
            self.assertIn(new_password.strength(text), (0, 1, 2, 3, 4))


class TestKeeping(unittest.TestCase):
    def test_the_record_is_pbkdf2_of_rfc_8018(self):
        kept = password.new_record("password", SALT, 1000)
        expected = compat.pbkdf2_sha256(b"password", SALT, 1000, 32)
        self.assertEqual(kept["hash"], expected.hex())
        self.assertEqual(
            (kept["algorithm"], kept["iterations"], kept["salt"]), ("pbkdf2-sha256", 1000, SALT.hex())
        )

    def test_the_right_password_and_only_it_is_right(self):
        kept = record(GOOD)
        self.assertTrue(password.verify(kept, GOOD))
        for text in ("", GOOD + " ", GOOD.upper(), GOOD[:-1], "\n", "x" * 100000):
            self.assertFalse(password.verify(kept, text))

    def test_a_longer_text_with_the_same_beginning_is_wrong(self):
        longest = "k7#pQz2m" * 16
        self.assertTrue(password.verify(record(longest), longest))
        self.assertFalse(password.verify(record(longest), longest + "!"))

    def test_a_foreign_space_is_a_space(self):
        self.assertTrue(password.verify(record("lantern over"), "lantern\u00a0over"))

    def test_accents_are_compared_as_typed(self):
        self.assertTrue(password.verify(record("caf\u00e9 noir"), "caf\u00e9 noir"))
        self.assertFalse(password.verify(record("caf\u00e9 noir"), "cafe\u0301 noir"))

    def test_an_unknown_algorithm_is_not_taken_for_a_wrong_password(self):
        kept = record(GOOD)
        kept["algorithm"] = "argon2id"
        with self.assertRaises(StateError):
            password.verify(kept, GOOD)

    def test_iterations_are_calibrated_to_the_target(self):
        self.assertEqual(password.calibrated_iterations(lambda n: n // 1000), 300000)
        self.assertEqual(password.calibrated_iterations(lambda n: n // 50), 15000)

    def test_a_slow_router_does_not_get_a_weak_password(self):
        self.assertEqual(password.calibrated_iterations(lambda n: n), password.FEWEST_ITERATIONS)

    def test_a_clock_that_stands_still_ends_in_the_most(self):
        self.assertEqual(password.calibrated_iterations(lambda n: 0), password.MOST_ITERATIONS)


if __name__ == "__main__":
    unittest.main()
