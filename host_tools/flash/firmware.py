"""A bundle on its way into a router's other slot: one row of STEPS each, what a bench shows and repeats.

    flashing = Flashing(line, bundle)
    for step in STEPS:
        print(step.name, step.run(flashing))

Nothing on the router is erased before `install`, which checks the received bundle's signature itself, unpacks
it into the slot that does not run, and puts it on trial. The slot that runs is never touched.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.flash.bundle_file import BundleFile
from host_tools.flash.session import Board, Progress, Told, meet, send_file
from host_tools.serial_port import BenchLine

RESTART_S = 90.0  # a second on real boards, ten on a busy emulator
RESTART_LOOK_S = 5.0


class Flashing:
    """One router's way through the steps."""

    def __init__(
        self,
        line: BenchLine,
        bundle: BundleFile,
        *,
        speed: int | None = None,
        told: Told = lambda progress: None,
    ):
        self.line = line
        self.bundle = bundle
        self.speed = speed
        self.told = told
        self.board: Board | None = None
        self.target: dict[str, Any] = {}
        self.installed: dict[str, Any] = {}
        self.sent: Progress | None = None

    def identify(self) -> str:
        """Refuse what this bundle is not for, before a byte of it is sent."""
        self.board = meet(self.line)
        if not self.board.is_gatelodge:
            raise _refused(
                f"the board at {self.line.port} runs MicroPython for {self.board.platform}, not Gatelodge",
                "connect a router, or send a single file with --to",
            )
        self.target = self.line.call("flash_target", {})
        self._check_fit()
        return f"firmware {self.target['firmware']} runs in slot {self.target['slot']}"

    def _check_fit(self) -> None:
        wanted, found = self.bundle.manifest["mpy_version"], self.target["mpy_version"]
        if wanted != found:
            wrong = f"the bundle is for .mpy version {wanted}, the router's MicroPython loads {found}"
            raise _refused(wrong, "build it for this board")
        key = self.target["release_key"]
        if not key:
            raise _refused("the router's image trusts no release key", "build its image with one")
        if not self.bundle.is_signed_by(key):
            wrong = f"the router trusts the release key {key[2:18]}..., which did not sign this bundle"
            raise _refused(wrong, "sign the bundle with that key")

    def send(self) -> str:
        assert self.board is not None  # identify comes first
        options: dict[str, Any] = {"speed": self.speed, "told": self.told}
        self.sent = send_file(self.line, self.board, self.target["path"], self.bundle.content, **options)
        return f"{self.sent.total / 1000:.0f} KB, {self.sent.wire / 1000:.0f} KB on the line"

    def install(self) -> str:
        self.installed = self.line.call("install", {})
        return f"slot {self.installed['slot']} holds {self.installed['firmware']}, on trial"

    def restart(self) -> str:
        """Wait for the new firmware to say that it runs."""
        deadline = time.monotonic() + RESTART_S
        while True:
            try:
                self.line.is_locked(RESTART_LOOK_S)
                target = self.line.call("flash_target", {})
                break
            except ToolError as error:
                # A restart sounds like any noise, for as long as a restart may take.
                if error.exit_code != exit_codes.HANDSHAKE or time.monotonic() > deadline:
                    raise
        if target["slot"] != self.installed["slot"]:
            raise ToolError(
                f"slot {self.installed['slot']} did not start, and slot {target['slot']} runs as before",
                "read the router's log, then flash it again",
                exit_codes.VERIFICATION,
            )
        return f"firmware {target['firmware']} runs in slot {target['slot']}"


class Step(NamedTuple):
    name: str
    run: Callable[[Flashing], str]


STEPS = (
    Step("identify", Flashing.identify),
    Step("send", Flashing.send),
    Step("install", Flashing.install),
    Step("restart", Flashing.restart),
)


def _refused(wrong: str, remedy: str) -> ToolError:
    return ToolError(wrong, remedy, exit_codes.REFUSED_BY_BOARD)
