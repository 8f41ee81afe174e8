"""The run directory: what `gatelodge run` keeps from one run to the next, and tells to scripts.

    current.json  the present run, for scripts; there only while the run is ready
    ports.json    the ports, chosen once
    unit.json     serial number and service code of the provisioned router
    flash.img     the emulated router's flash (flash/ on the board `host`)
    factory/      the factory's authority and records        cloud/       the cloud's data
    ca.pem        verifies the admin page and the cloud      serial       the serial port
    router.log, cloud.log, qemu.log, label.svg
"""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import IO, Any

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release.places import need_space, write_whole

CURRENT, UNIT, CA = "current.json", "unit.json", "ca.pem"
SERIAL, LABEL, LOCK = "serial", "label.svg", "lock"
STARTED_OVER = (
    CURRENT, UNIT, CA, LABEL, "board", "board.json", "flash.img", "flash", "factory", "cloud",
)  # fmt: skip
NEEDED_MB = 200  # the flash, the cloud's database and the logs


class RunDir:
    def __init__(self, path: Path):
        self.path = path.absolute()
        self.lock_file: IO[str] | None = None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def lock(self) -> None:
        """Make the directory ours until `unlock`. Raises ToolError when another run has it."""
        need_space(self.path, NEEDED_MB)
        self.lock_file = (self / LOCK).open("a+")
        try:
            fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.lock_file.seek(0)
            holder = self.lock_file.read().strip() or "unknown"
            raise ToolError(
                f"{self.path} is in use by another run (process {holder})",
                "stop that one with Ctrl-C, or name another directory with --run-dir",
                exit_codes.RUN_DIRECTORY_BUSY,
            ) from None
        self.lock_file.truncate(0)
        self.lock_file.write(f"{os.getpid()}\n")
        self.lock_file.flush()
        (self / CURRENT).unlink(missing_ok=True)

    def unlock(self) -> None:
        (self / CURRENT).unlink(missing_ok=True)
        if self.lock_file:
            self.lock_file.close()

    def start_over(self) -> None:
        """Forget the router and the cloud; ports and logs stay."""
        for name in STARTED_OVER:
            path = self / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def claim_for_board(self, board: str) -> None:
        """One run directory serves one board: a flash fits no other."""
        marker = self / "board"
        if not marker.exists():
            write_whole(marker, board.encode())
        elif marker.read_text() != board:
            raise ToolError(
                f"{self.path} holds a router of the board {marker.read_text()}",
                "start over with --fresh, or name another directory with --run-dir",
                exit_codes.USAGE,
            )

    def unit(self) -> dict[str, Any] | None:
        """Return the provisioned router's record (factory/records.py), None while it is blank."""
        path = self / UNIT
        return json.loads(path.read_text()) if path.is_file() else None

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        # The service code is in it: not for other users of this computer.
        write_whole(self / name, json.dumps(value, indent=2, sort_keys=True).encode() + b"\n", 0o600)
