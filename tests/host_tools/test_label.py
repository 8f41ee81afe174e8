"""Labels: what is on them fits, whatever it is; each format shows the same, and a scanner reads each."""

import functools
import itertools
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from gatelodge.contract import provisioning, service_code
from PIL import Image, ImageFont

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import label, workbench
from host_tools.factory.label import content, layout, media, output, paper
from host_tools.factory.label.drawing import Line, Modules, Text
from host_tools.factory.label.typeface import face
from host_tools.factory.records import UnitRecord
from host_tools.factory.station import Station
from host_tools.release.places import ROOT

CODE = service_code.generate(bytes(range(10)))
UNIT = UnitRecord("GL2647000001", CODE, "ab" * 32, "Gatelodge <Bench> & Co", 1795281371, "02:00:00:6a:7e:01")
HOME = label.Template(address="https://gatelodge.lan")
SVG = "{http://www.w3.org/2000/svg}"
TIMEOUT_S = 60

MODELS = (
    "G",
    "Gatelodge Reference (QEMU virt)",
    "Gatelodge Hyper Extended Professional Wi-Fi 7 Mesh Router BE1900",
    "W" * 64,
    "Маршрутизатор Гейтлодж для дома и офиса",
)
ADDRESSES = ("", "https://192.168.1.1", "https://a-router-with-a-rather-long-name.somewhere.example/admin")
SIZES = [(one.width, one.height) for one in media.MEDIA]
DENSITIES = (203, 300, 600)


@functools.cache
def measured_width(name, character):
    """In em, as FreeType has it."""
    font = ImageFont.truetype(face(name).path, 1000, layout_engine=ImageFont.Layout.BASIC)
    return font.getlength(character) / 1000


def box(mark):
    """Where ink may be: (left, top, right, bottom)."""
    if isinstance(mark, Text):
        width = sum(measured_width(mark.face, character) for character in mark.text) * mark.size
        return mark.x, mark.y - 0.73 * mark.size, mark.x + width, mark.y
    if isinstance(mark, Modules):
        quiet = 4 * mark.module
        side = len(mark.rows) * mark.module
        return mark.x - quiet, mark.y - quiet, mark.x + side + quiet, mark.y + side + quiet
    xs, ys = zip(*mark.points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one, other, slack=0.02):
    apart_in_x = one[2] <= other[0] + slack or other[2] <= one[0] + slack
    apart_in_y = one[3] <= other[1] + slack or other[3] <= one[1] + slack
    return not (apart_in_x or apart_in_y)


def a_label(model=UNIT.model, address=HOME.address):
    return content.of_unit(UNIT._replace(model=model), HOME._replace(address=address))


def scanned(data, path):
    """What zbar reads in the picture."""
    path.write_bytes(data)
    return read_by_zbar(path)


def read_by_zbar(*paths):
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", *paths]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True).stdout.decode().strip()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_mark_overlaps_another_or_leaves_the_label(size):
    for model, address in itertools.product(MODELS, ADDRESSES):
        drawing = layout.lay_out(a_label(model, address), *size, 203)
        solid = [mark for mark in drawing.marks if not isinstance(mark, Line)]
        rules = [mark for mark in drawing.marks if isinstance(mark, Line) and len(mark.points) == 2]
        boxes = [(mark, box(mark)) for mark in [*solid, *rules[-2:]]]
        for (one, its), (other, others) in itertools.combinations(boxes, 2):
            assert not overlap(its, others), (model, address, one, other)
        for mark, (left, top, right, bottom) in boxes:
            assert left >= 0 and top >= 0 and right <= size[0] + 0.02 and bottom <= size[1], (model, mark)


def test_the_service_code_is_the_largest_that_an_owner_reads():
    for width, height in SIZES:
        texts = [m for m in layout.lay_out(a_label(), width, height, 300).marks if isinstance(m, Text)]
        (code,) = [mark for mark in texts if mark.text == UNIT.grouped_code]
        assert all(code.size >= mark.size for mark in texts if mark.text not in UNIT.model), (width, height)


def test_all_that_the_label_promises_is_on_it():
    texts = " ".join(m.text for m in layout.lay_out(a_label(), 63.5, 38.1, 300).marks if isinstance(m, Text))
    wanted = (UNIT.model, UNIT.serial_number, "02:00:00:6A:7E:01", UNIT.grouped_code, HOME.address)
    assert [text for text in wanted if text not in texts] == []
    assert texts.replace(" ", "").endswith(UNIT.certificate_fingerprint)


