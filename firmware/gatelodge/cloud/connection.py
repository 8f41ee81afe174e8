"""One connection to the cloud: a stream, the WebSocket on it, the link on that."""

import asyncio

from gatelodge.compat import json, monotonic_ms
from gatelodge.contract import messages
from gatelodge.contract.errors import LineError, MessageError
from gatelodge.contract.link import HEARTBEAT_DUE, SILENCE, Link
from gatelodge.core import websocket
from gatelodge.core.websocket import WebSocket, WebSocketError
from gatelodge.tasks import with_deadline

READ_SIZE = 2048
OPENING_MS = 15_000  # for the WebSocket's handshake; the TLS one has its own deadline in open_stream
SLACK_MS = 10_000  # the stream's deadline comes after the link's own, which decides
FAREWELL_MS = 2_000  # a goodbye is a courtesy: the cloud finds out by silence, too


class Connection:
    def __init__(self, stream, entropy):
        self.stream = stream
        self._entropy = entropy
        self._writing = asyncio.Lock()
        self._websocket = WebSocket(entropy(websocket.KEY_BYTES), messages.SIZE_LIMIT)
        self._arrived = []  # events read but not handled yet
        self.link = None

    async def open(self, host):
        """The WebSocket's handshake. Raises LineError, WebSocketError, or what the stream's TLS found out."""
        await self.stream.write(self._websocket.request(host, messages.PATH, messages.SUBPROTOCOL))
        await with_deadline(self._opened(), OPENING_MS, "the cloud's answer")
        self.link = Link(messages.ROUTER, monotonic_ms())

    async def _opened(self):
        while not self._arrived:
            # With TLS 1.3 this first read is where we hear that the cloud refused our certificate.
            self._arrived = self._websocket.receive(await self._read("before it answered"))
        self._arrived = self._arrived[1:]

    async def _read(self, moment):
        data = await self.stream.read(READ_SIZE)
        if not data:
            raise LineError("the cloud closed the connection %s" % moment)
        return data

    async def send(self, message):
        """Send a message of the link. Raises StateError where it has no place, LineError."""
        await self._write_text(self.link.send(message, monotonic_ms()))

    async def send_heartbeat(self, facts):
        await self._write_text(self.link.heartbeat(facts, monotonic_ms()))

    async def _write_text(self, message):
        await self._write(self._websocket.text(json.dumps(message), self._entropy(websocket.MASK_BYTES)))

    async def _write(self, data):
        async with self._writing:
            await self.stream.write(data)

    async def receive(self, heartbeat_facts):
        """The next message of the cloud. Heartbeats are sent meanwhile, made of what heartbeat_facts() gives.

        Raises LineError when the line broke, was silent or was closed; MessageError, WebSocketError
        when the cloud broke the contract.
        """
        while True:
            while self._arrived:
                kind, value = self._arrived.pop(0)
                message = await self._event(kind, value)
                if message is not None:
                    return message
            await self._keep_alive(heartbeat_facts)
            self._arrived = await self._read_until(self.link.next_deadline)

    async def _keep_alive(self, heartbeat_facts):
        due = self.link.due(monotonic_ms())
        if due == HEARTBEAT_DUE:
            await self.send_heartbeat(heartbeat_facts())
        elif due == SILENCE:
            raise LineError("the cloud was silent for too long")

    async def _read_until(self, deadline_ms):
        """The events that arrive before the deadline: none when it passes."""
        self.stream.timeout_ms = self._left_ms(deadline_ms) + SLACK_MS
        try:
            reading = self._read("without a goodbye")
            data = await with_deadline(reading, self._left_ms(deadline_ms), "the cloud")
        except LineError:
            if self._left_ms(deadline_ms) > 1:
                raise  # it was not the deadline. If both came together, the next read meets the broken line
            return []
        return self._websocket.receive(data)

    def _left_ms(self, deadline_ms):
        return max(1, deadline_ms - monotonic_ms())

    async def _event(self, kind, value):
        if kind == websocket.TEXT:
            return self.link.receive(_decode(value), monotonic_ms())
        if kind == websocket.PING:
            await self._write(self._websocket.pong(value, self._entropy(websocket.MASK_BYTES)))
        elif kind == websocket.CLOSE:
            raise LineError("the cloud closed the link with %d %s" % value)
        return None

    async def close(self, reason, error=None):
        """Say why, as far as the line still takes it, and close."""
        try:
            await with_deadline(self._farewell(reason, error), FAREWELL_MS, "the goodbye")
        except (LineError, OSError):
            self.link = None  # nobody listens any more
        finally:
            self.stream.close()  # also when whoever stops us has no time for a goodbye

    async def _farewell(self, reason, error):
        if self.link is None or isinstance(error, (LineError, OSError)):
            return
        if self.link.next_deadline is not None:
            await self.send({"type": "goodbye", "reason": reason})
        await self._write(self._websocket.close(_close_code(error), self._entropy(websocket.MASK_BYTES)))


def _decode(text):
    try:
        return json.loads(text)
    except ValueError:
        raise MessageError("a message is not JSON")


def _close_code(error):
    if isinstance(error, WebSocketError):
        return error.close_code
    return websocket.POLICY if isinstance(error, MessageError) else websocket.NORMAL
