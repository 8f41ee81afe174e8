"""Print a PDF through the system's `lp`, and wait until the printer has done it.

The PDF goes through a pipe. `lp` returns when the job is in its queue, which is no label yet: where `lpstat`
is, we wait for the job's end, and take the job back when it does not end well, so that no label comes out
later, of a router that has got another one meanwhile.
"""

import os
import re
import shutil
import subprocess
import time

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.label import ipp
from host_tools.factory.label.media import Medium

COMMAND_TIMEOUT_S = 30.0  # lp copies the job to a spooler on this computer
PRINT_TIMEOUT_S = 90.0  # a printer that wakes up warms up
POLL_S = 0.3


def print_pdf(
    data: bytes, title: str, medium: Medium, destination: str = "", timeout_s: float = PRINT_TIMEOUT_S
) -> str:
    """Return the name of the job that printed it. Raises ToolError with the exit status PRINTER."""
    if not shutil.which("lp"):
        remedy = "run `apt-get install cups-client`, or ask for a file with --output and print that"
        raise _failed("this computer has no printing system: there is no `lp`", remedy)
    where = ["-d", destination] if destination else []
    options = ["-o", f"media={_media(medium)}", "-o", "print-scaling=none"]
    done = _run(["lp", *where, "-t", title, *options, "-"], data)
    if done.returncode != 0:
        remedy = "`lpstat -p -d` lists the printers: name one of them, or choose a default"
        raise _failed(f"lp refused the label ({_last_line(done.stderr)})", remedy)
    job = re.search(rb"request id is (\S+)", done.stdout)
    if job and shutil.which("lpstat"):
        _wait_for(job[1].decode(), timeout_s)
    return job[1].decode() if job else (destination or "the default printer")


def _wait_for(job: str, timeout_s: float) -> None:
    """Return when the job is printed. Raises ToolError when it is not, and leaves nothing of it to print."""
    server = _run(["lpstat", "-H"]).stdout.decode().strip()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        state = _state(server, job)
        if state == ipp.COMPLETED:
            return
        if state in (ipp.CANCELED, ipp.ABORTED):
            raise _failed(f"the printer gave the job {job} up", "look at it, then try again")
        if _is_stopped(job):
            break
        time.sleep(POLL_S)
    _run(["cancel", job])
    remedy = "look at its paper and its cover, `cupsenable` it if it is stopped, then try again"
    raise _failed(f"the printer does not print the job {job}, which is taken back", remedy)


def _state(server: str, job: str) -> int:
    try:
        return ipp.job_state(server, int(job.rpartition("-")[2]))
    except (OSError, ValueError) as error:
        remedy = "see whether the label came out, then try again"
        raise _failed(f"the printing system does not tell how the job {job} is ({error})", remedy) from error


def _is_stopped(job: str) -> bool:
    """Whether somebody has to start the printer again; a job that waits for it waits for ever."""
    said = _run(["lpstat", "-p", job.rpartition("-")[0]]).stdout
    return b"disabled since" in said


def _run(command: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # We read what these print, in the words that they have without a language.
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=data, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        # Without the error's own words: they hold the whole command, and some hold its input.
        remedy = "see that the printing system runs, then try again"
        raise _failed(f"`{command[0]}` did not answer", remedy) from error


def _media(medium: Medium) -> str:
    return "A4" if medium.is_sheet else f"Custom.{medium.width:g}x{medium.height:g}mm"


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"


def _failed(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.PRINTER)
