"""A cloud in memory that speaks the real WebSocket: the stream that CloudClient's `open_stream` gives.

    cloud = MemoryCloud()               # await cloud.open_stream() is one connection after the other
    cloud.heard                         # every message of the router, of all connections
    cloud.say({"type": "owner", ...})   # to the router that is connected now

By itself it answers hello with welcome, an invite with a link, and whatever is owed with its
acknowledgement unless `acknowledges` is False. `on_heard(message)` is called for each message before
it is answered.
"""

import asyncio

from gatelodge.compat import json
from gatelodge.contract.errors import LineError
from gatelodge.core import websocket

TIMES = {"time_ms": 1795281600000, "heartbeat_s": 60, "reconnect_window_s": 1}


class MemoryCloud:
    def __init__(self):
        takes = {"release": True, "invite": True, "notice": True, "uninvite": True}
        self.welcome = {"type": "welcome", "owner": None, "takes": takes}
        self.welcome.update(TIMES)
        self.invitation = {"type": "invitation", "link": "https://cloud.test/i/x", "expires_s": 600}
        self.acknowledges = True
        self.on_heard = None
        self.heard = []
        self.closed_with = []  # the router's close codes
        self.stream = None
        self.refuses_with = None  # an exception for open_stream

    async def open_stream(self):
        if self.refuses_with is not None:
            raise self.refuses_with
        self.stream = MemoryStream(self)
        return self.stream

    def say(self, message):
        self.stream.frame(0x81, json.dumps(message).encode())

    def cut(self):
        self.stream.end()

    def heard_of(self, kind):
        return [message for message in self.heard if message["type"] == kind]

    def hear(self, message):
        self.heard.append(message)
        if self.on_heard is not None:
            self.on_heard(message)
        if message["type"] == "hello":
            self.say(self.welcome)
        elif message["type"] == "result" and self.acknowledges:
            self.say({"type": "result_ack", "id": message["id"]})
        elif message["type"] == "claim_answer" and self.acknowledges:
            self.say({"type": "claim_answer_ack", "claim_id": message["claim_id"]})
        elif message["type"] == "release" and self.acknowledges:
            self.say({"type": "release_ack", "release_id": message["release_id"]})
        elif message["type"] == "notice" and self.acknowledges:
            self.say({"type": "notice_ack", "notice_id": message["notice_id"]})
        elif message["type"] == "invite" and self.acknowledges:
            self.say(dict(self.invitation, invite_id=message["invite_id"]))


class MemoryStream:
    """The seam of gatelodge.streams.stream.Stream, as far as the client uses it."""

    timeout_ms = 30000

    def __init__(self, cloud):
        self.cloud = cloud
        self.is_closed = False
        self.is_stuck = False  # nobody takes what is written, and the writer waits
        self.held = 0  # writers that wait
        self._opened = False
        self._data = b""
        self._ended = False
        self._changed = asyncio.Event()

    async def read(self, n):
        while not self._data and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        data, self._data = self._data[:n], self._data[n:]
        return data

    async def write(self, data):
        if self._ended or self.is_closed:
            raise LineError("the line was cut")
        if self.is_stuck:
            self.held += 1
            await asyncio.sleep(30)
            raise LineError("the line did not take it")
        if not self._opened:
            self._answer_handshake(data)
            return
        opcode, payload = unmasked(data)
        if opcode == 1:
            self.cloud.hear(json.loads(payload))
        elif opcode == 8:
            self.cloud.closed_with.append(int.from_bytes(payload[:2], "big"))

    def close(self):
        self.is_closed = True
        self.end()

    def end(self):
        self._ended = True
        self._changed.set()

    def frame(self, first, payload):
        length = len(payload)
        short = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
        self._arrive(bytes([first]) + short + payload)

    def _answer_handshake(self, request):
        key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        self._opened = True
        self._arrive(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: gatelodge.1\r\n"
            b"Sec-WebSocket-Accept: " + websocket.accept_of(key) + b"\r\n\r\n"
        )

    def _arrive(self, data):
        self._data += data
        self._changed.set()


def unmasked(data):
    """(opcode, payload) of a client's frame, which is whole and in one write."""
    at = 4 if data[1] == 0xFE else 2
    return data[0] & 15, websocket.mask(bytes(data[at + 4 :]), bytes(data[at : at + 4]))
