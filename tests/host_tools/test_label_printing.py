"""Printing: through an `lp` of the test's own, and through a real CUPS whose printer fails in every way."""

import os
import subprocess
from pathlib import Path

import pytest
from gatelodge.contract import service_code

from host_tools import cli, exit_codes
from host_tools.errors import ToolError
from host_tools.factory import label
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.label import media, printer
from host_tools.factory.records import Records, UnitRecord
from tests.host_tools.bench_rig import BenchRig
from tests.host_tools.cups_rig import CupsRig

BOARD = Path(__file__).resolve().parents[2] / "boards/host/board.json"
CODE = service_code.generate(bytes(range(10, 20)))
UNIT = UnitRecord("GL2647000001", CODE, "ab" * 32, "Gatelodge", 1795281371, "02:00:00:6a:7e:01")
ROLL = label.Template(address="https://gatelodge.lan", media="62x29")
LP = """#!/bin/sh
printf '%s\\n' "$@" > {folder}/arguments
cat > {folder}/printed.pdf
{then}
"""


@pytest.fixture
def lp(tmp_path, monkeypatch):
    """A callable that puts an `lp` on the path, and no other program of a printing system."""

    def put(then="exit 0"):
        folder = tmp_path / "bin"
        folder.mkdir()
        for program in ("sh", "cat"):
            (folder / program).symlink_to(f"/bin/{program}")
        (folder / "lp").write_text(LP.format(folder=tmp_path, then=then))
        (folder / "lp").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return put


@pytest.fixture(scope="module")
def cups(tmp_path_factory):
    with CupsRig(tmp_path_factory.mktemp("printing")) as rig:
        yield rig


@pytest.fixture
def on_cups(cups, monkeypatch):
    monkeypatch.setenv("CUPS_SERVER", cups.environment["CUPS_SERVER"])
    monkeypatch.setenv("HOME", cups.environment["HOME"])
    cups.mood("print")
    cups.printed.unlink(missing_ok=True)
    return cups


@pytest.fixture
def factory(tmp_path):
    authority = FactoryAuthority.create(tmp_path / "factory")
    Records(authority).finish(UNIT)
    return authority


def text_of(pdf):
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, timeout=60).stdout.decode()


def test_lp_gets_the_pdf_through_a_pipe_and_no_secret_in_its_arguments(lp, tmp_path):
    lp()
    label.print_label(UNIT, ROLL, "bench")
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[:2] == ["-d", "bench"] and arguments[-1] == "-"
    assert "media=Custom.62x29mm" in arguments and "print-scaling=none" in arguments
    assert not any(CODE in it or UNIT.grouped_code in it for it in arguments)
    assert (tmp_path / "printed.pdf").read_bytes().startswith(b"%PDF-")


def test_without_lp_it_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="no `lp`: run `apt-get install cups-client`") as raised:
        label.print_label(UNIT, ROLL)
    assert raised.value.exit_code == exit_codes.PRINTER


def test_what_lp_says_against_it_is_passed_on(lp):
    lp(then="echo 'lp: The printer or class does not exist.' >&2; exit 1")
    with pytest.raises(ToolError, match="does not exist") as raised:
        label.print_label(UNIT, ROLL)
    assert raised.value.exit_code == exit_codes.PRINTER


def test_an_lp_that_hangs_is_given_up(lp, monkeypatch):
    lp(then="while :; do :; done")
    monkeypatch.setattr(printer, "COMMAND_TIMEOUT_S", 0.5)
    with pytest.raises(ToolError, match="`lp` did not answer") as raised:
        label.print_label(UNIT, ROLL)
    assert CODE not in repr(raised.value) and raised.value.exit_code == exit_codes.PRINTER


def test_cups_prints_the_label_and_keeps_no_copy(on_cups):
    assert label.print_label(UNIT, ROLL).startswith("labels-")
    assert UNIT.grouped_code in text_of(on_cups.printed.read_bytes())
    assert (on_cups.root / "title").read_text().strip() == f"Label of the router {UNIT.serial_number}"
    assert on_cups.documents() == []


