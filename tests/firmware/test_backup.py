import binascii
import struct
import unittest

from gatelodge import compat
from gatelodge.core import backup
from gatelodge.core import password as passwords

PASSWORD = "nine slow barges pass"
SALT = bytes(range(16))
CONTENT = b'{"values":{"router.name":"Attic"}}'


def sealed(content=CONTENT):
    return backup.seal(content, PASSWORD, SALT, 3)


class FormatTest(unittest.TestCase):
    def refusal(self, file, password=PASSWORD):
        try:
            backup.unseal(file, password)
        except backup.BackupError as error:
            return error.why
        return None

    def test_what_was_sealed_is_opened(self):
        for length in (0, 1, 15, 16, 17, 4000):
            content = bytes([number & 255 for number in range(length)])
            self.assertEqual(backup.unseal(sealed(content), PASSWORD), content)

    def test_the_content_is_not_readable_in_the_file(self):
        self.assertNotIn(b"Attic", sealed())

    def test_another_salt_makes_another_file_from_the_first_byte_on(self):
        other = backup.seal(CONTENT, PASSWORD, bytes(16), 3)
        start = backup.HEADER_BYTES
        same = [sealed()[index] == other[index] for index in range(start, len(other))]
        self.assertLess(sum(same), len(same) // 4)

    def test_a_wrong_password_opens_nothing(self):
        for password in (PASSWORD + " ", PASSWORD[:-1], "", PASSWORD.upper()):
            self.assertEqual(self.refusal(sealed(), password), backup.NOT_GENUINE)

    def test_every_flipped_bit_is_noticed(self):
        file = sealed()
        cost = (8, 9, 10)  # of what these ask for, the next test tells
        for position in [number for number in range(len(file)) if number not in cost]:
            for bit in range(8):
                changed = bytearray(file)
                changed[position] ^= 1 << bit
                self.assertIsNotNone(self.refusal(bytes(changed)), position)

    def test_a_cost_beyond_any_router_is_refused_before_it_is_paid(self):
        for cost in (0, backup.MOST_ITERATIONS + 1, 0xFFFFFFFF):
            file = sealed()[:8] + struct.pack(">I", cost) + sealed()[12:]
            self.assertEqual(self.refusal(file), backup.NOT_GENUINE)

    def test_a_fast_router_makes_no_file_that_it_would_refuse_itself(self):
        password = "an iron boat"
        file = backup.seal(b"{}", password, bytes(16), passwords.MOST_ITERATIONS)
        self.assertEqual(struct.unpack(">I", file[8:12])[0], backup.MOST_ITERATIONS)
        self.assertEqual(backup.unseal(file, password), b"{}")

    def test_every_truncation_and_an_appended_byte_are_noticed(self):
        file = sealed()
        for length in range(len(file)):
            self.assertIsNotNone(self.refusal(file[:length]), length)
        self.assertEqual(self.refusal(file + b"\0"), backup.NOT_GENUINE)

    def test_what_is_no_backup_is_told_from_one_of_a_newer_format(self):
        self.assertEqual(self.refusal(b"PK\x03\x04" + bytes(100)), backup.NOT_ONE)
        self.assertEqual(self.refusal(sealed() + bytes(backup.MOST_BYTES)), backup.NOT_ONE)
        self.assertEqual(self.refusal(sealed().replace(b"GLBACKU1", b"GLBACKU2")), backup.NEWER)

    def test_more_than_a_restore_would_take_is_not_made(self):
        with self.assertRaises(ValueError):
            sealed(bytes(backup.MOST_BYTES))
        with self.assertRaises(ValueError):
            backup.seal(CONTENT, PASSWORD, b"short", 3)


class CipherTest(unittest.TestCase):
    def test_the_bare_cipher_is_aes_256(self):
        # FIPS 197, appendix C.3.
        key = bytes(range(32))
        block = binascii.unhexlify("00112233445566778899aabbccddeeff")
        self.assertEqual(binascii.hexlify(compat.aes256(key, block)), b"8ea2b7ca516745bfeafc49904b496089")

    def test_counter_mode_ciphers_block_after_block(self):
        # NIST SP 800-38A section 6.5, written out: each block with the cipher of its number.
        key, data = bytes(range(32)), bytes(range(40))
        stream = b"".join([compat.aes256(key, bytes(15) + bytes([number])) for number in range(3)])
        expected = bytes([data[index] ^ stream[index] for index in range(len(data))])
        self.assertEqual(backup._counter_mode(key, data), expected)


if __name__ == "__main__":
    unittest.main()
