"""What people attach is looked through by the operator's ClamAV, where there is one: clamd over its socket.

The command INSTREAM of clamd(8): "zINSTREAM\\0", then chunks, each behind its length (four bytes, the
greatest first), then a length of zero. The answer ends with a zero byte: "stream: OK", "stream: NAME FOUND"
or "… ERROR".
A file that nobody could look through is not taken: it would be kept for three years, and sent on to support.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.help.attachments import FIELD, Attachment
from host_tools.cloud.languages.text import N_

INFECTED = N_("“%(name)s” holds malware, and was not kept. Look through the device that it comes from.")
AWAY = N_("Files cannot be looked through just now. Send your message without them, and attach them later.")

COMMAND = b"zINSTREAM\0"
CHUNK = 64 * 1024
LENGTH_BYTES = 4
ANSWER_MAX = 4096
TIMEOUT_S = 20  # for all files of a form, which has half a minute from its last byte (pages/guards.py)
CLEAN, FOUND = b"stream: OK", b" FOUND"

log = logging.getLogger("cloud.help")


class Scanner:
    """`address`: the path of clamd's socket, or HOST:PORT on this computer or a network that nobody hears."""

    def __init__(self, address: str):
        self._address = address

    async def check(self, files: Sequence[Attachment]) -> None:
        """Raises RefusedError: malware was found, or nobody could look."""
        until = asyncio.get_running_loop().time() + TIMEOUT_S
        for file in files:
            answer = await self._ask(file.content, until)
            if answer.endswith(FOUND):
                log.warning("an attachment was refused: %s", _readable(answer))
                raise RefusedError(FIELD, INFECTED, name=file.name)
            if answer != CLEAN:
                log.error("clamd at %s says: %s", self._address, _readable(answer))
                raise RefusedError(FIELD, AWAY)

    async def _ask(self, content: bytes, until: float) -> bytes:
        try:
            async with asyncio.timeout_at(until):
                reader, writer = await self._connect()
                try:
                    return await _exchange(reader, writer, content)
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            return f"nothing ({type(error).__name__})".encode()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.startswith("/"):
            return await asyncio.open_unix_connection(self._address, limit=ANSWER_MAX)
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host, int(port), limit=ANSWER_MAX)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes) -> bytes:
    writer.write(COMMAND)
    for begin in range(0, len(content), CHUNK):
        chunk = content[begin : begin + CHUNK]
        writer.write(len(chunk).to_bytes(LENGTH_BYTES, "big") + chunk)
        await writer.drain()
    writer.write(bytes(LENGTH_BYTES))
    await writer.drain()
    return (await reader.readuntil(b"\0")).removesuffix(b"\0")


def _readable(answer: bytes) -> str:
    """One line of the log: what malware is called, its author may have chosen."""
    return ascii(answer[:200].decode("utf-8", "replace"))
