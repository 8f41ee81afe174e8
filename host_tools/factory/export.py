"""The ledger's entries for other programs: JSON lines, whole; CSV, what fits a table.

A JSON line is the entry's fields with its `sequence` and `hash`. A table's cell never begins a formula,
whatever a router called itself.
"""

import csv
import datetime
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator

from host_tools.factory.chain import Entry
from host_tools.factory.story import printable

COLUMNS = (
    "sequence",
    "time",
    "kind",
    "station",
    "serial_number",
    "model",
    "verdict",
    "step",
    "outcome",
    "seconds",
    "reason",
    "mac",
    "certificate_fingerprint",
    "service_code_hash",
    "service_code_key_id",
    "hash",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def json_line(entry: Entry) -> str:
    return json.dumps({**entry.fields, "sequence": entry.sequence, "hash": entry.hash}, sort_keys=True)


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    return (json_line(entry) + "\n" for entry in entries)


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """With a heading, also when there is no entry; RFC 4180."""
    yield _csv_line(COLUMNS)
    for entry in entries:
        row = {**entry.fields, "sequence": entry.sequence, "hash": entry.hash}
        row["time"] = _utc(entry.fields["at"])
        if entry.fields["kind"] == "run":
            row["seconds"] = round(entry.fields["at"] - entry.fields["started_at"], 3)
        yield _csv_line([row.get(name, "") for name in COLUMNS])


FORMATS = {"jsonl": json_lines, "csv": csv_lines}


def write_out(lines: Iterable[str]) -> None:
    """To the standard output, until its reader has seen enough, as `head` has."""
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python has left to say at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _csv_line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_safe(cell) for cell in cells])
    return out.getvalue()


def _safe(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return "'" + printable(cell) if cell.startswith(FORMULA) else printable(cell)


def _utc(unix_s: float) -> str:
    return datetime.datetime.fromtimestamp(unix_s, datetime.UTC).isoformat(timespec="milliseconds")
