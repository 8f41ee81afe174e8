import unittest

from gatelodge.contract import service_code
from gatelodge.contract.errors import ServiceCodeError

CODE = service_code.generate(b"\x00\x44\x32\x14\xc7\x42\x54\xb6\x35\xcf")


class TestServiceCode(unittest.TestCase):
    def test_code_of_known_bytes(self):
        self.assertEqual(CODE[:16], "0123456789ABCDEF")
        self.assertEqual(len(CODE), 17)

    def test_what_is_printed_reads_back(self):
        self.assertEqual(service_code.parse(service_code.format_grouped(CODE)), CODE)

    def test_case_spaces_and_lookalikes_do_not_matter(self):
        typed = " " + CODE.lower().replace("0", "o").replace("1", "l") + " "
        self.assertEqual(service_code.parse(typed), CODE)

    def test_every_single_wrong_character_is_found(self):
        for position in range(service_code.LENGTH):
            for wrong in service_code.ALPHABET:
                if wrong != CODE[position]:
                    with self.assertRaises(ServiceCodeError):
                        service_code.parse(CODE[:position] + wrong + CODE[position + 1 :])

    def test_every_exchange_of_two_different_characters_is_found(self):
        for i in range(service_code.DATA_CHARACTERS):
            for j in range(i + 1, service_code.DATA_CHARACTERS):
                swapped = list(CODE)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                with self.assertRaises(ServiceCodeError):
                    service_code.parse("".join(swapped))

    def test_length_and_foreign_characters_are_named(self):
        wrong = (("", "has 0"), (CODE[:-1], "has 16"), (CODE + "0", "has 18"), ("U" + CODE[1:], "'U'"))
        for text, word in wrong:
            try:
                service_code.parse(text)
                self.fail(repr(text) + " was accepted")
            except ServiceCodeError as error:
                self.assertIn(word, str(error))

    def test_a_long_text_is_refused_without_being_walked(self):
        with self.assertRaises(ServiceCodeError):
            service_code.parse("A" * 100000)

    def test_wrong_number_of_random_bytes_is_our_own_fault(self):
        with self.assertRaises(ValueError):
            service_code.generate(b"short")


if __name__ == "__main__":
    unittest.main()
