import unittest

from gatelodge.core import recovery

RANDOM = bytes([(i * 37 + 11) % 256 for i in range(recovery.COUNT * recovery.RANDOM_BYTES)])
SALT = b"0123456789abcdef"
CODES = recovery.generate(RANDOM)


def record():
    return recovery.new_record(CODES, SALT, 10000, 1800000000)


class TestRecovery(unittest.TestCase):
    def test_ten_different_codes_of_two_groups_of_five(self):
        self.assertEqual(len(set(CODES)), 10)
        for code in CODES:
            self.assertEqual((len(code), code[5]), (11, "-"))

    def test_a_code_carries_fifty_bits(self):
        lowest, highest = recovery.generate(bytes(160))[0], recovery.generate(b"\xff" * 160)[0]
        self.assertEqual((lowest, highest), ("00000-00000", "ZZZZZ-ZZZZZ"))

    def test_nothing_readable_is_kept(self):
        kept = str(record())
        for code in CODES:
            self.assertNotIn(recovery.cleaned(code), kept)

    def test_each_code_is_spent_once_in_any_order(self):
        kept = record()
        for count, code in enumerate(reversed(CODES)):
            kept = recovery.spend(kept, code)
            self.assertEqual(recovery.remaining(kept), 9 - count)
            self.assertIsNone(recovery.spend(kept, code))

    def test_spending_does_not_touch_the_record_it_was_given(self):
        kept = record()
        recovery.spend(kept, CODES[0])
        self.assertEqual(kept, record())

    def test_a_wrong_code_spends_nothing(self):
        for text in ("", "ZZZZZ-ZZZZZ", CODES[0][:-1], CODES[0] + CODES[1], "\u0416" * 10):
            self.assertIsNone(recovery.spend(record(), text))

    def test_codes_are_read_as_people_type_them(self):
        typed = CODES[3].lower().replace("-", " ").replace("0", "o").replace("1", "l")
        self.assertIsNotNone(recovery.spend(record(), " " + typed + " "))

    def test_what_cannot_be_a_code_is_seen_before_it_is_hashed(self):
        for text in ("", "12345", "UUUUU-UUUUU", "1" * 1000):
            self.assertIsNone(recovery.cleaned(text))

    def test_the_salt_changes_every_hash(self):
        other = recovery.new_record(CODES, b"fedcba9876543210", 10000, 0)
        for kept in record()["hashes"]:
            self.assertNotIn(kept, other["hashes"])

    def test_the_cost_follows_the_password(self):
        self.assertEqual(recovery.new_record([], SALT, 400000, 0)["iterations"], 40000)


if __name__ == "__main__":
    unittest.main()
