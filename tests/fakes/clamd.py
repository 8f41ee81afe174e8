"""clamd as its manual describes it, for one command: INSTREAM, over a socket of this computer."""

import asyncio
import contextlib

EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"  # the middle of the file that every scanner finds
STREAM_MAX = 25 * 1024 * 1024  # its StreamMaxLength


class Clamd:
    """`async with Clamd(path) as clamd`: clamd.seen holds what it was given; `says` overrules its answer."""

    def __init__(self, path):
        self.path, self.seen, self.says = path, [], None

    async def __aenter__(self):
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if await reader.readuntil(b"\0") == b"zINSTREAM\0":
                writer.write(await self._judged(reader) + b"\0")
            else:
                writer.write(b"UNKNOWN COMMAND\0")
            await writer.drain()
        writer.close()

    async def _judged(self, reader):
        content = b""
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(length)
            if len(content) > STREAM_MAX:
                return b"INSTREAM size limit exceeded. ERROR"
        self.seen.append(content)
        if self.says is not None:
            return self.says
        return b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"
