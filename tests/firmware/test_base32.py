import unittest

from gatelodge.contract.errors import ValueRangeError
from gatelodge.core import base32

# RFC 4648 section 10, without padding
RFC_4648 = (
    (b"", ""),
    (b"f", "MY"),
    (b"fo", "MZXQ"),
    (b"foo", "MZXW6"),
    (b"foob", "MZXW6YQ"),
    (b"fooba", "MZXW6YTB"),
    (b"foobar", "MZXW6YTBOI"),
)


class TestBase32(unittest.TestCase):
    def test_vectors_of_rfc_4648_section_10_are_written(self):
        for data, text in RFC_4648:
            self.assertEqual(base32.encode(data), text)

    def test_vectors_of_rfc_4648_section_10_are_read(self):
        for data, text in RFC_4648:
            self.assertEqual(base32.decode(text), data)

    def test_case_groups_and_padding_do_not_matter(self):
        self.assertEqual(base32.decode("mzxw 6ytb-oi======"), b"foobar")

    def test_leading_zeros_are_kept(self):
        self.assertEqual(base32.decode(base32.encode(bytes(20))), bytes(20))

    def test_foreign_characters_are_refused(self):
        for text in ("MZXW1", "MZXW0", "M?", "MZ\u00dcW"):
            with self.assertRaises(ValueRangeError):
                base32.decode(text)

    def test_a_cut_text_is_refused(self):
        for text in ("M", "MZX", "MZXW6Y", "MZ"):
            with self.assertRaises(ValueRangeError):
                base32.decode(text)

    def test_groups_of_four_are_for_typing(self):
        self.assertEqual(base32.grouped("ABCDEFGHIJ"), "ABCD EFGH IJ")


if __name__ == "__main__":
    unittest.main()
