"""Child processes of `gatelodge run`: each ends with us, whatever ends us, but not by Ctrl-C."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

STOP_TIMEOUT_S = 8  # the cloud says goodbye to its routers, QEMU writes its disk's cache


class Child:
    """One process. Its output goes to a file that starts empty each time."""

    def __init__(self, name: str):
        self.name = name
        self.process: asyncio.subprocess.Process | None = None
        self.on_start: Callable[[], None] = lambda: None  # told each new process

    async def start(
        self,
        command: list[str],
        log: Path | None,
        *,
        append: bool = False,
        terminal: int | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        """Start the command; `terminal` becomes its stdin, stdout and controlling terminal."""
        # setpriv: the kernel stops the child when we die. setsid: Ctrl-C is ours to handle.
        wrapped = ["setsid", *(["--ctty"] if terminal is not None else [])]
        command = [*wrapped, "setpriv", "--pdeathsig", "TERM", "--", *command]
        output = open(log or os.devnull, "ab" if append else "wb")  # noqa: SIM115 - closed below
        with output:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL if terminal is None else terminal,
                stdout=output if terminal is None else terminal,
                stderr=output,
                pass_fds=pass_fds,
            )
        self.on_start()

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def wait(self) -> int:
        """Wait for the end; return the exit status, negative for a signal."""
        assert self.process is not None
        return await self.process.wait()

    async def stop(self) -> None:
        """Ask it to end, and insist when it does not."""
        if not self.running:
            return
        assert self.process is not None
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def kill(self) -> None:
        """End it as a power cut does."""
        if self.running:
            assert self.process is not None
            self.process.kill()
            await self.process.wait()
