"""The board `host`: the same bundle under MicroPython on this computer, without QEMU.

A folder stands for the flash, a pty for the UART, and a loop here for init: whatever ends the
daemon, it is started again, unless it was told to switch the router off.
"""

import asyncio
import json
import os
import tarfile
import time
import tty
from pathlib import Path
from typing import Any

from host_tools.emulator.process import Child
from host_tools.emulator.serial_line import SerialLine
from host_tools.release import places

LOG = "router.log"
RESTART_PAUSE_S = 1.0  # as boards/qemu-virt-aarch64/daemon has it: a daemon that dies young waits
YOUNG_S = 2.0
SWITCHED_OFF = 0  # the loader's exit status for "stop"; after any other the daemon is started again


def install(bundle: Path, flash: Path) -> None:
    """Unpack the bundle into slot A, unless exactly this one lies there."""
    slot = flash / "slots" / "a"
    with tarfile.open(bundle) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None  # each bundle begins with it
        installed = slot / "manifest.json"
        if installed.is_file() and installed.read_bytes() == manifest.read():
            return
        with places.scratch(flash / "slots") as temporary:
            tar.extractall(temporary / "new", filter="data")
            if slot.exists():
                slot.rename(temporary / "old")
            (temporary / "new").rename(slot)


def derived_board(board: dict[str, Any], flash: Path, ports: dict[str, int]) -> dict[str, Any]:
    """Return the board with this run directory's flash and ports."""
    web = {**board["web"], "https_port": ports["admin"], "http_port": ports["http"]}
    return {**board, "state_dir": str(flash), "web": web}


class HostRouter(Child):
    def __init__(
        self,
        board: dict[str, Any],
        bundle: Path,
        micropython: Path,
        run_dir: Path,
        ports: dict[str, int],
        line: SerialLine,
    ):
        super().__init__("router")
        self.board = derived_board(board, (run_dir / "flash").resolve(), ports)
        self.bundle = bundle
        self.micropython = micropython
        self.run_dir = run_dir
        self.line = line
        self.log = run_dir / LOG
        self.our_address = "127.0.0.1"
        self.init: asyncio.Task[None] | None = None

    async def power_on(self) -> None:
        flash = Path(self.board["state_dir"])
        install(self.bundle, flash)
        (flash / "state").mkdir(parents=True, exist_ok=True)
        places.write_whole(self.run_dir / "board.json", json.dumps(self.board, sort_keys=True).encode())
        self.log.write_bytes(b"")
        await self._start_daemon()
        self.init = asyncio.create_task(self._respawn(), name="init of the host board")

    async def _start_daemon(self) -> None:
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        flash = self.board["state_dir"]
        heap = f"heapsize={self.board['heap_kb']}k"
        loader = str(places.FIRMWARE / "main.py")
        arguments = [str(self.micropython), "-X", heap, loader, flash, str(self.run_dir / "board.json")]
        try:
            await self.start(arguments, self.log, append=True, terminal=theirs)
        finally:
            os.close(theirs)
        self.line.attach(ours)

    async def _respawn(self) -> None:
        while True:
            started = time.monotonic()
            if await super().wait() == SWITCHED_OFF:
                return
            if time.monotonic() - started < YOUNG_S:
                await asyncio.sleep(RESTART_PAUSE_S)
            await self._start_daemon()

    async def wait(self) -> int:
        """Wait until the router is switched off, or init itself fails."""
        assert self.init is not None
        # Shielded: whoever stops waiting does not stop init.
        await asyncio.shield(self.init)
        return SWITCHED_OFF

    async def stop(self) -> None:
        await self._stop_init()
        await super().stop()

    async def kill(self) -> None:
        await self._stop_init()
        await super().kill()

    async def _stop_init(self) -> None:
        if self.init:
            self.init.cancel()
            await asyncio.gather(self.init, return_exceptions=True)
            self.init = None

    def describe_end(self, status: int) -> str:
        return "the router switched itself off"
