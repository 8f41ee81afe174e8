"""The factory's list of revoked certificates, in the listener's TLS: read at the start and when it changes.

    revoked = RevocationList(Path("factory-ca.crl"), context)      # raises ToolError
    await revoked.run()

A router is refused at its next handshake; a link that is open stays. OpenSSL takes the newest of the lists
that it was given. A file that is not right leaves the last one in force.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError

READ_EVERY_S = 1  # one stat() call
log = logging.getLogger("cloud.devices")


class RevocationList:
    def __init__(self, path: Path, context: ssl.SSLContext):
        self._path = path
        self._context = context
        self._version: tuple[int, int] | None = None
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        try:
            self._read()
        except OSError as error:
            wrong = f"{path} holds no revocation list ({error.strerror})"
            remedy = "name the factory-ca.crl of the factory's directory"
            raise ToolError(wrong, remedy, exit_codes.USAGE) from error

    def refresh(self) -> bool:
        """Read the file if it has changed. Return whether another list is in force."""
        try:
            if changed := self._read():
                log.info("the revocation list was read again")
            return changed
        except OSError as error:
            log.error("the revocation list could not be read, the last one stays: %s", error.strerror)
            return False

    async def run(self) -> None:
        while True:
            await asyncio.sleep(READ_EVERY_S)
            self.refresh()

    def _read(self) -> bool:
        """ssl.SSLError is an OSError."""
        status = self._path.stat()
        version = (status.st_mtime_ns, status.st_size)
        if version == self._version:
            return False
        self._version = version  # one that is wrong is told of once
        self._context.load_verify_locations(self._path)
        return True
