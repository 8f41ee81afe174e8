"""What the page shows of each port, folded from the events of a line (events.py). Without I/O.

    tiles = Tiles()
    tiles.take(event, at)       # the ports whose tile has changed
    tiles.view("/dev/ttyUSB0")  # what a browser draws, as JSON has it; None when there is no such tile

A board that is taken off leaves its verdict on the tile until the next one comes: the operator may be slow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from host_tools.factory import events
from host_tools.factory.events import ABORTED, GO, PASS, Totals

READY, WORKING, WENT_WELL, WENT_WRONG, STOPPED = STATES = ("ready", "working", "go", "no-go", "stopped")

START_IT, ABORT_IT = "start", "abort"  # what the page may ask of a line


class Look(NamedTuple):
    """What a state is called, what may be done in it, and what the button for that says."""

    word: str
    action: str
    button: str


LOOKS = {
    READY: Look("Ready", START_IT, "Start"),
    WORKING: Look("Working", ABORT_IT, "Stop"),
    WENT_WELL: Look("GO", START_IT, "Start next board"),
    WENT_WRONG: Look("NO-GO", START_IT, "Try again"),
    STOPPED: Look("Stopped", START_IT, "Go on"),
}
CONNECT = "Connect a board to this port."
WAIT = "Leave the board connected."
START = "Press Start when a board is connected."
TAKE = "Take the board off and put it with the good ones."
LABEL = (
    "Take the board off, and stick the label {serial_number} on it."  # by name: labels of several lie there
)
SET_ASIDE = "Set the board aside."
AGAIN = "Press Go on: it begins where it stopped."


@dataclass
class Tile:
    port: str
    device: str = ""
    description: str = ""
    is_there: bool = True
    state: str = READY
    model: str = ""
    serial_number: str = ""
    steps: tuple[str, ...] = ()
    step: str = ""
    attempt: int = 1
    attempts: int = 1
    done: list[str] = field(default_factory=list)
    fraction: float | None = None  # of the step, where it says so
    detail: str = ""
    next: str = START
    since: float = 0.0  # unix seconds: when the state began
    seconds: float = 0.0  # that a run took

    def view(self) -> dict[str, Any]:
        """For a browser. Nothing in it is secret: no event has a secret."""
        look = LOOKS[self.state]
        return {
            "port": self.port,
            "device": self.device if self.device != self.port else "",
            "description": self.description,
            "is_there": self.is_there,
            "state": self.state,
            "word": look.word,
            "action": look.action if self.is_there or self.state == WORKING else "",
            "button": look.button,
            "model": self.model,
            "serial_number": self.serial_number,
            "step": self.step_text,
            "progress": self.progress,
            "detail": self.detail,
            "next": self.next if self.is_there or self.state != READY else CONNECT,
            "since": self.since,
            "seconds": round(self.seconds, 1),
        }

    @property
    def step_text(self) -> str:
        if not self.step or self.step not in self.steps:
            return self.step
        number = self.steps.index(self.step) + 1
        again = f", try {self.attempt} of {self.attempts}" if self.attempt > 1 else ""
        return f"{number} of {len(self.steps)}: {self.step}{again}"

    @property
    def progress(self) -> float:
        """Of the whole run, 0 to 1: each step counts the same, a part of one as far as it tells."""
        if self.state == WENT_WELL:
            return 1.0
        steps = len(self.steps) or 1
        part = (self.fraction or 0.0) if self.step not in self.done else 0.0
        return round(min(1.0, (len(self.done) + part) / steps), 3)


class Tiles:
    def __init__(self) -> None:
        self._tiles: dict[str, Tile] = {}
        self.totals = Totals(0, 0, 0, 0, 0, 0.0)

    @property
    def ports(self) -> list[str]:
        """As they came: a tile stays in its place on the page."""
        return list(self._tiles)

    def view(self, port: str) -> dict[str, Any] | None:
        tile = self._tiles.get(port)
        return tile.view() if tile else None

    def totals_view(self) -> dict[str, Any]:
        ended = self.totals.go + self.totals.no_go
        share = round(100 * self.totals.go / ended) if ended else None
        return {
            "go": self.totals.go,
            "no_go": self.totals.no_go,
            "running": self.totals.running,
            "yield": share,
        }

    def take(self, event: events.Event, at: float) -> str | None:
        """Return the port whose tile has changed, None for the totals."""
        if isinstance(event, Totals):
            self.totals = event
            return None
        tile = self._tiles.setdefault(event.port, Tile(event.port, since=at))
        TAKERS[type(event)](tile, event, at)
        if isinstance(event, events.PortGone) and tile.state == READY:
            del self._tiles[event.port]
        return event.port


# --- what each event does to its tile ---


def _seen(tile: Tile, event: events.PortSeen, at: float) -> None:
    tile.device, tile.description, tile.is_there = event.device, event.description, True


def _gone(tile: Tile, event: events.PortGone, at: float) -> None:
    tile.is_there = False


def _started(tile: Tile, event: events.UnitStarted, at: float) -> None:
    kept = Tile(tile.port, tile.device, tile.description)
    tile.__dict__.update(kept.__dict__)
    tile.state, tile.steps, tile.next, tile.since = WORKING, event.steps, WAIT, at


def _identified(tile: Tile, event: events.UnitIdentified, at: float) -> None:
    tile.model, tile.serial_number = event.model, event.serial_number


def _step_started(tile: Tile, event: events.StepStarted, at: float) -> None:
    tile.step, tile.attempt, tile.attempts = event.step, event.attempt, event.attempts
    tile.fraction, tile.detail = None, ""


def _step_progress(tile: Tile, event: events.StepProgress, at: float) -> None:
    tile.fraction = min(1.0, event.done / event.total) if event.total > 0 else None
    tile.detail = event.detail


def _step_ended(tile: Tile, event: events.StepEnded, at: float) -> None:
    tile.fraction, tile.detail = None, event.detail
    if event.outcome == PASS and event.step not in tile.done:
        tile.done.append(event.step)


def _ended(tile: Tile, event: events.UnitEnded, at: float) -> None:
    # The reason begins with the step, which the tile has already.
    tile.detail = sentence(event.reason.removeprefix(f"{event.step}: "))
    tile.since, tile.seconds = at, event.seconds
    tile.serial_number = event.serial_number or tile.serial_number
    tile.model = event.model or tile.model
    if event.verdict == GO:
        tile.state, tile.step = WENT_WELL, ""
        is_labelled = "print" in tile.steps and not event.was_finished
        label = LABEL.format(serial_number=tile.serial_number)
        tile.next = label if is_labelled else sentence(event.remedy) or TAKE
    elif event.outcome == ABORTED:
        tile.state, tile.step, tile.next = STOPPED, event.step, AGAIN
    else:
        tile.state, tile.step = WENT_WRONG, event.step
        tile.next = sentence(event.remedy) or SET_ASIDE


TAKERS: dict[type, Callable[[Tile, Any, float], None]] = {
    events.PortSeen: _seen,
    events.PortGone: _gone,
    events.UnitStarted: _started,
    events.UnitIdentified: _identified,
    events.StepStarted: _step_started,
    events.StepProgress: _step_progress,
    events.StepEnded: _step_ended,
    events.UnitEnded: _ended,
}


def sentence(part: str) -> str:
    """A part of a sentence, as events have it, as a sentence of its own."""
    part = part.strip()
    return part[:1].upper() + part[1:] + ("" if part.endswith((".", "?")) else ".") if part else ""
