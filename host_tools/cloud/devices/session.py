"""One router's connection: an aiohttp WebSocket, the link's state machine on it, and its bounds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from gatelodge.contract import messages
from gatelodge.contract.errors import GatelodgeError, LineError, MessageError
from gatelodge.contract.link import SILENCE, Link

SEND_S = 10  # for the router to take a message: the line's buffers hold hundreds before anything waits
CLOSE_S = 2  # for the peer's close frame, and for our own last words
# A router sends a heartbeat each interval (1 s at least) and, after a reconnect, up to 16 results at once.
MESSAGES_AT_ONCE = 40
MESSAGES_PER_S = 2
NOT_STATUS = ("type", "seq", "serial_number", "reset")


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def new_websocket() -> web.WebSocketResponse:
    return web.WebSocketResponse(
        timeout=CLOSE_S,
        protocols=(messages.SUBPROTOCOL,),
        max_msg_size=messages.SIZE_LIMIT,
        compress=False,
        autoping=False,  # aiohttp would answer any number, and each would put off the deadline of `receive`
    )


class RateLimit:
    """A bucket of MESSAGES_AT_ONCE, refilled by MESSAGES_PER_S."""

    def __init__(self, at_ms: int):
        self.tokens = float(MESSAGES_AT_ONCE)
        self.at_ms = at_ms

    def take(self, at_ms: int) -> None:
        """Raises MessageError when the peer sends too much."""
        refill = (at_ms - self.at_ms) * MESSAGES_PER_S / 1000
        self.tokens = min(MESSAGES_AT_ONCE, self.tokens + refill) - 1
        self.at_ms = at_ms
        if self.tokens < 0:
            raise MessageError("a router sends too many messages")


class Session:
    """Owned by the aiohttp handler that made it. `status` is what `DeviceHub.online` returns."""

    def __init__(self, socket: web.WebSocketResponse, serial_number: str, address: str):
        self.socket = socket
        self.serial_number = serial_number  # of its certificate
        self.link = Link(messages.CLOUD, now_ms())
        self.rate = RateLimit(now_ms())
        self.status: dict[str, Any] = {"state": "online", "since": int(time.time()), "address": address}
        self.ended = asyncio.Event()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, None once the router closed or said goodbye. Raises LineError, MessageError."""
        while (deadline := self.link.next_deadline) is not None:
            if self.link.due(now_ms()) == SILENCE:
                raise LineError("the router was silent for too long")
            try:
                frame = await self.socket.receive(timeout=max(0.001, (deadline - now_ms()) / 1000))
            except TimeoutError:
                continue
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return None
            self.rate.take(now_ms())
            if frame.type is WSMsgType.PING:
                await self._within(SEND_S, self.socket.pong(frame.data))
            elif frame.type is not WSMsgType.PONG:
                return self._message(frame)
        return None

    def _message(self, frame: Any) -> dict[str, Any] | None:
        if frame.type is WSMsgType.ERROR:
            raise LineError(f"the connection broke: {frame.data}")
        if frame.type is not WSMsgType.TEXT:
            raise MessageError("a message is not text")
        try:
            message = json.loads(frame.data)
            json.dumps(message, ensure_ascii=False).encode()  # half of a surrogate pair is no text to keep
        except (ValueError, RecursionError):
            raise MessageError("a message is not JSON") from None
        return self._noted(self.link.receive(message, now_ms()))

    def _noted(self, message: dict[str, Any] | None) -> dict[str, Any] | None:
        if message is None or message["type"] == "goodbye":
            return None
        self.status["heard"] = int(time.time())
        if message["type"] in ("hello", "heartbeat"):
            self.status.update({key: value for key, value in message.items() if key not in NOT_STATUS})
        return message

    async def send(self, message: dict[str, Any], within_s: float | None = None) -> None:
        """Raises StateError where the message has no place, LineError when the line is gone or stuck."""
        checked = self.link.send(message, now_ms())
        text = json.dumps(checked, ensure_ascii=False)
        await self._within(within_s or SEND_S, self.socket.send_str(text))

    async def leave(self, reason: str, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Say goodbye and close, as far as the line still takes it."""
        if self.link.next_deadline is not None:
            await self._attempt(self.send({"type": "goodbye", "reason": reason[:200]}, CLOSE_S))
        await self._attempt(self._within(2 * CLOSE_S, self.socket.close(code=code)))

    async def _attempt(self, work: Awaitable[None]) -> None:
        try:
            await work
        except GatelodgeError:
            self.status["state"] = "offline"  # it is gone already

    async def _within(self, seconds: float, work: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            raise LineError("the router takes nothing of what it is sent") from None
        except (ConnectionError, RuntimeError) as error:
            raise LineError(f"the connection broke: {error}") from error
