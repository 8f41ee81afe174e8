"""Proves a lock: every way to code that a console has is tried, and each must be refused.

    measurements = prove(line)
    open_ways(measurements)             # [] when the lock holds

One measurement for each way, 1 refused or 0 open. A way counts as refused when the locked console has said
its sentence afterwards, and nothing on the line was a prompt, a banner or the result of our code.
"""

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.events import Measurement
from host_tools.serial_port import LOCKED_BANNER, RAW_BANNER, BenchLine

CODE, RESULT = b"print(1234567*7)", b"8641969"  # what runs, and what no echo of it contains
OPEN_SIGNS = (RESULT, RAW_BANNER, b"paste mode; ", b">>> ", b"R\x01")
ANSWER_S = 15.0  # a router says its sentence in milliseconds; on a busy computer an emulated one in seconds
STATUS_TRIES = 3  # of a status that was mixed with what the router still had to say
FLOOD_BYTES = 4096  # more than a kernel's line buffer holds
MPREMOTE_S = 1.0  # that it waits for each banner; an open router answers in milliseconds
RESTART_S = 120.0  # a second on the host board, three on the emulated one, on a busy computer ten times that
RESTART = b"\x03restart\r"
ASK_AGAIN_S = 10.0  # a router goes down after a second, and one that runs on has lost the word on the line
KEYS_EVERY_S = 0.05
STATUS_S = 0.5  # between two bytes of a status; a router that restarts says nothing


class Way(NamedTuple):
    """Keys that would get code run on a router that is open."""

    name: str
    keys: bytes
    after_break: bool = False


WAYS = (
    Way("raw REPL", b"\x03\x01" + CODE + b"\x04"),
    Way("raw paste", b"\x03\x01\x05A\x01" + CODE + b"\x04\x04"),
    Way("paste mode", b"\x03\x05" + CODE + b"\x04"),
    Way("statement", b"\x03" + CODE + b"\r"),
    Way("soft reset", b"\x03\x04\x04" + CODE + b"\r"),
    Way("Ctrl-C flood", b"\x03" * FLOOD_BYTES + b"\x01" + CODE + b"\x04"),
    Way("break", b"\x01" + CODE + b"\x04", after_break=True),
)
QUICK = tuple(way.name for way in WAYS)  # those that leave a router running
MPREMOTE, BOOT_KEYS = "mpremote", "boot-time keystrokes"
NAMES = (*QUICK, MPREMOTE, BOOT_KEYS)

# What a boot loader, an init or a REPL may listen for, one after the other for as long as the router starts.
KEYS = (b"\x03\x03", b"\x01" + CODE + b"\x04", b"\x05" + CODE + b"\x04", b" ", b"\x1b", b"\r" + CODE + b"\r")


def prove(line: BenchLine, names: Collection[str] = NAMES) -> tuple[Measurement, ...]:
    """Try the ways of these names, also those after one that was open."""
    tries: dict[str, Callable[[], bool]] = {way.name: partial(_is_refused, line, way) for way in WAYS}
    tries[MPREMOTE] = lambda: not line.mpremote_gets_in(MPREMOTE_S)
    tries[BOOT_KEYS] = lambda: _is_refused_while_it_starts(line)
    return tuple(measured(name, tries[name]()) for name in names)


def open_ways(measurements: tuple[Measurement, ...]) -> list[str]:
    return [one.name for one in measurements if not one.ok]


def measured(name: str, is_refused: bool) -> Measurement:
    return Measurement(name, float(is_refused), "refused", 1.0, None, is_refused)


def _is_refused(line: BenchLine, way: Way) -> bool:
    if way.after_break:
        line.send_break()
    said = line.provoke(way.keys, (LOCKED_BANNER, *OPEN_SIGNS), ANSWER_S)
    if not _shows_open(said) and LOCKED_BANNER not in said:
        raise _silent(f"said nothing when this was tried: {way.name}")
    return not _shows_open(said)


def _shows_open(said: bytes) -> bool:
    return any(sign in said for sign in OPEN_SIGNS)


def _is_refused_while_it_starts(line: BenchLine) -> bool:
    """Restart the router and type all the while. It has restarted when it runs for less time than we wait."""
    before_ms = _milliseconds(status(line))
    if before_ms is None:
        raise _not_proven("does not say for how long it runs", "flash newer firmware before the lock")
    began = asked = time.monotonic()
    line.provoke(RESTART, (b"restart",))
    while time.monotonic() < began + RESTART_S:
        if _shows_open(_type_keys(line)):
            return False
        now_ms = _running_ms(line)
        waited_ms = (time.monotonic() - began) * 1000
        if now_ms is not None and now_ms < waited_ms + before_ms / 2:
            return not _shows_open(_type_keys(line))
        if now_ms is not None and time.monotonic() > asked + ASK_AGAIN_S:
            asked = time.monotonic()
            line.provoke(RESTART, (b"restart",))
    wrong = "did not come back after a restart with keys pressed"
    raise _not_proven(wrong, "look what its boot loader shows at this port; do not ship it")


def _type_keys(line: BenchLine) -> bytes:
    said = b""
    for keys in KEYS:
        line.send(keys)
        said += line.receive(KEYS_EVERY_S)
    return said


def status(line: BenchLine) -> dict[str, str]:
    """What a locked router says of itself, its serial number at least. Raises ToolError."""
    for _ in range(STATUS_TRIES):
        found = line.locked_status(ANSWER_S)
        if "serial_number" in found:
            return found
    raise _silent("does not say which one it is")


def _running_ms(line: BenchLine) -> int | None:
    """How long the router says that it runs; None when it does not say."""
    return _milliseconds(line.locked_status(STATUS_S))


def _milliseconds(found: dict[str, str]) -> int | None:
    running = found.get("running", "").removesuffix(" ms")
    return int(running) if running.isdecimal() else None


def _silent(wrong: str) -> ToolError:
    """It may be the line: tried again, and NO-GO when it stays so."""
    return ToolError(
        f"the router {wrong}", "check the cable, then start this bench again", exit_codes.HANDSHAKE
    )


def _not_proven(wrong: str, remedy: str) -> ToolError:
    return ToolError(f"the router {wrong}", remedy, exit_codes.LOCK_NOT_PROVEN)