def test_a_long_model_gets_a_second_line_and_keeps_its_words():
    drawing = layout.lay_out(a_label(MODELS[2]), 63.5, 38.1, 300)
    lines = [mark.text for mark in drawing.marks if isinstance(mark, Text)][:2]
    assert lines == ["Gatelodge Hyper Extended Professional", "Wi-Fi 7 Mesh Router BE1900"]


def test_modules_are_whole_dots_of_the_printer():
    for (width, height), dpi in itertools.product(SIZES, DENSITIES):
        (qr,) = [m for m in layout.lay_out(a_label(), width, height, dpi).marks if isinstance(m, Modules)]
        dots = qr.module * dpi / 25.4
        assert abs(dots - round(dots)) < 1e-6 and qr.module >= 0.33


def test_a_label_that_cannot_hold_it_is_refused_by_name():
    with pytest.raises(ToolError, match="too small") as raised:
        layout.lay_out(a_label(), 30, 12, 300)
    assert raised.value.exit_code == exit_codes.USAGE


def test_a_letter_that_the_typeface_lacks_is_named():
    with pytest.raises(ToolError, match="路.*the model"):
        layout.lay_out(a_label("路由器"), 63.5, 38.1, 300)


def test_zbar_reads_the_png_of_every_medium_at_every_density(tmp_path):
    paths = []
    for medium, dpi in itertools.product(media.MEDIA, DENSITIES):
        pages = paper.pages([a_label()], medium.alone, dpi)
        paths.append(tmp_path / f"{medium.name}-{dpi}.png")
        paths[-1].write_bytes(output.render(pages, ".png", dpi))
    texts = read_by_zbar(*paths).splitlines()
    assert texts == [UNIT.label_text] * len(paths)
    assert provisioning.parse_label(texts[0]) == (UNIT.serial_number, UNIT.service_code)


def test_zbar_reads_what_becomes_of_the_pdf_and_the_svg(tmp_path):
    for medium in (media.find("51x25"), media.find("a4-63x38").alone, media.find("54x101")):
        pages = paper.pages([a_label()], medium, 300)
        (tmp_path / "label.pdf").write_bytes(output.render(pages, ".pdf", 300))
        (tmp_path / "label.svg").write_bytes(output.render(pages, ".svg", 300))
        for command in (
            ["pdftoppm", "-r", "300", "-png", "-singlefile", tmp_path / "label.pdf"],
            ["rsvg-convert", "-d", "300", "-p", "300", tmp_path / "label.svg"],
        ):
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True)
            assert scanned(done.stdout, tmp_path / "dots.png") == UNIT.label_text


def test_every_label_of_a_sheet_is_read_where_the_grid_has_it(tmp_path):
    medium, dots = media.find("a4-63x38"), 200 / 25.4
    labels = [content.of_unit(UNIT._replace(serial_number=f"GL26470000{n:02}"), HOME) for n in range(1, 7)]
    pages = paper.pages(labels, medium, 300, first_place=19)
    assert len(pages) == 2
    (tmp_path / "sheet.pdf").write_bytes(output.render(pages, ".pdf", 300))
    command = ["pdftoppm", "-r", "200", "-gray", tmp_path / "sheet.pdf", tmp_path / "page"]
    subprocess.run(command, timeout=TIMEOUT_S, check=True)
    first, second = (Image.open(path) for path in sorted(tmp_path.glob("page*")))
    for number, (page, place) in enumerate([(first, 18), (first, 19), (first, 20), (second, 0), (second, 1)]):
        left, top = medium.corner(place)
        right, bottom = left + medium.width, top + medium.height
        page.crop([round(side * dots) for side in (left, top, right, bottom)]).save(tmp_path / "one.png")
        data = (tmp_path / "one.png").read_bytes()
        assert scanned(data, tmp_path / "one.png") == labels[number].qr_text


@pytest.mark.parametrize("medium", [one for one in media.MEDIA if one.is_sheet], ids=lambda one: one.name)
def test_a_grid_is_in_the_middle_of_its_sheet(medium):
    left, top = medium.corner(0)
    right, bottom = medium.corner(medium.capacity - 1)
    assert left >= 0 and top >= 0
    assert (left, top) == pytest.approx((210 - right - medium.width, 297 - bottom - medium.height))