@pytest.mark.parametrize(
    "mood, said", [("fail", "gave the job"), ("stop", "does not print"), ("hang", "does not")]
)
def test_a_printer_that_does_not_print_is_no_success(on_cups, mood, said):
    on_cups.mood(mood)
    pdf = b"%PDF-1.4 not even read"
    with pytest.raises(ToolError, match=said) as raised:
        printer.print_pdf(pdf, "a label", media.find("62x29"), timeout_s=3 if mood == "hang" else 90)
    on_cups.enable()
    assert raised.value.exit_code == exit_codes.PRINTER
    assert not on_cups.printed.exists()
    assert on_cups.waiting() == []  # nothing comes out when the printer works again


def test_what_a_bench_prints_is_the_code_of_the_router_that_it_recorded(on_cups, tmp_path):
    authority = FactoryAuthority.create(tmp_path / "factory")
    with BenchRig(tmp_path) as rig:
        assert provision(authority, rig) == exit_codes.OK
    (entry,) = Records(authority).ledger.entries(kind="unit")
    printed = text_of(on_cups.printed.read_bytes())
    (grouped,) = [line for line in printed.splitlines() if line.count("-") == 4]
    code = service_code.parse(grouped)
    assert authority.service_code_hash(code) == entry.fields["service_code_hash"]
    assert entry.fields["serial_number"] in printed
    assert Records(authority).pending(entry.fields["serial_number"]) is None


def test_a_bench_whose_printer_fails_keeps_the_code_and_prints_it_later(on_cups, tmp_path):
    authority = FactoryAuthority.create(tmp_path / "factory")
    on_cups.mood("fail")
    with BenchRig(tmp_path) as rig:
        assert provision(authority, rig) == exit_codes.PRINTER
        on_cups.mood("print")
        assert provision(authority, rig) == exit_codes.OK
    (entry,) = Records(authority).ledger.entries(kind="unit")
    assert entry.fields["serial_number"] in text_of(on_cups.printed.read_bytes())


def test_the_verb_prints_a_sample(on_cups, capsys):
    assert cli.main(["label", "--board", str(BOARD), "--sample", "--print"]) == exit_codes.OK
    assert "SAMPLE" in text_of(on_cups.printed.read_bytes())


def test_a_spoilt_label_is_made_again_from_its_code(factory, tmp_path, monkeypatch, capsys):
    path = tmp_path / "again.pdf"
    monkeypatch.setattr("sys.stdin", typed(UNIT.grouped_code.lower()))
    assert cli.main(again(factory, path)) == exit_codes.OK
    assert UNIT.grouped_code in text_of(path.read_bytes())
    assert CODE not in capsys.readouterr().out.replace("-", "")


@pytest.mark.parametrize(
    "code, said",
    [
        (service_code.generate(bytes(10)), "not the service code of GL2647000001"),
        ("", "has 17 characters"),
        (CODE[:-1] + "0", "is wrong"),
    ],
)
def test_without_the_code_no_label_is_made(factory, tmp_path, monkeypatch, capsys, code, said):
    path = tmp_path / "again.pdf"
    monkeypatch.setattr("sys.stdin", typed(code))
    assert cli.main(again(factory, path)) == exit_codes.USAGE
    assert said in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--board", str(BOARD), "--sample"], "would go nowhere"),
        (["--board", str(BOARD), "--print"], "name a router, or --sample"),
        (["--sample", "--print"], "add --board"),
        (["GL2647000001", "--board", str(BOARD), "--print"], "add --factory-dir"),
        (["--board", str(BOARD), "--sample", "--print", "--media", "letter"], "choose one of a4-63x38"),
        (["--board", str(BOARD), "--sample", "--print", "--dpi", "72"], "from 150 to 1200"),
        (["--board", str(BOARD), "--sample", "--output", "x.pdf", "--first", "2"], "count from 1 to 1"),
        (["--board", str(BOARD), "--sample", "--output", "x.png", "--count", "2"], "take .pdf"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["label", *arguments]) == exit_codes.USAGE
    assert said in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def again(factory, path):
    where = ["--factory-dir", str(factory.directory), "--board", str(BOARD), "--output", str(path)]
    return ["label", UNIT.serial_number, *where]


def provision(authority, rig):
    """With its labels on the printer. Returns the exit status."""
    where = ["--factory-dir", str(authority.directory), "--board", str(BOARD), "--printer", "labels"]
    cloud = ["--cloud", "cloud.example:8445", "--cloud-ca", str(authority.directory / "factory-ca.pem")]
    return cli.main(["provision", "--port", rig.port, *where, *cloud])


def typed(line):
    read, write = os.pipe()
    os.write(write, line.encode() + b"\n")
    os.close(write)
    return os.fdopen(read)
