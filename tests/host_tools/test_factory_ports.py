"""Which ports a station means, and what a station's file may say."""

import textwrap

import pytest

from host_tools import cli, exit_codes
from host_tools.errors import ToolError
from host_tools.factory import ports, station, steps, verb_ports
from host_tools.factory.limits import Limit
from host_tools.factory.ports import ANY_USB, Rule
from host_tools.serial_port import Adapter

LEFT = Adapter("/dev/ttyUSB0", "FT232R USB UART", "0403:6001", "A50285BI", "1-1.4:1.0")
RIGHT = Adapter("/dev/ttyUSB1", "CP2102", "10c4:ea60", "0001", "1-1.2:1.0")
TWIN = Adapter("/dev/ttyUSB2", "CP2102", "10c4:ea60", "0001", "1-1.3:1.0")  # cheap ones share a number
BOARD = Adapter("/dev/ttyS0", "", "", "", "")
FOUND = [BOARD, LEFT, RIGHT, TWIN]


def chosen(*rules):
    return [(port.key, port.device) for port in ports.select(rules, FOUND)]


@pytest.mark.parametrize(
    "rule, expected",
    [
        (Rule(usb="0403:6001"), [("/dev/ttyUSB0", "/dev/ttyUSB0")]),
        (Rule(usb="10C4:EA60"), [("/dev/ttyUSB1", "/dev/ttyUSB1"), ("/dev/ttyUSB2", "/dev/ttyUSB2")]),
        (Rule(serial_number="A50285BI"), [("/dev/ttyUSB0", "/dev/ttyUSB0")]),
        (Rule(topology="1-1.3"), [("1-1.3:1.0", "/dev/ttyUSB2")]),
        (Rule(topology="1-1.*"), [("1-1.4:1.0", "/dev/ttyUSB0"), ("1-1.2:1.0", "/dev/ttyUSB1"),
                                  ("1-1.3:1.0", "/dev/ttyUSB2")]),
        (Rule(usb="10c4:ea60", topology="1-1.2"), [("1-1.2:1.0", "/dev/ttyUSB1")]),
        (Rule(topology="1-1.4", name="left"), [("left", "/dev/ttyUSB0")]),
        (Rule(path="/dev/ttyUSB[01]"), [("/dev/ttyUSB0", "/dev/ttyUSB0"), ("/dev/ttyUSB1", "/dev/ttyUSB1")]),
        (Rule(path="rfc2217://bench:4000"), [("rfc2217://bench:4000", "rfc2217://bench:4000")]),
        (ANY_USB, [("1-1.4:1.0", "/dev/ttyUSB0"), ("1-1.2:1.0", "/dev/ttyUSB1"),
                   ("1-1.3:1.0", "/dev/ttyUSB2")]),
    ],
)  # fmt: skip
def test_a_rule_means_the_ports_that_fit_all_of_it(rule, expected):
    assert chosen(rule) == expected


def test_a_link_keeps_its_own_path_as_the_key(tmp_path):
    device = tmp_path / "ttyUSB7"
    device.touch()
    link = tmp_path / "by-path"
    link.symlink_to(device)
    found = [LEFT._replace(device=str(device))]
    assert ports.select([Rule(path=str(link))], found)[0][:2] == (str(link), str(device))


def test_two_rules_never_lead_to_one_device_twice():
    assert chosen(Rule(topology="1-1.4"), ANY_USB, Rule(path="/dev/ttyUSB0"))[0] == (
        "1-1.4:1.0",
        "/dev/ttyUSB0",
    )
    assert len(chosen(Rule(topology="1-1.4"), ANY_USB, Rule(path="/dev/ttyUSB0"))) == 3


def test_a_rule_that_fits_nothing_and_a_name_for_two_are_refused():
    with pytest.raises(ToolError, match="no serial port fits usb 1234:5678") as raised:
        chosen(Rule(usb="1234:5678"))
    assert raised.value.exit_code == exit_codes.SERIAL_PORT
    with pytest.raises(ToolError, match="two ports are called 'both'"):
        chosen(Rule(usb="10c4:ea60", name="both"))


def test_the_list_of_ports_is_a_table_with_a_head():
    lines = verb_ports.table(ports.seen(FOUND))
    assert lines[0].split("  ")[0] == "DEVICE"
    assert lines[2].split()[:4] == ["/dev/ttyUSB0", "0403:6001", "A50285BI", "1-1.4:1.0"]
    assert lines[1].split() == ["/dev/ttyS0", "-", "-", "-"]


