"""The serial line as a terminal: the bytes of fd 0, the bytes to fd 1, and what Ctrl-C does.

The line has two states. While the console listens, every byte is a byte. While somebody's code
runs, the kernel turns Ctrl-C into SIGINT, which MicroPython raises as KeyboardInterrupt (the line
must be the controlling terminal), and leaves the rest for the code's own sys.stdin.

O_NONBLOCK is not used on purpose: fd 0 and fd 1 usually are one open file, and MicroPython's
`print` loses what does not fit at once. With VMIN 0 a read returns what is there instead.
"""

import asyncio
import termios

from gatelodge import compat, log, tasks
from gatelodge.contract.errors import LineError

READ_SIZE = 1024
WRITE_PIECE = 64  # bytes: less than what makes a terminal report that it can be written
WRITE_TIMEOUT_MS = 2000  # a host that reads nothing for so long is not there
HANG_UP_PAUSE_S = 1  # between looks at a line that has hung up

# Bits and indices that Linux gives every architecture we run on (mips moves VMIN, which we find).
_OPOST, _ONLCR = 1, 4
_ISIG, _NOFLSH = 1, 0x80
_VINTR, _VQUIT, _VSUSP = 0, 1, 10
_IFLAG, _OFLAG, _CFLAG, _LFLAG, _ISPEED, _OSPEED, _CC = range(7)
_DISABLED = b"\0"


class Terminal:
    """`baud` None leaves the line's speed as it is. Raises OSError when fd 0 is no terminal."""

    def __init__(self, read_fd=0, write_fd=1, baud=None):
        termios.setraw(read_fd)
        if baud is not None:
            self._set_speed(read_fd, "B%d" % baud)
        self._fd = read_fd
        # Kept for ever: closing them would close the daemon's own stdin and stdout.
        self._in = open(read_fd, "rb", 0)  # noqa: SIM115
        self._out = open(write_fd, "wb", 0)  # noqa: SIM115

    def listen(self):
        """Every byte is a byte, and a read never blocks."""
        mode = self._raw_mode()
        # The entries that are numbers are VMIN and VTIME, wherever this architecture has them.
        mode[_CC] = [0 if isinstance(entry, int) else entry for entry in mode[_CC]]
        termios.tcsetattr(self._fd, termios.TCSANOW, mode)

    def run_code(self, for_a_person):
        """Ctrl-C interrupts. For a person, code's line ends become \\r\\n; tools get bytes as printed."""
        mode = self._raw_mode()
        mode[_LFLAG] |= _ISIG | _NOFLSH  # NOFLSH: Ctrl-C eats itself only, as on a board
        mode[_CC][_VINTR] = b"\x03"
        mode[_CC][_VQUIT] = mode[_CC][_VSUSP] = _DISABLED
        if for_a_person:
            mode[_OFLAG] |= _OPOST | _ONLCR
        termios.tcsetattr(self._fd, termios.TCSANOW, mode)

    async def read(self):
        """Return what has come, at least one byte, sleeping until then."""
        while True:
            await compat.wait_readable(self._in)
            data = self._in.read(READ_SIZE)
            if data:
                return data
            await asyncio.sleep(HANG_UP_PAUSE_S)

    async def write(self, data):
        """Write all of it, or give up on a host that reads nothing."""
        try:
            for start in range(0, len(data), WRITE_PIECE):
                await tasks.with_deadline(
                    self._write_piece(data[start : start + WRITE_PIECE]), WRITE_TIMEOUT_MS, "the host"
                )
        except LineError as error:
            log.warning("console", "the serial line takes no output: %s", error)

    def write_now(self, data):
        """Write a few bytes without sleeping."""
        self._out.write(data)

    async def _write_piece(self, piece):
        await compat.wait_writable(self._out)
        self._out.write(piece)

    def _raw_mode(self):
        termios.setraw(self._fd)
        return termios.tcgetattr(self._fd)

    def _set_speed(self, fd, name):
        speed = getattr(termios, name, None)
        if speed is None:
            log.warning("console", "this platform cannot set %s; the line keeps its speed", name)
            return
        mode = termios.tcgetattr(fd)
        mode[_ISPEED] = mode[_OSPEED] = speed
        termios.tcsetattr(fd, termios.TCSANOW, mode)
