import unittest
from binascii import unhexlify

from gatelodge.core import der


class Writing(unittest.TestCase):
    def test_lengths_take_their_shortest_form(self):
        for size, header in ((0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100")):
            self.assertEqual(der.octet_string(bytes(size))[: len(header) // 2], unhexlify(header))

    def test_integers_keep_the_sign_bit_clear(self):
        for value, encoded in ((0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100")):
            self.assertEqual(der.integer(value), unhexlify(encoded))

    def test_object_identifiers_are_base_128(self):
        # ecPublicKey, as RFC 5480 section 2.1.1 names it.
        self.assertEqual(der.object_identifier("1.2.840.10045.2.1"), unhexlify("06072a8648ce3d0201"))

    def test_a_negative_integer_is_our_own_mistake(self):
        with self.assertRaises(ValueError):
            der.integer(-1)


class Reading(unittest.TestCase):
    SAMPLE = der.sequence(der.integer(300), der.bit_string(b"abc"), der.explicit(0, der.octet_string(b"x")))

    def read_sample(self, data):
        outer = der.Reader(data)
        fields = outer.enter(der.SEQUENCE)
        outer.finish()
        found = (fields.integer(), fields.bit_string(), fields.enter(0xA0).expect(der.OCTET_STRING))
        fields.finish()
        return found

    def test_what_was_written_is_read(self):
        self.assertEqual(self.read_sample(self.SAMPLE), (300, b"abc", b"x"))

    def test_every_cut_is_refused(self):
        for size in range(len(self.SAMPLE)):
            with self.assertRaises(der.DerError):
                self.read_sample(self.SAMPLE[:size])

    def test_bytes_after_the_end_are_refused(self):
        with self.assertRaises(der.DerError):
            self.read_sample(self.SAMPLE + b"\0")

    def test_an_element_longer_than_its_parent_is_refused(self):
        inner = der.Reader(unhexlify("30030405ff0000000000")).enter(der.SEQUENCE)
        with self.assertRaises(der.DerError):
            inner.next()

    def test_forms_that_der_forbids_are_refused(self):
        forbidden = ("3080", "04810501", "0482000501", "1f8101", "0484ffffffff", "048100")
        for encoded in forbidden:
            with self.assertRaises(der.DerError):
                der.Reader(unhexlify(encoded)).next()

    def test_integers_that_der_forbids_are_refused(self):
        for encoded in ("0200", "020180", "02020001"):
            with self.assertRaises(der.DerError):
                der.Reader(unhexlify(encoded)).integer()

    def test_another_tag_is_named(self):
        with self.assertRaises(der.DerError) as raised:
            der.Reader(der.integer(1)).expect(der.OCTET_STRING)
        self.assertIn("0x02", str(raised.exception))

    def test_a_huge_buffer_is_refused_before_it_is_walked(self):
        with self.assertRaises(der.DerError):
            der.Reader(bytes(der.LIMIT + 1))


if __name__ == "__main__":
    unittest.main()
