"""The exit statuses are what host_tools/README.md says, and each has one meaning."""

import re

from host_tools import exit_codes
from host_tools.factory import steps
from host_tools.release.places import ROOT

NUMBERS = {name: value for name, value in vars(exit_codes).items() if name.isupper()}
ROW = re.compile(r"^\| (\d+) \| `([A-Z_]+)` \| .+ \|$", re.MULTILINE)


def test_the_readme_has_every_status_with_its_name_and_no_other():
    found = ROW.findall((ROOT / "host_tools/README.md").read_text(encoding="utf-8"))
    assert [(int(number), name) for number, name in found] == sorted(
        (value, name) for name, value in NUMBERS.items()
    )


def test_no_number_means_two_things():
    assert len(set(NUMBERS.values())) == len(NUMBERS)


def test_a_bench_tells_its_kinds_of_failure_apart():
    kinds = ("SERIAL_PORT", "HANDSHAKE", "TRANSFER", "VERIFICATION", "REFUSED_BY_BOARD", "SELF_TEST")
    kinds += ("LOCK_NOT_PROVEN", "LEDGER", "PRINTER")
    assert len({NUMBERS[name] for name in kinds}) == len(kinds)
    assert {row.exit_code for row in steps.STEPS} <= {NUMBERS[name] for name in kinds}
