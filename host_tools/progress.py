"""How host tools speak while they work: one line per job, its outcome and how long it took.

In a terminal the line is alive until the job ends; elsewhere only the outcome is printed, and
`--json` prints one event per line instead. Colours follow https://no-color.org.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

GREEN, RED, DIM = "32", "31", "2"
MARKS = {"done": ("✓", GREEN), "failed": ("✗", RED), "stopped": ("-", DIM)}


class Progress:
    def __init__(self, as_json: bool = False, out: TextIO | None = None):
        self.as_json = as_json
        self.out = out or sys.stdout
        self.live = self.out.isatty() and not as_json
        self.coloured = self.live and not os.environ.get("NO_COLOR")

    @contextmanager
    def job(self, name: str) -> Iterator["Job"]:
        """Print the job's line when the block ends, with how it ended."""
        job = Job(self, name)
        job.show()
        try:
            yield job
        except (asyncio.CancelledError, KeyboardInterrupt):
            job.end("stopped")
            raise
        except BaseException:
            job.end("failed")
            raise
        job.end("done")

    def say(self, text: str = "") -> None:
        """Print prose for a person; machines get events only."""
        if not self.as_json:
            print(text, file=self.out, flush=True)

    def event(self, **fields: Any) -> None:
        """Print one JSON object for a machine; people get prose only."""
        if self.as_json:
            print(json.dumps(fields, sort_keys=True), file=self.out, flush=True)

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured else text

    def bold(self, text: str) -> str:
        return self.paint(text, "1")


class Job:
    """One line. `detail` may change while it runs; `fraction` (0..1) draws a bar."""

    def __init__(self, progress: Progress, name: str):
        self.progress = progress
        self.name = name
        self.detail = ""
        self.fraction: float | None = None
        self.started = time.monotonic()

    def update(self, detail: str, fraction: float | None = None) -> None:
        self.detail = detail
        self.fraction = fraction
        self.show()

    def show(self) -> None:
        if self.progress.live:
            bar = "" if self.fraction is None else _bar(self.fraction) + " "
            mark = self.progress.paint("·", DIM)
            self.progress.out.write(f"\r\x1b[K  {mark} {self.name:<22} {bar}{self.detail}")
            self.progress.out.flush()

    def end(self, outcome: str) -> None:
        seconds = time.monotonic() - self.started
        self.progress.event(event=outcome, job=self.name, detail=self.detail, seconds=round(seconds, 2))
        if self.progress.live:
            self.progress.out.write("\r\x1b[K")
        mark = self.progress.paint(*MARKS[outcome])
        took = self.progress.paint(f"{seconds:5.1f} s", DIM)
        self.progress.say(f"  {mark} {self.name:<22} {took}  {self.detail}".rstrip())


def _bar(fraction: float, width: int = 20) -> str:
    filled = round(max(0.0, min(1.0, fraction)) * width)
    return "█" * filled + "░" * (width - filled)
