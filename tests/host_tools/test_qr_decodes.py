"""The router's QR codes, read as a phone reads them, and compared with an independent encoder's."""

import random

import pytest
import segno
import zxingcpp
from gatelodge.core import qr
from PIL import Image

# Bytes that fill each version to the last: segno and we put different padding after shorter ones.
FULL = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?&=%"


def text_of(length):
    return "".join(random.Random(length).choices(ALPHABET, k=length))


def picture(matrix, quiet=qr.QUIET, scale=4):
    side = len(matrix) + 2 * quiet
    image = Image.new("L", (side, side), 255)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                image.putpixel((x + quiet, y + quiet), 0)
    return image.resize((side * scale, side * scale), Image.Resampling.NEAREST)


def read(image):
    (found,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


@pytest.mark.parametrize(
    "length", [1, 13, *FULL, *(full - 1 for full in FULL), *(full + 1 for full in FULL[:-1])]
)
def test_a_code_of_any_length_reads_back(length):
    assert read(picture(qr.encode(text_of(length).encode()))) == text_of(length)


@pytest.mark.parametrize("mask", range(8))
def test_a_code_with_any_mask_reads_back(mask):
    assert read(picture(qr.encode(text_of(100).encode(), mask))) == text_of(100)


@pytest.mark.parametrize("mask", range(8))
@pytest.mark.parametrize("length", FULL)
def test_module_for_module_it_is_what_another_encoder_makes(length, mask):
    other = segno.make_qr(text_of(length), error="m", mode="byte", mask=mask, boost_error=False)
    assert qr.encode(text_of(length).encode(), mask) == [
        [bool(module) for module in row] for row in other.matrix
    ]


def test_a_code_with_a_stain_still_reads():
    image = picture(qr.encode(text_of(100).encode()))
    side = image.size[0]
    image.paste(128, (side // 2, side // 2, side // 2 + side // 6, side // 2 + side // 6))
    assert read(image) == text_of(100)


def test_the_svg_path_fills_exactly_the_dark_modules():
    matrix = qr.encode(b"otpauth://totp/Gatelodge:GL-1?secret=JBSWY3DPEHPK3PXP&issuer=Gatelodge")
    painted = [[False] * len(matrix) for _ in matrix]
    x = y = 0
    for part in qr.to_svg_path(matrix).split("z")[:-1]:
        move, rest = part[1:].split("h", 1)
        dx, dy = map(int, move.split())
        x, y, width = x + dx, y + dy, int(rest.split("v")[0])
        for at in range(x, x + width):
            painted[y - qr.QUIET][at - qr.QUIET] = True
    assert painted == matrix
