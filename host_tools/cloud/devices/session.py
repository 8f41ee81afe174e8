"""One router's connection: an aiohttp WebSocket, the link's state machine on it, and its bounds."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from gatelodge.contract import messages
from gatelodge.contract.errors import GatelodgeError, LineError, MessageError
from gatelodge.contract.link import SILENCE, Link

CLOSE_S = 2  # for the peer's close frame
# A router sends a heartbeat each interval (1 s at least) and, after a reconnect, up to 16 results at once.
MESSAGES_AT_ONCE = 40
MESSAGES_PER_S = 2
NOT_STATUS = ("type", "seq", "serial_number")


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def new_websocket() -> web.WebSocketResponse:
    return web.WebSocketResponse(
        timeout=CLOSE_S,
        protocols=(messages.SUBPROTOCOL,),
        max_msg_size=messages.SIZE_LIMIT,
        compress=False,
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

    def __init__(self, socket: web.WebSocketResponse, address: str):
        self.socket = socket
        self.link = Link(messages.CLOUD, now_ms())
        self.rate = RateLimit(now_ms())
        self.status: dict[str, Any] = {"state": "online", "since": int(time.time()), "address": address}
        self.ended = asyncio.Event()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, None once the router closed or said goodbye. Raises LineError, MessageError."""
        while (deadline := self.link.next_deadline) is not None:
            try:
                frame = await self.socket.receive(timeout=max(0.001, (deadline - now_ms()) / 1000))
            except TimeoutError:
                if self.link.due(now_ms()) == SILENCE:
                    raise LineError("the router was silent for too long") from None
                continue
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return None
            return self._message(frame)
        return None

    def _message(self, frame: Any) -> dict[str, Any] | None:
        if frame.type is WSMsgType.ERROR:
            raise LineError(f"the connection broke: {frame.data}")
        if frame.type is not WSMsgType.TEXT:
            raise MessageError("a message is not text")
        self.rate.take(now_ms())
        try:
            message = json.loads(frame.data)
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

    async def send(self, message: dict[str, Any]) -> None:
        """Raises StateError where the message has no place, LineError when the connection is gone."""
        checked = self.link.send(message, now_ms())
        try:
            await self.socket.send_str(json.dumps(checked, ensure_ascii=False))
        except (ConnectionError, RuntimeError) as error:
            raise LineError(f"the connection broke: {error}") from error

    async def leave(self, reason: str, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Say goodbye and close, as far as the line still takes it."""
        if self.link.next_deadline is not None:
            try:
                await self.send({"type": "goodbye", "reason": reason[:200]})
            except GatelodgeError:
                self.status["state"] = "offline"  # it is gone already
        await self.socket.close(code=code)
