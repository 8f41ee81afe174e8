"""The serial line as a terminal: the bytes of fd 0, the bytes to fd 1, and what Ctrl-C does.

The line has two states. While the console listens, every byte is a byte. While somebody's code
runs, the kernel turns Ctrl-C into SIGINT, which MicroPython raises as KeyboardInterrupt (the line
must be the controlling terminal), and leaves the rest for the code's own sys.stdin.

O_NONBLOCK is not used on purpose: fd 0 and fd 1 usually are one open file, and MicroPython's
`print` loses what does not fit at once. With VMIN 0 a read returns what is there instead.
"""

import asyncio
import termios
import time

from gatelodge import compat, log, tasks
from gatelodge.contract.errors import LineError

READ_SIZE = 1024
WRITE_PIECE = 64  # bytes: less than what makes a terminal report that it can be written
WRITE_TIMEOUT_MS = 2000  # a host that reads nothing for so long is not there
SPEED_PAUSE_S = 0.05  # 500 bytes at 115200 baud; an answer of a flashing stub has 13
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
        self._fd = read_fd
        # Once: it discards what has come already, and later that would be somebody's bytes.
        termios.setraw(read_fd)
        self._raw = termios.tcgetattr(read_fd)
        if baud is not None:
            self._raw[_ISPEED] = self._raw[_OSPEED] = _speed(baud, self._raw[_OSPEED])
        # Kept for ever: closing them would close the daemon's own stdin and stdout.
        self._in = open(read_fd, "rb", 0)  # noqa: SIM115
        self._out = open(write_fd, "wb", 0)  # noqa: SIM115

    def listen(self):
        """Every byte is a byte, and a read never blocks."""
        # The entries that are numbers are VMIN and VTIME, wherever this architecture has them.
        characters = [0 if isinstance(entry, int) else entry for entry in self._raw[_CC]]
        self._apply(self._raw[_OFLAG], self._raw[_LFLAG], characters)

    def run_code(self, for_a_person):
        """Ctrl-C interrupts. For a person, code's line ends become \\r\\n; tools get bytes as printed."""
        characters = list(self._raw[_CC])
        characters[_VINTR] = b"\x03"
        characters[_VQUIT] = characters[_VSUSP] = _DISABLED
        output = self._raw[_OFLAG] | (_OPOST | _ONLCR if for_a_person else 0)
        # NOFLSH: Ctrl-C eats itself only, as on a board.
        self._apply(output, self._raw[_LFLAG] | _ISIG | _NOFLSH, characters)

    def change_speed(self, baud):
        """For the code that runs, which has agreed on it with the host; `listen` goes back to the board's."""
        time.sleep(SPEED_PAUSE_S)  # what was printed leaves at the old speed
        mode = termios.tcgetattr(self._fd)
        mode[_ISPEED] = mode[_OSPEED] = _speed(baud, mode[_OSPEED])
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

    def _apply(self, output, local, characters):
        mode = list(self._raw)
        mode[_OFLAG] = output
        mode[_LFLAG] = local
        mode[_CC] = characters
        termios.tcsetattr(self._fd, termios.TCSANOW, mode)


def _speed(baud, present):
    """Return termios' number for a speed in bits per second, or the present one where it knows none."""
    speed = getattr(termios, "B%d" % baud, None)
    if speed is None:
        log.warning("console", "this platform cannot set %d baud; the line keeps its speed", baud)
        return present
    return speed
