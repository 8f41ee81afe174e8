"""Shows a factory line's events: a live line for each port and a total in a terminal, plain lines in a pipe,
one JSON object for each event for a machine.

    with show_for(as_json=False) as show:
        FactoryLine(means, rows, show.tell).run(ports)
"""

import os
import shutil
import sys
import threading
import time
from typing import TextIO

from host_tools.factory import cells
from host_tools.factory.events import (
    GO,
    PASS,
    Event,
    PortSeen,
    StepEnded,
    StepProgress,
    StepStarted,
    Totals,
    UnitEnded,
    UnitIdentified,
    UnitStarted,
    to_json,
)
from host_tools.progress import DIM, GREEN, RED

REDRAW_S = 0.2
NAME_WIDTH = 24  # of a port's key, at most: its end is what tells ports apart


def show_for(as_json: bool, out: TextIO | None = None) -> "Plain":
    out = out or sys.stdout
    if as_json:
        return Json(out)
    return Live(out) if out.isatty() else Plain(out)


class Plain:
    """A line for each step and each unit that has ended."""

    def __init__(self, out: TextIO):
        self.out = out

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def tell(self, event: Event) -> None:
        text = sentence(event)
        if text:
            self.say(printable(text))

    def say(self, text: str) -> None:
        print(text, file=self.out, flush=True)


class Json(Plain):
    def tell(self, event: Event) -> None:
        print(to_json(event, time.time()), file=self.out, flush=True)

    def say(self, text: str) -> None:
        """Prose is for people."""


class Tile:
    """What the live line of a port says."""

    def __init__(self, key: str, steps: tuple[str, ...] = ()):
        self.key = key
        self.steps = steps
        self.step = ""
        self.serial_number = ""
        self.detail = "waits"
        self.began = time.monotonic()
        self.ended: UnitEnded | None = None

    def take(self, event: Event) -> None:
        if isinstance(event, UnitIdentified):
            self.serial_number = event.serial_number
        elif isinstance(event, StepStarted):
            again = f"attempt {event.attempt} of {event.attempts}" if event.attempt > 1 else ""
            self.step, self.detail = event.step, again
        elif isinstance(event, StepProgress):
            self.detail = f"{event.done / max(1.0, event.total):4.0%}  {event.detail}"
        elif isinstance(event, UnitEnded):
            self.ended = event

    def line(self, now: float, name_width: int) -> tuple[str, str, str]:
        """Return (mark, its colour, the rest)."""
        name = cells.column(self.key, name_width)
        if self.ended is not None:
            end = self.ended
            text = f"{name} {end.verdict:<6} {end.seconds:6.1f} s  {end.serial_number:<12}  {end.reason}"
            return ("✓", GREEN, text) if end.verdict == GO else ("✗", RED, text)
        at = f"{self.steps.index(self.step) + 1}/{len(self.steps)}" if self.step in self.steps else ""
        spent = f"{now - self.began:6.1f} s" if self.step else " " * 8
        return "·", DIM, f"{name} {at:<6} {spent}  {self.serial_number:<12}  {self.step} {self.detail}"


class Live(Plain):
    """Draws all lines again, at most every REDRAW_S, by a thread of its own that __exit__ ends."""

    def __init__(self, out: TextIO):
        super().__init__(out)
        self.coloured = not os.environ.get("NO_COLOR")
        self._tiles: dict[str, Tile] = {}
        self._totals: Totals | None = None
        self._drawn = 0  # lines
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._redraw, name="the live lines", daemon=True)

    def __enter__(self) -> "Live":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with self._lock:
            self._draw(everything=True)
            for tile in self._tiles.values():
                if tile.ended is not None and tile.ended.verdict != GO:  # its line had no room for all of it
                    self.out.write(printable(f"  {sentence(tile.ended)}") + "\n")
            self.out.flush()

    def tell(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Totals):
                self._totals = event
                return
            if isinstance(event, UnitStarted):
                self._tiles[event.port] = Tile(event.port, event.steps)
            self._tiles.setdefault(event.port, Tile(event.port)).take(event)

    def say(self, text: str) -> None:
        """Print above the live lines."""
        with self._lock:
            self._erase()
            self.out.write(text.rstrip("\n") + "\n")
            self._draw()

    def _redraw(self) -> None:
        while not self._over.wait(REDRAW_S):
            with self._lock:
                self._draw()

    def _erase(self) -> None:
        self.out.write(f"\x1b[{self._drawn}F\x1b[J" if self._drawn else "")
        self._drawn = 0

    def _draw(self, everything: bool = False) -> None:
        width, height = shutil.get_terminal_size()
        tiles = list(self._tiles.values())
        room = max(1, height - 3)
        hidden = 0
        if len(tiles) > room and not everything:
            tiles = sorted(tiles, key=lambda tile: tile.ended is not None)
            hidden, tiles = len(tiles) - room, tiles[:room]
        name_width = min(NAME_WIDTH, max([cells.width(tile.key) for tile in tiles], default=1))
        lines = [self._coloured(*tile.line(time.monotonic(), name_width), width) for tile in tiles]
        lines += [f"    and {hidden} more"[:width]] if hidden else []
        lines.append(total_line(self._totals)[:width])
        self._erase()
        self.out.write("\n".join(lines) + "\n")
        self.out.flush()
        self._drawn = len(lines)

    def _coloured(self, mark: str, colour: str, text: str, width: int) -> str:
        text = cells.cut(printable(text), max(0, width - 5)).rstrip()
        return f"  \x1b[{colour}m{mark}\x1b[0m {text}" if self.coloured else f"  {mark} {text}"


def printable(text: str) -> str:
    """A board's words go to a terminal: nothing in them may move its cursor."""
    return "".join(character if character.isprintable() else "?" for character in text)


def sentence(event: Event) -> str:
    """One plain line, or "" for what only a live display shows."""
    if isinstance(event, PortSeen):
        return f"{event.port}: {event.device} {event.description}".rstrip()
    if isinstance(event, StepEnded):
        kept = " (before)" if event.is_kept else ""
        end = ", tried again" if event.will_retry else ""
        what = f"{event.detail}{end}" if event.outcome == PASS or not event.remedy else _advised(event) + end
        return f"{event.port}: {event.step}: {event.outcome}{kept} in {event.seconds:.1f} s: {what}"
    if isinstance(event, UnitEnded):
        name = f" {event.serial_number}" if event.serial_number else ""
        advice = f": {event.remedy}" if event.remedy else ""
        return f"{event.port}: {event.verdict}{name} in {event.seconds:.1f} s: {event.reason}{advice}"
    return ""


def _advised(event: StepEnded) -> str:
    return f"{event.detail}: {event.remedy}"


def total_line(totals: Totals | None) -> str:
    if totals is None:
        return "  nothing yet"
    minutes, seconds = divmod(round(totals.seconds), 60)
    return (
        f"  {totals.go} GO, {totals.no_go} NO-GO, {totals.running} at work, {totals.waiting} waiting, "
        f"{minutes}:{seconds:02} min"
    )
