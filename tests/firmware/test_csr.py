import unittest
from binascii import a2b_base64, hexlify

from gatelodge import compat
from gatelodge.core import certificate, csr, der, p256

from tests.fakes import factory_certificates as known

POINT = p256.public_key(known.KEY)


def flipped(data, at):
    copy = bytearray(data)
    copy[at] ^= 1
    return bytes(copy)


class Requests(unittest.TestCase):
    def setUp(self):
        self.request = csr.certificate_request(known.KEY, known.SERIAL_NUMBER, "Gatelodge")

    def test_the_request_is_signed_by_its_own_key(self):
        fields = der.Reader(self.request).enter(der.SEQUENCE)
        information = fields.whole(der.SEQUENCE)
        self.assertEqual(fields.whole(der.SEQUENCE), csr.SIGNATURE_ALGORITHM)
        self.assertTrue(csr.signature_is_valid(POINT, information, fields.bit_string()))

    def test_the_request_holds_the_serial_number_twice_and_the_key(self):
        self.assertEqual(len(self.request.split(known.SERIAL_NUMBER.encode())), 3)
        self.assertIn(csr.public_key_info(POINT), self.request)

    def test_both_interpreters_make_the_same_bytes(self):
        self.assertEqual(hexlify(compat.sha256(self.request))[:16], b"dc1a02a7c8bb120d")


class Keys(unittest.TestCase):
    def test_a_private_key_survives_its_file(self):
        self.assertEqual(csr.read_sec1_private_key(csr.sec1_private_key(known.KEY)), known.KEY)

    def test_a_small_private_key_keeps_its_32_bytes(self):
        data = csr.sec1_private_key(1)
        self.assertEqual(len(data), len(csr.sec1_private_key(known.KEY)))
        self.assertEqual(csr.read_sec1_private_key(data), 1)

    def test_a_key_outside_the_order_is_refused(self):
        data = der.sequence(der.integer(1), der.octet_string(p256.N.to_bytes(32, "big")))
        with self.assertRaises(der.DerError):
            csr.read_sec1_private_key(data)

    def test_a_signature_with_bytes_behind_it_is_refused(self):
        signature = csr.signature(known.KEY, b"text")
        self.assertTrue(csr.signature_is_valid(POINT, b"text", signature))
        with self.assertRaises(der.DerError):
            csr.signature_is_valid(POINT, b"text", signature + b"\0")


class Certificates(unittest.TestCase):
    CA = a2b_base64(known.FACTORY_CA)
    DEVICE = a2b_base64(known.DEVICE)

    def refused(self, data, authority, point=POINT, serial_number=known.SERIAL_NUMBER):
        with self.assertRaises(certificate.CertificateError) as raised:
            certificate.check(data, authority, point, serial_number)
        return str(raised.exception)

    def test_the_factorys_certificates_are_kept(self):
        certificate.check(self.DEVICE, self.CA, POINT, known.SERIAL_NUMBER)
        certificate.check(a2b_base64(known.ADMIN), self.CA, POINT)

    def test_the_subject_is_read(self):
        self.assertEqual(certificate.read(self.DEVICE).serial_numbers, [known.SERIAL_NUMBER])
        self.assertEqual(certificate.read(self.CA).serial_numbers, [])

    def test_another_factory_of_the_same_name_is_refused(self):
        self.assertIn("did not sign", self.refused(a2b_base64(known.FORGED), self.CA))
        self.assertIn("did not sign", self.refused(self.DEVICE, a2b_base64(known.OTHER_CA)))

    def test_another_key_is_refused(self):
        self.assertIn("another key", self.refused(self.DEVICE, self.CA, p256.public_key(5)))

    def test_another_serial_number_is_refused(self):
        self.assertIn("another serial number", self.refused(self.DEVICE, self.CA, POINT, "GL2647000002"))

    def test_another_issuer_is_refused(self):
        self.assertIn("another issuer", self.refused(self.DEVICE, self.DEVICE))

    def test_a_certificate_cut_anywhere_is_refused(self):
        for size in range(0, len(self.DEVICE), 7):
            with self.assertRaises(der.DerError):
                certificate.read(self.DEVICE[:size])

    def test_a_bit_flipped_in_what_is_signed_is_found(self):
        at = self.DEVICE.find(b"\x17\x0d") + 4  # a digit of the validity, which nothing else reads
        self.assertIn("did not sign", self.refused(flipped(self.DEVICE, at), self.CA))


if __name__ == "__main__":
    unittest.main()