def test_gatelodge_ports_runs_here(capsys):
    assert cli.main(["ports"]) == exit_codes.OK
    assert capsys.readouterr().out.strip()


# --- bench.toml ---

WHOLE = """
name = "bench 1"
at_once = 4
[factory]
directory = "factory"
[router]
board = "/boards/x/board.json"
[cloud]
address = "cloud.example:8445"
ca = "cloud-ca.pem"
ntp = ["ntp.example"]
[label]
terminal = false
[[port]]
topology = "1-1.4"
name = "left"
[[port]]
usb = "0403:6001"
[limits."flash write speed"]
lowest = 500
[steps."self-test"]
attempts = 1
deadline_s = 60.5
"""


def test_a_stations_file_is_read_whole(tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text(WHOLE)
    found = station.read(path)
    assert found.get("name") == "bench 1"
    assert found.path("factory.directory") == tmp_path / "factory"
    assert str(found.path("router.board")) == "/boards/x/board.json"
    assert found.ports == (Rule(topology="1-1.4", name="left"), Rule(usb="0403:6001"))
    assert found.limits == {"flash write speed": Limit(500, None)}
    assert found.changes == {steps.SELF_TEST: steps.Change(1, 60.5)}


@pytest.mark.parametrize(
    "text, reason",
    [
        ("name = ", "Invalid value"),
        ("nane = 'x'", "the file has no 'nane'"),
        ("[cloud]\nadress = 'x'", r"\[cloud\] has no 'adress'"),
        ("at_once = 0", "'at_once' of the file is not a count"),
        ("at_once = true", "is not a count"),
        ("[cloud]\nntp = 'x'", "is not a list of texts"),
        ('[cloud]\nntp = ["a", "b\\u0000"]', "is not a list of texts that can be printed"),
        ('name = "\\u001b[2J"', "is not a text that can be printed"),
        ('[factory]\nledger = "x\\u0000y"', "is not a text that can be printed"),
        ('[label]\nprinter = "\\u202elabels"', "is not a text that can be printed"),
        ("[label]\nterminal = 1", "is not true or false"),
        ("cloud = 5", r"\[cloud\] is no table"),
        ("[port]\npath = 'x'", r"write \[\[port\]\]"),
        ("[[port]]\npaht = 'x'", "has no 'paht'"),
        ("port = [5]", r"\[\[port\]\] is no table"),
        ("limits = 5", r"\[limits\] is no table"),
        ("[limits.entropy]\nlowest = 'x'", "is not a number"),
        ("[limits.entropy]\nlowest = nan", "is not a number"),
        ("[limits.entropy]\nleast = 1", "has no 'least'"),
        ("[steps.paint]\nattempts = 1", "there is no step 'paint'"),
        ("[steps.lock]\nattempts = 1.5", "is not a count"),
    ],
)
def test_what_a_stations_file_may_not_say_is_named(tmp_path, text, reason):
    with pytest.raises(ToolError, match=reason) as raised:
        station.parse(text, tmp_path / "bench.toml")
    assert raised.value.exit_code == exit_codes.USAGE


def test_the_example_in_the_help_is_a_stations_file(tmp_path):
    example = textwrap.dedent(station.__doc__.split("\n", 1)[1])
    found = station.parse(example, tmp_path / "bench.toml")
    named = {
        *station.TABLES[""],
        *(f"{table}.{name}" for table in station.TABLES if table for name in station.TABLES[table]),
    }
    assert named - {"label.file"} == set(found.settings)


def test_a_file_that_is_not_there_and_a_bench_without_ports_are_refused(tmp_path, capsys):
    assert cli.main(["provision", "--station", str(tmp_path / "none.toml")]) == exit_codes.USAGE
    assert cli.main(["provision"]) == exit_codes.USAGE
    said = capsys.readouterr().err
    assert "none.toml: it cannot be read" in said
    assert "no port was named: name them with --port, --all" in said


def test_the_labels_of_two_routers_do_not_go_into_one_file(tmp_path, capsys):
    ports = [f"--port={tmp_path / name}" for name in ("left", "right")]
    assert cli.main(["provision", *ports, "--label", str(tmp_path / "label.svg")]) == exit_codes.USAGE
    assert "cannot hold the labels of several routers" in capsys.readouterr().err
