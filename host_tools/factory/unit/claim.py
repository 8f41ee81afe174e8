"""One bench at a time is at work with a unit, in this process or another one.

Two routers with one key are copies of each other; while one is at a port, the other is refused there.
"""

import fcntl
import os
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.files import make_directory

AT_WORK = "at_work"


class Claim:
    """Raises ToolError when somebody else has it. Ends with `release`, or with the process."""

    def __init__(self, factory: Path, serial_number: str):
        make_directory(factory / AT_WORK)
        self._path = factory / AT_WORK / serial_number
        self._descriptor = -1
        while not self._is_ours():
            pass  # whoever had it has just ended, and removed the file that we opened

    def release(self) -> None:
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_ours(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                self._descriptor = descriptor
                return True
        except BlockingIOError as error:
            os.close(descriptor)
            wrong = f"another port is at work with {self._path.name}: two routers have one key"
            remedy = "keep both for their makers; if it is another bench at this router, let it end"
            raise ToolError(wrong, remedy, exit_codes.REFUSED_BY_BOARD) from error
        os.close(descriptor)
        return False
