"""The step self-test: what the router measures of itself, and its clock against ours."""

import time
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.engine import Result
from host_tools.factory.events import FAIL, PASS
from host_tools.factory.limits import Limit, judge, missing, of_check, sentence
from host_tools.factory.unit.unit import Unit
from host_tools.serial_port import BenchLine

CLOCK_RATE = "clock rate"
RATE_LIMIT = Limit(
    0.95, 1.05
)  # a wrong prescaler or crystal is off by more; drift is network time's business
UNCERTAINTY = 0.02  # of the rate: half of what the limit leaves a good clock
FIRST_LOOKS = 3  # the quickest answer of these says best when it was given
PATIENCE_S = 60.0  # to get that certain: two seconds on a line that answers in 20 ms
BETWEEN_S = 0.2
TICKS_PERIOD = 1 << 30  # of MicroPython's ticks_ms on 32 bits; on 64 bits it does not come round
# Of the router's own figures. A firmware that lacks one is not asked whether it is well.
FIGURES = (
    "device key signs",
    "flash write",
    "flash free",
    "flash write speed",
    "flash read speed",
    "flash blocks wrong",
    "memory available",
    "memory tried",
    "memory pieces wrong",
    "clock set",
    "clock steps back",
    "network ports",
    "network links",
    "entropy",
    "entropy longest run",
    "entropy commonest",
)
ASK = "import time;t=time.ticks_ms();print(t,t)"  # twice: a line may change a digit


class Look(NamedTuple):
    """The router's clock said `ticks_ms` at some moment from `since` to `until`, seconds of ours."""

    since: float
    until: float
    ticks_ms: int


def self_test(unit: Unit) -> Result:
    unit.check_same()
    # A router without a battery has lost the time when its power was cut since its identity was written.
    unit.line.call("set_time", {"time": int(time.time())})
    first = min((look(unit.line) for _ in range(FIRST_LOOKS)), key=lambda one: one.until - one.since)
    limits = unit.means.limits
    reply = unit.line.call("self_test", {})
    measured = [of_check(check, limits) for check in reply["checks"]]
    measured.append(judge(CLOCK_RATE, _certain_rate(unit.line, first), "s/s", RATE_LIMIT, limits))
    measured += missing(measured, FIGURES, limits)
    wrong = [sentence(one) for one in measured if not one.ok]
    if wrong or not reply["passed"]:
        reason = "; ".join(wrong) or "the router says that it has failed, and names no figure"
        return Result(FAIL, reason, "set it aside for repair, it is not locked", 0, tuple(measured))
    return Result(PASS, f"{len(measured)} figures within their limits", measurements=tuple(measured))


def look(line: BenchLine) -> Look:
    since = time.monotonic()
    said = line.execute(ASK).split()
    until = time.monotonic()
    if len(said) != 2 or said[0] != said[1] or not said[0].isdecimal():
        raise ToolError(
            f"what {line.port} says of its clock arrives damaged",
            "check the cable and the ground, then start this bench again",
            exit_codes.SERIAL_PORT,
        )
    return Look(since, until, int(said[0]))


def rate(first: Look, last: Look) -> tuple[float, float]:
    """Return (rate, uncertainty): how fast the router's clock runs, seconds for each of ours."""
    ticks = last.ticks_ms - first.ticks_ms
    if ticks < 0:
        ticks += TICKS_PERIOD
    shortest, longest = last.since - first.until, last.until - first.since
    if shortest <= 0:
        return 0.0, float("inf")
    low, high = (ticks - 1) / 1000 / longest, (ticks + 1) / 1000 / shortest
    return (low + high) / 2, (high - low) / 2


def _certain_rate(line: BenchLine, first: Look) -> float:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found, uncertainty = rate(first, look(line))
        if uncertainty <= UNCERTAINTY * max(found, 1.0):
            return found
        if time.monotonic() > deadline:
            raise ToolError(
                f"{line.port} answers too slowly to measure the router's clock",
                "let this computer do less meanwhile, then start this bench again",
                exit_codes.HANDSHAKE,
            )
        time.sleep(BETWEEN_S)
