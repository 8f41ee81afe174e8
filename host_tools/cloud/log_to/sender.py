"""The one task that sends the log, and comes back by itself when the other system was away.

    sender = LogSender(target, data, database)
    sender.start()
    await sender.close(seconds)       # sends what waits, within the time

Nobody waits for it: lines wait in a bounded queue (lines.py), events in the database (trail.py). Syslog knows
no answer (RFC 5425 section 4), but TCP does: what the other computer has not acknowledged stays with us, is
sent again, and is counted where there is no time for that. What it took and then lost itself, nobody learns.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import socket
import sys
import termios
from collections.abc import Iterable
from pathlib import Path

from host_tools.cloud.log_to.lines import Lines
from host_tools.cloud.log_to.syslog import Message, Sender, encoded, framed
from host_tools.cloud.log_to.target import Target
from host_tools.cloud.log_to.trail import Trail
from host_tools.cloud.store.database import Database

CONNECT_TIMEOUT_S = 10
SEND_TIMEOUT_S = 10
ACKNOWLEDGED_EVERY_S = 0.005  # how often the system is asked whether all has arrived
CLOSE_TIMEOUT_S = 0.2  # a part of what the service gives the whole stop (LOG_CLOSE_S)
LOOK_EVERY_S = 1  # for events: one SELECT by an index
AGAIN_MIN_S, AGAIN_MAX_S = 1, 60
UNACKNOWLEDGED_MS = 30_000  # a connection through a firewall that forgot it is given up after this
log = logging.getLogger("cloud.log_to")


class LogSender:
    def __init__(self, target: Target, data: Path, database: Database):
        self._target = target
        self._context = target.context()
        self._who = Sender(socket.gethostname(), str(os.getpid()))
        self._trail = Trail(data, database)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._lines = Lines(self._wake_up)
        self._stopping = False
        self._again_s = AGAIN_MIN_S
        self._away = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        logging.getLogger().addHandler(self._lines)
        self._task = self._loop.create_task(self._run(), name="cloud: the log's sender")

    async def close(self, seconds: float) -> None:
        """No line is taken any more; what waits is sent within the time, or said to be left here."""
        logging.getLogger().removeHandler(self._lines)
        self._stopping = True
        self._wake.set()
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=seconds)
        if len(self._lines):  # events wait in the database
            said = "%d lines of the log did not reach %s, or nobody acknowledged them"
            log.warning(said, len(self._lines), self._target)
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=2 * CLOSE_TIMEOUT_S)  # it has a goodbye to say

    def _wake_up(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._wake.set)

    async def _run(self) -> None:
        while True:
            try:
                await self._converse()
            except (OSError, TimeoutError, EOFError) as error:  # ssl.SSLError is an OSError
                self._say_away(error)
            except Exception:
                log.exception("the log cannot be sent to %s for now", self._target)  # the database is away
            if self._stopping:
                return
            await self._pause()

    async def _converse(self) -> None:
        """One connection, until it breaks, or until all is sent at the stop."""
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                self._target.host, self._target.port, ssl=self._context
            )
        try:
            _notice_silence(writer)
            await self._send_lines(reader, writer)  # they need no database, and tell that it is away
            await self._trail.begin()
            self._away = False
            log.info("the log goes to %s", self._target)
            await self._send_all(reader, writer)
        finally:
            await _closed(writer)

    async def _send_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self._wake.clear()
            more = await self._send_events(reader, writer)
            await self._send_lines(reader, writer)
            self._again_s = AGAIN_MIN_S
            if more:
                continue
            if self._stopping:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_EVERY_S)
            _check_open(reader, writer)

    async def _send_events(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether there may be more."""
        waiting = await self._trail.waiting()
        if waiting:
            await self._send([message for _, message in waiting], reader, writer)
            self._trail.sent(waiting[-1][0])
        return bool(waiting)

    async def _send_lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while messages := self._lines.next():
            await self._send(messages, reader, writer)
            self._lines.sent(len(messages))

    async def _send(
        self, messages: Iterable[Message], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Until the other computer has them. Raises OSError or EOFError where it has gone: they are still
        ours."""
        async with asyncio.timeout(SEND_TIMEOUT_S):
            for message in messages:
                _check_open(reader, writer)
                writer.write(framed(encoded(message, self._who)))
                await writer.drain()
            while _on_the_way(writer):
                _check_open(reader, writer)
                await asyncio.sleep(ACKNOWLEDGED_EVERY_S)
        _check_open(reader, writer)

    def _say_away(self, error: Exception) -> None:
        """Once: while it is away, every other try would be a line that waits to be sent."""
        if self._away:
            return
        self._away = True
        why = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
        log.warning("the log cannot be sent to %s for now: %s", self._target, why or type(error).__name__)

    async def _pause(self) -> None:
        """Twice as long each time. A stop ends it: then there is one try more."""
        deadline = self._loop.time() + self._again_s
        self._again_s = min(2 * self._again_s, AGAIN_MAX_S)
        while not self._stopping and (left := deadline - self._loop.time()) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)


def _check_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if reader.at_eof() or writer.is_closing():
        raise EOFError("it has closed the connection")


def _on_the_way(writer: asyncio.StreamWriter) -> int:
    """Bytes that wait here, or that the other computer has not acknowledged (SIOCOUTQ of tcp(7)).

    Raises EOFError where the connection has closed meanwhile.
    """
    line: socket.socket | None = writer.get_extra_info("socket")
    if line is None:
        raise EOFError("it has closed the connection")
    unacknowledged = fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4))
    return writer.transport.get_write_buffer_size() + int.from_bytes(unacknowledged, sys.byteorder)


def _notice_silence(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)  # RFC 5482


async def _closed(writer: asyncio.StreamWriter) -> None:
    """With TLS's goodbye (RFC 5425 section 4.4), which hands over what was written before."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        pass
    finally:
        writer.transport.abort()  # also where the wait itself was cancelled
