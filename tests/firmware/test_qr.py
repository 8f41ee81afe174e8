import unittest

from gatelodge.contract.errors import ValueRangeError
from gatelodge.core import qr

URI = b"otpauth://totp/Gatelodge:GL-000123?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Gatelodge"


def plain_penalty(matrix):
    """7.8.3.1, module by module, without cleverness."""
    size = len(matrix)
    columns = [[row[x] for row in matrix] for x in range(size)]
    total = 0
    for line in matrix + columns:
        total += plain_runs(line)
        text = "".join(["1" if module else "0" for module in line])
        for start in range(size - 10):
            total += 40 * (text[start : start + 11] in ("10111010000", "00001011101"))
    for y in range(size - 1):
        for x in range(size - 1):
            total += 3 * (matrix[y][x] == matrix[y][x + 1] == matrix[y + 1][x] == matrix[y + 1][x + 1])
    dark = sum([sum(row) for row in matrix])
    return total + 10 * plain_steps(dark, size * size)


def plain_runs(line):
    total, length = 0, 1
    for i in range(1, len(line) + 1):
        if i < len(line) and line[i] == line[i - 1]:
            length += 1
        else:
            total += length - 2 if length >= 5 else 0
            length = 1
    return total


def plain_steps(dark, modules):
    """The least k with the dark ones within 50 - 5 (k + 1) and 50 + 5 (k + 1) percent."""
    steps = 0
    while not (45 - 5 * steps) * modules <= 100 * dark <= (55 + 5 * steps) * modules:
        steps += 1
    return steps


class TestQr(unittest.TestCase):
    def test_the_error_correction_of_iso_18004_annex_i(self):
        data = bytes(
            [0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11]
        )
        checks = bytes([0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55])
        self.assertEqual(qr._with_checks(data, 1), data + checks)

    def test_the_format_bits_of_iso_18004_table_c_1(self):
        self.assertEqual([qr._format_bits(mask) for mask in (0, 5)], [0x5412, 0x40CE])

    def test_the_size_follows_the_length(self):
        sizes = [len(qr.encode(bytes(length), 0)) for length in (0, 14, 15, 106, 107, 180, 181, 287)]
        self.assertEqual(sizes, [21, 21, 25, 41, 45, 53, 57, 65])

    def test_what_does_not_fit_is_refused(self):
        with self.assertRaises(ValueRangeError):
            qr.encode(bytes(qr.MOST_BYTES + 1))

    def test_the_mask_of_the_least_penalty_is_taken(self):
        candidates = [qr.encode(URI, mask) for mask in range(8)]
        penalties = [plain_penalty(matrix) for matrix in candidates]
        self.assertEqual(qr.encode(URI), candidates[penalties.index(min(penalties))])

    def test_the_quick_penalty_is_the_plain_one(self):
        for length, mask in ((3, 0), (20, 4), (60, 6), (122, 7), (287, 2)):
            matrix = qr.encode((URI * 4)[:length], mask)
            rows = [qr._bits(row) for row in matrix]
            self.assertEqual(
                qr._penalty(rows, qr._transposed(rows, len(rows)), len(rows)), plain_penalty(matrix)
            )

    def test_the_path_paints_the_dark_modules(self):
        matrix = [[True, True, False], [False, False, False], [False, False, True]]
        self.assertEqual(qr.to_svg_path(matrix), "m4 4h2v1h-2zm2 2h1v1h-1z")
        self.assertEqual(qr.view_box(matrix), "0 0 11 11")

    def test_the_path_of_an_otpauth_uri_is_small(self):
        self.assertLess(len(qr.to_svg_path(qr.encode(URI))), 6500)


if __name__ == "__main__":
    unittest.main()
