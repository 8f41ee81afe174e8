"""What became of a router, as lines for a person: each entry of the ledger, each step, each measurement.

for line in story(ledger.entries(serial_number=serial_number)): print(line)
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from host_tools.factory.chain import Entry
from host_tools.factory.runs import state_of


def story(entries: Sequence[Entry]) -> Iterator[str]:
    """Lines, without their ends and without anything that moves a terminal's cursor."""
    state = state_of(entries)
    if state is None:
        return
    model = next((entry.fields["model"] for entry in reversed(entries) if entry.fields.get("model")), "")
    yield printable(f"{state.serial_number}  {model or 'of no known model'}  {state.name}")
    for entry in entries:
        yield ""
        fields = entry.fields
        yield printable(
            f"{local_time(fields['at'])}  {fields['kind']}  entry {entry.sequence}, {fields['station']}"
        )
        yield from (printable("  " + line) for line in LINES.get(fields["kind"], _any)(fields))


def printable(text: str) -> str:
    """What a router says must not speak to the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def local_time(unix_s: float) -> str:
    return datetime.datetime.fromtimestamp(unix_s).astimezone().isoformat(" ", "seconds")


def _named(fields: dict[str, Any]) -> Iterator[str]:
    yield f"got its serial number for the key {fields['public_key'][:16]}…"


def _unit(fields: dict[str, Any]) -> Iterator[str]:
    yield "is good"
    yield f"certificate {fields['certificate_fingerprint']}"
    yield f"its number  {fields.get('certificate_number') or 'not kept'}"
    yield f"MAC address {fields.get('mac') or 'none'}"
    yield f"made        {local_time(fields['made_at'])}"


def _ended(fields: dict[str, Any]) -> Iterator[str]:
    yield f"because     {fields['reason']}"
    yield f"certificate {fields['certificate_fingerprint']}"


def _run(fields: dict[str, Any]) -> Iterator[str]:
    yield f"{fields['verdict']}  {fields['reason']}"
    yield f"port {fields['port'] or 'unknown'}, firmware {fields['firmware'] or 'unknown'}"
    for row in fields["steps"]:
        yield from _step(row)


def _step(row: dict[str, Any]) -> Iterator[str]:
    seconds = f"{row['seconds']:7.1f} s" if isinstance(row.get("seconds"), int | float) else " " * 9
    again = f"attempt {row['attempt']}, " if row.get("attempt", 1) != 1 else ""
    kept = "kept of an earlier run, " if row.get("is_kept") else ""
    yield f"  {row['outcome']:<8}{seconds}  {row['step']:<18}{again}{kept}{row.get('detail', '')}".rstrip(
        " ,"
    )
    for one in row.get("measurements", ()):
        yield f"{'':21}{measurement(one)}"


def measurement(one: dict[str, Any]) -> str:
    """ "clock 75 s, at most 60: wrong" """
    value = "not measured" if one["value"] is None else f"{one['value']:g} {one['unit']}".rstrip()
    limits = [f"{word} {one[name]:g}" for name, word in LIMITS if one.get(name) is not None]
    return (
        f"{one['name']} {value}{', ' if limits else ''}{' and '.join(limits)}{'' if one['ok'] else ': wrong'}"
    )


def _any(fields: dict[str, Any]) -> Iterator[str]:
    for name, value in sorted(fields.items()):
        if name not in ("kind", "at", "station", "serial_number"):
            yield f"{name}: {value}"


LIMITS = (("lowest", "at least"), ("highest", "at most"))
LINES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "named": _named,
    "unit": _unit,
    "run": _run,
    "revoked": _ended,
    "rework": _ended,
    "clock": _any,
    "lost": _any,
}
