"""A transfer's line: how much is there, how fast, how long it will take."""

import time

from host_tools.flash.session import Progress
from host_tools.progress import Job

REDRAW_S = 0.1
RATE_OVER_S = 0.5  # before a rate says anything


class Show:
    """Draws one transfer into a job's line, and tells a machine of each tenth."""

    def __init__(self, job: Job):
        self.job = job
        self.started: float | None = None
        self.drawn_at = 0.0
        self.tenths = -1

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        self.started = self.started or now
        tenths = progress.done * 10 // max(1, progress.total)
        if tenths != self.tenths:
            self.tenths = tenths
            fields = {"done": progress.done, "total": progress.total, "wire": progress.wire}
            self.job.progress.event(event="progress", **fields, seconds=round(now - self.started, 2))
        if now - self.drawn_at >= REDRAW_S:
            self.drawn_at = now
            self.job.update(line(progress, now - self.started), progress.done / max(1, progress.total))

    def outcome(self, progress: Progress, now: float) -> str:
        seconds = max(0.001, now - (self.started or now))
        resumed = f", resumed at {progress.resumed_at / 1000:.0f} KB" if progress.resumed_at else ""
        again = f", the stub started {progress.runs} times" if progress.runs > 1 else ""
        rate = (progress.total - progress.resumed_at) / 1000 / seconds
        return f"{progress.total / 1000:.0f} KB at {rate:.1f} KB/s{resumed}{again}"


def line(progress: Progress, seconds: float) -> str:
    """Return "120 of 400 KB, 11.2 KB/s, 25 s left"."""
    text = f"{progress.done / 1000:.0f} of {progress.total / 1000:.0f} KB"
    gained = progress.done - progress.resumed_at
    if seconds < RATE_OVER_S or gained <= 0:
        return text
    rate = gained / seconds
    return f"{text}, {rate / 1000:.1f} KB/s, {duration((progress.total - progress.done) / rate)} left"


def duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
