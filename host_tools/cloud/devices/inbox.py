"""What routers say after their hello: it reaches its callback, and is acknowledged once that is done.

What is not acknowledged the router repeats at its next connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from host_tools.cloud.devices.callbacks import Callbacks
from host_tools.cloud.devices.commands import WaitingCommands
from host_tools.cloud.devices.session import Session

logger = logging.getLogger("gatelodge.devices")


class Inbox:
    def __init__(self, callbacks: Callbacks, waiting: WaitingCommands):
        self._call = callbacks
        self._waiting = waiting

    async def take(self, session: Session, message: dict[str, Any]) -> None:
        """Raises GatelodgeError where the answer cannot be sent."""
        handler = _HANDLERS.get(message["type"])
        if handler is not None:
            await handler(self, session, message)

    async def _heartbeat(self, session: Session, message: dict[str, Any]) -> None:
        time_ms = int(time.time() * 1000)
        await session.send({"type": "heartbeat_ack", "seq": message["seq"], "time_ms": time_ms})

    async def _result(self, session: Session, message: dict[str, Any]) -> None:
        waiting = self._waiting.find(session.serial_number, message["id"])
        if waiting is not None:
            waiting.end(message)
        elif not await self._asked_result(session, message):
            return
        await session.send({"type": "result_ack", "id": message["id"]})

    async def _asked_result(self, session: Session, message: dict[str, Any]) -> bool:
        """Whether the result of what `DeviceHub.ask` sent is kept, or nobody wants it any more."""
        if self._call.on_result is None:
            logger.info("router %s: result of %s came too late", session.serial_number, message["id"])
            return True
        work = self._call.on_result(session.serial_number, message)
        return await _kept(work, session, f"the result of {message['id']}")

    async def _report(self, session: Session, message: dict[str, Any]) -> None:
        if self._call.on_report is not None:
            await _kept(self._call.on_report(session.serial_number, message), session, "a part of its report")

    async def _claim_answer(self, session: Session, message: dict[str, Any]) -> None:
        claim_id = message["claim_id"]
        if self._call.on_claim_answer is not None:
            work = self._call.on_claim_answer(session.serial_number, claim_id, message["approved"])
            if not await _kept(work, session, f"the answer to claim {claim_id}"):
                return
        await session.send({"type": "claim_answer_ack", "claim_id": claim_id})

    async def _release(self, session: Session, message: dict[str, Any]) -> None:
        if self._call.on_release is None:
            return
        work = self._call.on_release(session.serial_number, message["account_id"], message["undo"])
        if await _kept(work, session, "its release"):
            await session.send({"type": "release_ack", "release_id": message["release_id"]})

    async def _notice(self, session: Session, message: dict[str, Any]) -> None:
        if self._call.on_notice is None:
            return
        if await _kept(self._call.on_notice(session.serial_number, message), session, "its notice"):
            await session.send({"type": "notice_ack", "notice_id": message["notice_id"]})

    async def _invite(self, session: Session, message: dict[str, Any]) -> None:
        if self._call.on_invite is None:
            return
        try:
            told = await self._call.on_invite(session.serial_number, message["service_code"])
        except Exception:
            logger.exception("router %s: no link was made", session.serial_number)
            told = {"error": "The cloud could not make a link. Try again in a minute."}
        await session.send({"type": "invitation", "invite_id": message["invite_id"], **told})

    async def _uninvite(self, session: Session, _message: dict[str, Any]) -> None:
        if self._call.on_uninvite is not None:
            await _kept(self._call.on_uninvite(session.serial_number), session, "the end of its link")


async def _kept(work: Awaitable[None], session: Session, what: str) -> bool:
    """Whether it is durable. Whatever went wrong is the cloud's fault: the link lives on."""
    try:
        await work
    except Exception:
        logger.exception("router %s: %s was not kept", session.serial_number, what)
        return False
    return True


_HANDLERS: dict[str, Callable[[Inbox, Session, dict[str, Any]], Awaitable[None]]] = {
    "heartbeat": Inbox._heartbeat,
    "result": Inbox._result,
    "claim_answer": Inbox._claim_answer,
    "release": Inbox._release,
    "invite": Inbox._invite,
    "uninvite": Inbox._uninvite,
    "notice": Inbox._notice,
    "report": Inbox._report,
}  # "accepted" needs no answer: the command is durable there, and its result will come
