import unittest
from binascii import unhexlify

from gatelodge import compat
from gatelodge.core import p256

# RFC 6979 appendix A.2.5.
KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
PUBLIC = (
    0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
    0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299,
)
SIGNATURES = (
    (
        b"sample",
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    (
        b"test",
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
)

# NIST CAVP, FIPS 186-4 SigGen, [P-256,SHA-256], the first case.
NIST_MESSAGE = unhexlify(
    "5905238877c77421f73e43ee3da6f2d9e2ccad5fc942dcec0cbd25482935faaf416983fe165b1a045ee2bcd2e6dca3bd"
    "f46c4310a7461f9a37960ca672d3feb5473e253605fb1ddfd28065b53cb5858a8ad28175bf9bd386a5e471ea7a65c17c"
    "c934a9d791e91491eb3754d03799790fe2d308d16146d5c9b0d0debd97d79ce8"
)
NIST_KEY = 0x519B423D715F8B581F4FA8EE59F4771A5B44C8130B4E3EACCA54A56DDA72B464
NIST_PUBLIC = (
    0x1CCBE91C075FC7F4F033BFA248DB8FCCD3565DE94BBFB12F3C59FF46C271BF83,
    0xCE4014C68811F9A21A1FDB2C0E6113E06DB7CA93B7404E78DC7CCD5CA89A4CA9,
)
NIST_R = 0xF3AC8061B514795B8843E3D6629527ED2AFD6B1F6A555A7ACABB5E6F79C8C2AC
NIST_S = 0x8BF77819CA05A6B2786C76262BF7371CEF97B218E96F175A3CCDDA2ACC058903


class Curve(unittest.TestCase):
    def test_the_public_key_is_the_one_of_rfc_6979(self):
        self.assertEqual(p256.public_key(KEY), PUBLIC)

    def test_the_public_key_is_the_one_of_nist(self):
        self.assertEqual(p256.public_key(NIST_KEY), NIST_PUBLIC)

    def test_the_smallest_keys_double_and_add(self):
        two = 0x7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978
        self.assertEqual(p256.public_key(1), p256.G)
        self.assertEqual(p256.public_key(2)[0], two)

    def test_the_largest_key_is_minus_the_generator(self):
        self.assertEqual(p256.public_key(p256.N - 1), (p256.G[0], p256.P - p256.G[1]))

    def test_a_key_is_never_zero_and_never_the_order(self):
        self.assertEqual(p256.generate(bytes(40)), 1)
        self.assertEqual(p256.generate((p256.N - 2).to_bytes(40, "big")), p256.N - 1)
        self.assertEqual(p256.generate((p256.N - 1).to_bytes(40, "big")), 1)

    def test_a_point_survives_its_encoding(self):
        self.assertEqual(p256.decode_point(p256.encode_point(PUBLIC)), PUBLIC)

    def test_a_point_off_the_curve_is_refused(self):
        data = bytearray(p256.encode_point(PUBLIC))
        data[64] ^= 1
        with self.assertRaises(p256.CurveError):
            p256.decode_point(bytes(data))

    def test_a_compressed_or_cut_point_is_refused(self):
        data = p256.encode_point(PUBLIC)
        for wrong in (b"", data[:64], b"\x02" + data[1:33], b"\x05" + data[1:]):
            with self.assertRaises(p256.CurveError):
                p256.decode_point(wrong)


class Signatures(unittest.TestCase):
    def test_signatures_are_the_ones_of_rfc_6979(self):
        for message, r, s in SIGNATURES:
            self.assertEqual(p256.sign(KEY, compat.sha256(message)), (r, s))

    def test_signatures_of_rfc_6979_verify(self):
        for message, r, s in SIGNATURES:
            self.assertTrue(p256.verify(PUBLIC, compat.sha256(message), r, s))

    def test_a_signature_of_nist_verifies(self):
        self.assertTrue(p256.verify(NIST_PUBLIC, compat.sha256(NIST_MESSAGE), NIST_R, NIST_S))

    def test_another_message_key_or_signature_does_not_verify(self):
        digest = compat.sha256(b"sample")
        _, r, s = SIGNATURES[0]
        self.assertFalse(p256.verify(PUBLIC, compat.sha256(b"samples"), r, s))
        self.assertFalse(p256.verify(NIST_PUBLIC, digest, r, s))
        self.assertFalse(p256.verify(PUBLIC, digest, s, r))
        self.assertFalse(p256.verify(PUBLIC, digest, r, s ^ 1))

    def test_numbers_outside_the_order_do_not_verify(self):
        digest = compat.sha256(b"sample")
        _, r, s = SIGNATURES[0]
        for wrong in ((0, s), (r, 0), (p256.N, s), (r, p256.N), (r + p256.N, s), (-r, s)):
            self.assertFalse(p256.verify(PUBLIC, digest, wrong[0], wrong[1]))

    def test_a_verification_that_ends_at_infinity_fails(self):
        # u1 G + u2 Q = 0 when Q = G and e = -r: no point, so no signature.
        r = 5
        digest = (p256.N - r).to_bytes(32, "big")
        self.assertFalse(p256.verify(p256.G, digest, r, 7))


if __name__ == "__main__":
    unittest.main()