def test_the_pdf_has_the_labels_true_size_and_tells_printers_to_keep_it(tmp_path):
    pages = paper.pages([a_label()], media.find("62x29"), 300)
    data = output.render(pages, ".pdf", 300)
    (tmp_path / "label.pdf").write_bytes(data)
    command = ["pdfinfo", tmp_path / "label.pdf"]
    said = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True).stdout.decode()
    size = next(line for line in said.splitlines() if line.startswith("Page size:")).split()
    assert [float(size[2]), float(size[4])] == pytest.approx([62 * 72 / 25.4, 29 * 72 / 25.4], abs=0.01)
    assert b"/PrintScaling /None" in data
    assert UNIT.service_code not in said and UNIT.grouped_code not in said


def test_the_svg_says_its_texts_to_a_screen_reader():
    drawing = layout.lay_out(a_label(), 63.5, 38.1, 300)
    root = ElementTree.fromstring(output.render([drawing], ".svg", 300))
    said = [it.get("aria-label") for it in root.iter(f"{SVG}path") if it.get("aria-label")]
    assert said[0] == UNIT.model and UNIT.grouped_code in said
    assert root.get("width") == "63.5mm"


def test_a_sample_says_so_and_has_no_routers_code():
    sample = content.sample("Gatelodge", HOME)
    texts = [m.text for m in layout.lay_out(sample, 63.5, 38.1, 300).marks if isinstance(m, Text)]
    assert "SAMPLE" in texts


def test_the_terminal_label_holds_both_texts():
    shown = label.terminal_label(UNIT)
    assert UNIT.serial_number in shown
    assert UNIT.grouped_code in shown


@pytest.mark.parametrize("suffix", output.SUFFIXES)
def test_a_label_file_is_its_owners_and_the_only_one(tmp_path, suffix):
    path = tmp_path / f"label{suffix}"
    path.write_text("an older one, open to all")
    path.chmod(0o644)
    label.write_label(UNIT, path, HOME)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [it.name for it in tmp_path.iterdir()] == [path.name]


def test_a_label_is_not_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").write_text("untouched")
    (tmp_path / "label.svg").symlink_to(tmp_path / "elsewhere")
    label.write_label(UNIT, tmp_path / "label.svg", HOME)
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    assert not (tmp_path / "label.svg").is_symlink()


@pytest.mark.parametrize(
    "place, wrong", [("file/labels", "no place for labels"), ("folder", "is not written")]
)
def test_a_bench_that_cannot_write_its_label_says_so_with_the_printers_status(tmp_path, place, wrong):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / f"{UNIT.serial_number}.svg").mkdir(parents=True)  # a directory has its name
    station = Station(tmp_path, {"label.directory": place})
    put = workbench._print_label(station, ROOT / "boards/host/board.json", None)
    with pytest.raises(ToolError, match=wrong) as raised:
        put(UNIT)
    assert raised.value.exit_code == exit_codes.PRINTER


@pytest.mark.parametrize("name", ["label.gif", "label", "missing/label.svg"])
def test_a_file_that_cannot_be_is_refused(tmp_path, name):
    with pytest.raises(ToolError):
        label.write_label(UNIT, tmp_path / name, HOME)


@pytest.mark.parametrize(
    "text, wrong",
    [
        ('adress = "x"', "no field 'adress'"),
        ("dpi = 72", "wrong dpi"),
        ("dpi = true", "wrong dpi"),
        ('fields = ["code"]', "wrong fields"),
        ('address = ""', "wrong address"),
        ("address", "cannot be read"),
    ],
)
def test_a_wrong_template_is_refused_by_file_and_field(tmp_path, text, wrong):
    (tmp_path / "label.toml").write_text(text)
    with pytest.raises(ToolError, match=f"label.toml.*{wrong}"):
        label.of_board(tmp_path / "board.json")


def test_a_board_without_a_template_gets_the_plain_one(tmp_path):
    assert label.of_board(tmp_path / "board.json") == label.PLAIN


def test_what_a_template_leaves_out_is_not_on_the_label():
    one = content.of_unit(UNIT, HOME._replace(fields=("address",)))
    assert (one.mac, one.fingerprint, one.address) == ("", "", HOME.address)
