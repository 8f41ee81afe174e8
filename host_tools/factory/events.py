"""What a factory line tells while it works: one typed event after the other, for people, pages and machines.

    def tell(event: Event) -> None: ...      # a listener: called from the threads of the ports, one at a time
    print(to_json(event, at=time.time()))    # one line of `gatelodge provision --json`
    event, at = from_json(line)              # what reads it back; other versions' extra fields are dropped

Every event but Totals is about one port, by its key: the path that the station or the operator calls it by.
For a port the order is

    PortSeen (UnitStarted (StepStarted StepProgress* StepEnded)+ UnitEnded)* PortGone?

with UnitIdentified in it as soon as the router has a name, and again when it is given one. A step that is
tried again starts and ends again, with the next `attempt`. UnitEnded comes for every UnitStarted, whatever
happened. Totals follow each UnitStarted and UnitEnded.

No event holds a secret: a service code is on its label and nowhere here.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

VERSION = 1  # of the JSON; a new field does not change it, another meaning does

# How a step ends. FAIL: the router is not right. ERROR: the bench, the line or the ledger is not.
PASS, FAIL, ERROR, TIMEOUT, ABORTED = OUTCOMES = ("PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED")

# How a unit ends.
GO, NO_GO = VERDICTS = ("GO", "NO-GO")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number that decided something. A limit that is None does not bound that side."""

    name: str
    value: float | None  # None: it could not be measured
    unit: str
    lowest: float | None
    highest: float | None
    ok: bool


@dataclass(frozen=True, slots=True)
class PortSeen:
    port: str
    device: str  # what is opened: /dev/ttyUSB0, rfc2217://HOST:PORT
    description: str = ""  # of the adapter, for people
    usb: str = ""  # "0403:6001", vendor and product in hex
    usb_serial_number: str = ""  # of the adapter, not of a router
    topology: str = ""  # which socket of which hub: "1-1.4:1.0"


@dataclass(frozen=True, slots=True)
class PortGone:
    port: str


@dataclass(frozen=True, slots=True)
class UnitStarted:
    port: str
    steps: tuple[str, ...]  # those that this station does, in their order


@dataclass(frozen=True, slots=True)
class UnitIdentified:
    port: str
    serial_number: str  # "" until the router is named
    model: str
    firmware: str
    mac: str
    state: str  # one of contract/provisioning.py's STATES
    is_resumed: bool  # an interrupted bench has begun with it


@dataclass(frozen=True, slots=True)
class StepStarted:
    port: str
    step: str
    attempt: int  # from 1
    attempts: int  # that the step has at most
    deadline_s: float  # from now, for this attempt


@dataclass(frozen=True, slots=True)
class StepProgress:
    port: str
    step: str
    done: float
    total: float
    unit: str  # "bytes", or what is counted
    detail: str = ""  # for people: "120 of 400 KB, 11.2 KB/s, 25 s left"


@dataclass(frozen=True, slots=True)
class StepEnded:
    port: str
    step: str
    attempt: int
    outcome: str  # one of OUTCOMES
    detail: str  # one sentence's part: what was found, or what is wrong
    remedy: str  # "" unless there is something to do
    seconds: float
    measurements: tuple[Measurement, ...] = ()
    is_kept: bool = False  # done by an earlier run, and not done again
    will_retry: bool = False


@dataclass(frozen=True, slots=True)
class UnitEnded:
    port: str
    serial_number: str  # "" when it was never named
    model: str
    verdict: str  # one of VERDICTS
    step: str  # that decided: the failed one, or the last
    outcome: str  # of that step
    reason: str  # for people: why
    remedy: str  # for people: what to do next
    exit_code: int  # exit_codes.py
    seconds: float
    was_finished: bool = False  # GO, and nothing was changed: an earlier run has finished it
    report: str = ""  # the path of its JSON


@dataclass(frozen=True, slots=True)
class Totals:
    ports: int
    running: int
    waiting: int
    go: int
    no_go: int
    seconds: float  # since the line was started


Event = (
    PortSeen
    | PortGone
    | UnitStarted
    | UnitIdentified
    | StepStarted
    | StepProgress
    | StepEnded
    | UnitEnded
    | Totals
)

# The name of each in JSON.
NAMES: dict[type, str] = {
    PortSeen: "port_seen",
    PortGone: "port_gone",
    UnitStarted: "unit_started",
    UnitIdentified: "unit_identified",
    StepStarted: "step_started",
    StepProgress: "step_progress",
    StepEnded: "step_ended",
    UnitEnded: "unit_ended",
    Totals: "totals",
}
_TYPES = {name: kind for kind, name in NAMES.items()}


def to_json(event: Event, at: float) -> str:
    """Return one line, without its end. `at`: unix seconds."""
    fields = {"event": NAMES[type(event)], "at": round(at, 3), "version": VERSION}
    return json.dumps({**fields, **dataclasses.asdict(event)}, sort_keys=True)


def from_json(line: str) -> tuple[Event, float]:
    """Return (event, unix seconds). Raises ValueError on what is none of ours."""
    try:
        fields = json.loads(line)
        if fields["version"] != VERSION:
            raise ValueError(f"events of version {fields['version']}, these tools know {VERSION}")
        kind = _TYPES[fields["event"]]
        known = {field.name for field in dataclasses.fields(kind)}
        values = {name: _frozen(name, value) for name, value in fields.items() if name in known}
        return kind(**values), float(fields["at"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"no event of a factory line ({error!r})") from error


def _frozen(name: str, value: Any) -> Any:
    if name == "measurements":
        return tuple(Measurement(**one) for one in value)
    return tuple(value) if isinstance(value, list) else value
