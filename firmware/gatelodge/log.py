"""The log: one line per event, on stderr or the board's log path, and the last ones in memory.

    2026-11-21T17:20:00Z info link: the cloud said welcome

Logging never raises: a sink that fails is counted and left alone. Secrets are the caller's duty: none is ever
passed to these functions.
"""

import io
import sys
import time

from gatelodge import compat

KEPT_LINES = 500
KEPT_BYTES = 40 * 1024  # of them all, in UTF-8: strangers make lines, and long ones must not fill the heap
MAX_LINE = 1000  # characters; a longer one is cut
MAX_FILE_BYTES = 256 * 1024  # of a log on a file system; then it becomes PATH.1 and a new one begins


class _Log:
    def __init__(self):
        self.now = compat.wall_time
        self.with_debug = False
        self.path = None
        self.file = None
        self.bytes_left = 0
        self.ring = []
        self.kept_bytes = 0  # in the ring
        self.failures = 0


_log = _Log()


def configure(path=None, now=None, with_debug=False):
    """Where lines go (`path`: a device or a file; None is stderr), and who tells the time in unix seconds."""
    _log.now = now or compat.wall_time
    _log.with_debug = with_debug
    _log.path = path
    _close()


def lines():
    """The last lines, oldest first: at most KEPT_LINES, of KEPT_BYTES together."""
    return list(_log.ring)


def failures():
    """How many lines a sink could not take."""
    return _log.failures


def debug(area, text, *args):
    if _log.with_debug:
        _record("debug", area, text, args)


def info(area, text, *args):
    _record("info", area, text, args)


def warning(area, text, *args):
    _record("warning", area, text, args)


def error(area, text, *args):
    _record("error", area, text, args)


def exception(area, text, cause):
    """An error with the traceback of `cause`, each line of it prefixed alike."""
    trace = io.StringIO()
    compat.print_exception(cause, trace)
    error(area, "%s", text)
    for line in trace.getvalue().split("\n"):
        if line:
            error(area, "| %s", line)


def _record(level, area, text, args):
    line = f"{_stamp()} {level} {area}: {_printable(_format(text, args))}"[:MAX_LINE]
    _keep(line)
    _write(line)


def _keep(line):
    ring = _log.ring
    ring.append(line)
    _log.kept_bytes += len(line.encode())
    while len(ring) > KEPT_LINES or _log.kept_bytes > KEPT_BYTES:
        _log.kept_bytes -= len(ring.pop(0).encode())


def _stamp():
    year, month, day, hour, minute, second = time.gmtime(int(_log.now()))[:6]
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"


def _format(text, args):
    try:
        return text % args if args else text
    except (TypeError, ValueError):
        return f"{text} {args!r}"


def _printable(text):
    """A peer's text must not forge a line, nor speak to the terminal that shows it."""
    if all(" " <= c < "\x7f" or c > "\x9f" for c in text):
        return text
    return "".join([c if " " <= c < "\x7f" or c > "\x9f" else f"\\x{ord(c):02x}" for c in text])


def _write(line):
    try:
        if _log.path is None:
            print(line, file=sys.stderr)
            return
        data = (line + "\n").encode()
        _open_for(len(data))
        _log.file.write(data)
    except OSError:
        _log.failures += 1
        _close()  # and the next line tries again


def _open_for(size):
    if _log.file is not None and _log.bytes_left >= size:
        _log.bytes_left -= size
        return
    _close()
    present = compat.file_size(_log.path) if compat.is_regular_file(_log.path) else 0
    if present + size > MAX_FILE_BYTES:
        compat.rename(_log.path, _log.path + ".1")
        present = 0
    _log.file = open(_log.path, "ab", 0)  # noqa: SIM115 - open until the log moves on
    # A device has no size and takes any number; it is opened again now and then all the same.
    _log.bytes_left = MAX_FILE_BYTES - present - size


def _close():
    file, _log.file = _log.file, None
    if file is not None:
        file.close()
