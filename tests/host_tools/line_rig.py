"""A line to a server on this computer, that a test may hold, cut, or take away.

async with Line(path) as line:
    line.port          # what connects there reaches the socket at `path`
    line.hold()        # what is sent is swallowed, nothing comes back, and nobody is told
    await line.cut()   # every connection breaks, and nobody answers at the port
    await line.mend()
"""

import asyncio
import contextlib

CHUNK = 65536


class Line:
    def __init__(self, path):
        self._path, self.port = str(path), 0
        self._held, self._server = False, None
        self._writers, self._tasks = set(), set()

    async def __aenter__(self):
        await self.mend()
        return self

    async def __aexit__(self, *_):
        await self.cut()

    def hold(self):
        self._held = True

    async def mend(self):
        """Connections that were held stay so: what was swallowed is gone."""
        self._held = False
        if self._server is None or not self._server.is_serving():
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_unix_connection(self._path)
            self._writers.add(back)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._carry(reader, back))
                    group.create_task(self._carry(there, writer))
            finally:
                back.transport.abort()
                self._writers.discard(back)
        except* OSError:
            pass  # one of the two has gone
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _carry(self, reader, writer):
        while data := await reader.read(CHUNK):
            if not self._held:
                writer.write(data)
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
        raise ConnectionResetError
