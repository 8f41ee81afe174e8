import xml.etree.ElementTree as ElementTree

import segno
import zxingcpp
from gatelodge.contract import provisioning
from PIL import Image

from host_tools.factory import label
from host_tools.factory.records import UnitRecord

UNIT = UnitRecord("GL2647000001", "0123456789ABCDEF9", "ab" * 32, "Gatelodge <Bench>", 1795281371)
SVG = "{http://www.w3.org/2000/svg}"


def picture_of_path(path, side, scale=4):
    """Draw the label's own modules, as a printer would."""
    image = Image.new("1", (side * scale, side * scale), 1)
    for step in path.split("z"):
        if step:
            corner, width = step[1:].split("h")[:2]
            x, y = map(int, corner.split())
            box = (x * scale, y * scale, (x + int(width.split("v")[0])) * scale, (y + 1) * scale)
            image.paste(0, box)
    return image


def test_a_camera_reads_the_label(tmp_path):
    root = ElementTree.fromstring(label.label_svg(UNIT))
    picture = picture_of_path(root.find(f"{SVG}path").get("d"), 40)
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert provisioning.parse_label(found.text) == (UNIT.serial_number, UNIT.service_code)


def test_the_label_shows_the_code_in_groups_and_escapes_the_model():
    texts = [element.text for element in ElementTree.fromstring(label.label_svg(UNIT)).iter(f"{SVG}text")]
    assert texts == [
        "Gatelodge <Bench>",
        "Serial number",
        UNIT.serial_number,
        "Service code",
        "0123-4567-89AB-CDEF-9",
    ]


def test_the_label_uses_the_small_alphabet_of_qr_codes():
    assert segno.make_qr(UNIT.label_text, error="q").mode == "alphanumeric"


def test_the_terminal_label_holds_both_texts():
    shown = label.terminal_label(UNIT)
    assert UNIT.serial_number in shown
    assert UNIT.grouped_code in shown


def test_a_label_file_is_readable_by_its_owner_only(tmp_path):
    label.write_label(UNIT, tmp_path / "label.svg")
    assert (tmp_path / "label.svg").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "label.svg").read_text() == label.label_svg(UNIT)
