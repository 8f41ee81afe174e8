"""A board that none of us wrote: bare-metal MicroPython on QEMU's mps2-an385, from Debian's source package.

    with BareMetal() as board:
        ... open board.port ...             # a pty: QEMU's serial chardev

A Cortex-M3 without an operating system: its raw REPL is MicroPython's own, Ctrl-C interrupts nothing while
code reads its line, and its heap has 139 KB. It has no file system (tests/fakes/ram_files.py gives it one).
The build takes a minute on two idle cores, and is kept in build/.
"""

import os
import re
import select
import subprocess

from host_tools.release import places
from tests.system import micropython_source

PORT = "ports/qemu"
BOARD = "MPS2_AN385"
BUILD_TIMEOUT_S = 900  # one minute on two idle cores
START_TIMEOUT_S = 30

PROGRAM = "firmware.elf"
QEMU = ("qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none",
        "-semihosting", "-chardev", "pty,id=line", "-serial", "chardev:line")  # fmt: skip


def build():
    """Return the path of the board's program, built at the first call."""
    name = f"bare-metal-{BOARD}-{micropython_source.SUITE}"
    return places.whole_folder(places.BUILD / name, _fill) / PROGRAM


def _fill(folder):
    with micropython_source.unpacked() as root:
        # No manifest: Debian leaves out what the port would freeze into the program.
        make = ["make", "-C", str(root / PORT), f"-j{os.cpu_count()}", f"BOARD={BOARD}", "FROZEN_MANIFEST="]
        micropython_source.run(make, BUILD_TIMEOUT_S)
        places.write_whole(folder / PROGRAM, (root / PORT / f"build-{BOARD}" / PROGRAM).read_bytes())


class BareMetal:
    def __enter__(self):
        command = [*QEMU, "-kernel", os.fspath(build())]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(command, **pipes)
        try:
            self.port = self._read_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _read_port(self):
        """QEMU names the pty that it has opened."""
        said = b""
        while not (found := re.search(rb"/dev/pts/\d+", said)):
            ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
            data = os.read(self._process.stdout.fileno(), 1024) if ready else b""
            if not data:
                raise TimeoutError(f"QEMU named no serial port: {said!r}")
            said += data
        return found[0].decode()
