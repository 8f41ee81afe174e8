"""Every connected router, by serial number: who is online, commands and their results, claims.

The hub keeps heartbeats in memory. What lasts (online, offline, changed; an owner's answer) leaves
through two callbacks, and what it must know of a router comes from the registry port.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import WSCloseCode, web
from gatelodge.contract import messages
from gatelodge.contract.errors import GatelodgeError, LineError, MessageError

from host_tools.cloud.devices.registry import DeviceRecord, Owner, Registry
from host_tools.cloud.devices.session import Session, new_websocket
from host_tools.cloud.devices.tls import PeerCertificate, read_peer_certificate
from host_tools.cloud.languages.text import N_

logger = logging.getLogger("gatelodge.devices")

# on_edge(serial_number, state, status): state is "online", "offline" or "changed" (a newer connection took
# over, or the owner changed); status is what `online()` returns, the last one for "offline". The edges
# of one router come one after the other, in their order.
OnEdge = Callable[[str, str, dict[str, Any]], Awaitable[None]]
# on_claim_answer(serial_number, claim_id, approved): the owner's answer on the router's own page. It may
# come more than once for one claim (the router repeats it until this callback has returned without an
# error), also after a restart of the cloud.
OnClaimAnswer = Callable[[str, str, bool], Awaitable[None]]

# on_reset(serial_number): the router was reset by somebody who is at it. When this returns it is nobody's. It
# is called again if the router did not hear so.
OnReset = Callable[[str], Awaitable[None]]

# on_release(serial_number, account_id, undo_id): the router was released on its own page by this owner.
# undo_id: as in contract.messages "release", or None. Called again until it has returned without an error,
# and then perhaps for somebody who has long given the router up.
OnRelease = Callable[[str, str, str | None], Awaitable[None]]

# on_notice(serial_number, notice): what its owner is to be told, contract.messages "notice". Called again,
# with the same notice_id, until it has returned without an error.
OnNotice = Callable[[str, dict[str, Any]], Awaitable[None]]

# on_invite(serial_number, service_code) -> {link, expires_s, error}: its owner wants it in an account.
OnInvite = Callable[[str, str], Awaitable[dict[str, Any]]]

# on_uninvite(serial_number): it wants none any more; the link that it was given is over.
OnUninvite = Callable[[str], Awaitable[None]]

# on_report(serial_number, report): a part of what `ask` asked for, contract.messages "report". It is not
# acknowledged: where one was lost, the result tells how many there were.
OnReport = Callable[[str, dict[str, Any]], Awaitable[None]]

# on_result(serial_number, result): of a command that `ask` sent. Called again until it has returned without
# an error, and then perhaps for one that nobody waits for any more.
OnResult = Callable[[str, dict[str, Any]], Awaitable[None]]

WAITING_LIMIT = 8  # commands for one router; it remembers the last 32 (gatelodge/cloud/ledger.py)
LINKS_OF_ROUTER_MAX = 8  # at once: after a few quick restarts the older ones are still on their way out
CLOSING_S = 5  # for all goodbyes at shutdown
COUNT_LASTS_S = 60  # the window for the fleet need not follow each new router


class HubError(Exception):
    """The root of what a command may end with. The text is one sentence for a person."""


class DeviceOffline(HubError):
    """The router has no live link."""


class CommandTimeout(HubError):
    """No result in time. The router may still run the command: it has its id."""


class CommandFailed(HubError):
    """The router answered that it could not."""


class CommandBusy(HubError):
    """Too many commands wait for this router."""


@dataclass(frozen=True)
class HubSettings:
    """heartbeat_s: how often a router reports. reconnect_window_s: a number fixes it (2 in development), None
    computes it: the number of known routers by connects_per_s, which is what one node takes."""

    heartbeat_s: int = 30
    reconnect_window_s: int | None = None
    connects_per_s: int = 1800
    smallest_window_s: int = 2
    largest_window_s: int = 3600


@dataclass
class Waiting:
    """A command without its result."""

    message: dict[str, Any]
    result: asyncio.Future[dict[str, Any]]


class Refused(Exception):
    """This router may not stay; the text says why, to its log and to ours."""


class DeviceHub:
    """hub = DeviceHub(registry, on_edge=..., on_claim_answer=..., on_reset=...), served by
    `listener.start_listener`."""

    def __init__(
        self,
        registry: Registry,
        *,
        on_edge: OnEdge | None = None,
        on_claim_answer: OnClaimAnswer | None = None,
        on_reset: OnReset | None = None,
        on_release: OnRelease | None = None,
        on_invite: OnInvite | None = None,
        on_uninvite: OnUninvite | None = None,
        on_notice: OnNotice | None = None,
        on_report: OnReport | None = None,
        on_result: OnResult | None = None,
        settings: HubSettings | None = None,
    ):
        """Make a hub without connections. Needs no running loop."""
        self.settings = settings or HubSettings()
        self.app = web.Application()
        self.app.router.add_get(messages.PATH, self._handle)
        self._registry = registry
        self._on_edge = on_edge
        self._on_claim_answer = on_claim_answer
        self._on_reset = on_reset
        self._on_release = on_release
        self._on_invite = on_invite
        self._on_uninvite = on_uninvite
        self._on_notice = on_notice
        self._on_report = on_report
        self._on_result = on_result
        self._sessions: dict[str, Session] = {}
        self._all: set[Session] = set()  # also those that have not said hello, or were replaced
        self._links: Counter[str] = Counter()  # by serial number, for a bound
        self._waiting: dict[str, dict[str, Waiting]] = {}
        self._edge_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._count = (0, -math.inf)  # (routers, when counted)
        self._closing = False

    # --- for the rest of the cloud ---

    def online(self, serial_number: str) -> dict[str, Any] | None:
        """The router's status now, or None when it has no live link.

        {state: "online", since: unix s, heard: unix s, address, model, firmware, boot_id, uptime_s,
        clock_state, owner: account_id or None}, and from the first heartbeat on, a moment after the welcome,
        {load: 1-minute average, memory_free_kb, wan_up}.
        """
        session = self._sessions.get(serial_number)
        return dict(session.status) if session else None

    def online_serials(self) -> list[str]:
        """Every serial number with a live link."""
        return sorted(self._sessions)

    async def command(
        self, serial_number: str, name: str, args: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Run a command of contract.messages.COMMANDS on the router and return its result's value.

        It survives a lost connection while it waits: the id makes the repeat harmless. "reboot" answers after
        the router is back. Raises DeviceOffline, CommandTimeout, CommandFailed, CommandBusy, and
        MessageError when the command does not fit its row.
        """
        checked = messages.check_command(name, args)
        session = self._sessions.get(serial_number)
        if session is None:
            raise DeviceOffline(N_("The router is offline. Check its power and its internet connection."))
        message = {"type": "command", "id": secrets.token_hex(8), "name": name, "args": checked}
        waiting = self._wait(serial_number, message)
        try:
            await self._try_send(session, message)
            async with asyncio.timeout(timeout_s):
                result = await waiting.result
        except TimeoutError:
            raise CommandTimeout(f"The router did not answer within {timeout_s:g} s.") from None
        finally:
            self._forget(serial_number, message["id"])
        if not result["ok"]:
            raise CommandFailed(result["error"] or N_("The router could not do it."))
        return result["value"] or {}

    async def ask(self, serial_number: str, command_id: str, name: str, args: dict[str, Any]) -> bool:
        """Send a command whose result comes through on_result, also after a restart of the cloud. False when
        it could not be sent: send it again, by the same id, once the router is back. Raises MessageError."""
        message = {"type": "command", "id": command_id, "name": name}
        message["args"] = messages.check_command(name, args)
        session = self._sessions.get(serial_number)
        return session is not None and await self._try_send(session, message)

    async def start_claim(self, serial_number: str, claim: dict[str, Any], timeout_s: float = 10) -> None:
        """Show a claim on the router's page; returns when the router shows it. Raises as `command`.

        claim: {claim_id, account: {name, email}, number: "482913", expires_s: int}. A newer claim replaces an
        older one. The answer comes through on_claim_answer.
        """
        await self.command(serial_number, "claim", claim, timeout_s)

    async def cancel_claim(self, serial_number: str, claim_id: str, timeout_s: float = 10) -> None:
        """Take a claim off the router's page. Raises as `command`; harmless when it is not shown."""
        await self.command(serial_number, "claim_cancel", {"claim_id": claim_id}, timeout_s)

    async def set_owner(self, serial_number: str, owner: Owner | None) -> bool:
        """Tell the router whose it is. False when it is offline: then the next welcome tells it."""
        session = self._sessions.get(serial_number)
        if session is None or not await self._try_send(session, {"type": "owner", "owner": owner}):
            return False
        session.status["owner"] = owner["account_id"] if owner else None
        await self._edge(serial_number, "changed", session)
        return True

    async def disconnect(self, serial_number: str, reason: str) -> bool:
        """Say goodbye to one router, for example once it is revoked. False when it was offline."""
        session = self._sessions.get(serial_number)
        if session is None:
            return False
        await session.leave(reason, WSCloseCode.POLICY_VIOLATION)
        return True

    async def close(self) -> None:
        """Say goodbye to everyone and wait until each link has ended. Call before the listener is closed."""
        self._closing = True
        leaving = [self._leave(session) for session in list(self._all)]
        if leaving:
            await asyncio.wait([asyncio.ensure_future(one) for one in leaving], timeout=CLOSING_S)

    async def _leave(self, session: Session) -> None:
        await session.leave("the cloud restarts")
        await session.ended.wait()

    # --- one connection, in aiohttp's task ---

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._closing:
            raise web.HTTPServiceUnavailable(text="the cloud restarts")
        try:
            certificate = peer_certificate(request)
        except ValueError as error:
            logger.warning("a router at %s was refused: %s", request.remote, error)
            raise web.HTTPForbidden(text=str(error)) from None
        with self._place(certificate.serial_number):
            return await self._link(request, certificate)

    @contextmanager
    def _place(self, serial_number: str) -> Iterator[None]:
        """One of the few links that a router may hold."""
        if self._links[serial_number] >= LINKS_OF_ROUTER_MAX:
            logger.warning("router %s holds too many connections", serial_number)
            raise web.HTTPTooManyRequests(text="too many connections of this router")
        self._links[serial_number] += 1
        try:
            yield
        finally:
            self._links[serial_number] -= 1
            if not self._links[serial_number]:
                del self._links[serial_number]

    async def _link(self, request: web.Request, certificate: PeerCertificate) -> web.StreamResponse:
        socket = new_websocket()
        await socket.prepare(request)
        session = Session(socket, certificate.serial_number, request.remote or "")
        self._all.add(session)
        try:
            await self._serve(session, certificate)
        finally:
            self._all.discard(session)
            session.ended.set()
        return socket

    async def _serve(self, session: Session, certificate: PeerCertificate) -> None:
        serial_number = certificate.serial_number
        reason, code = "the link ended", WSCloseCode.OK
        try:
            await self._greet(session, certificate)
            while (message := await session.receive()) is not None:
                await self._dispatch(serial_number, session, message)
        except (Refused, MessageError) as error:
            reason, code = str(error), WSCloseCode.POLICY_VIOLATION
            logger.warning("router %s at %s was refused: %s", serial_number, session.status["address"], error)
        except GatelodgeError as error:
            reason = str(error)
            logger.info("router %s: %s", serial_number, error)
        finally:
            await self._ended(serial_number, session)
            await session.leave(reason, code)

    async def _greet(self, session: Session, certificate: PeerCertificate) -> None:
        """Hello, who is it, welcome; then the session is the router's live one."""
        hello = await session.receive()
        if hello is None:
            raise LineError("it left before it said hello")
        if hello["serial_number"] != certificate.serial_number:
            raise Refused(f"it calls itself {hello['serial_number']}, its certificate does not")
        window_s = await self._window_s()
        record = check_known(await self._registry.find(certificate.serial_number), certificate)
        if hello["reset"] is not None:
            record = await self._reset(certificate)
        replaced = self._sessions.get(certificate.serial_number)
        # No await from here to the welcome's first byte: whoever looks the session up may already use it.
        self._sessions[certificate.serial_number] = session
        session.status["owner"] = record.owner["account_id"] if record.owner else None
        await session.send(self._welcome(record, window_s, hello["reset"] if self._on_reset else None))
        await self._took_over(certificate.serial_number, session, replaced)

    async def _reset(self, certificate: PeerCertificate) -> DeviceRecord:
        """The router has no owner any more, whatever we believe: let go of it, then answer."""
        serial_number = certificate.serial_number
        logger.info("router %s says that it was reset", serial_number)
        if self._on_reset is not None:
            await self._on_reset(serial_number)
        failed = {"ok": False, "value": None, "error": N_("The router was reset.")}
        for waiting in self._waiting.get(serial_number, {}).values():
            if not waiting.result.done():
                waiting.result.set_result(failed)
        return check_known(await self._registry.find(serial_number), certificate)

    def _welcome(self, record: DeviceRecord, window_s: int, reset: str | None) -> dict[str, Any]:
        return {
            "type": "welcome",
            "time_ms": int(time.time() * 1000),
            "heartbeat_s": self.settings.heartbeat_s,
            "reconnect_window_s": window_s,
            "owner": record.owner,
            "reset": reset,
            "takes": {
                "release": self._on_release is not None,
                "invite": self._on_invite is not None,
                "notice": self._on_notice is not None,
                "uninvite": self._on_uninvite is not None,
            },
        }

    async def _took_over(self, serial_number: str, session: Session, replaced: Session | None) -> None:
        if replaced is not None:
            # After a power cut the old connection is still open here: the newer one is the living one.
            await replaced.leave("a newer connection of this router took over")
        logger.info("router %s is online from %s", serial_number, session.status["address"])
        await self._edge(serial_number, "changed" if replaced else "online", session)
        for waiting in list(self._waiting.get(serial_number, {}).values()):
            if not waiting.result.done():
                await self._try_send(session, waiting.message)

    async def _ended(self, serial_number: str, session: Session) -> None:
        if self._sessions.get(serial_number) is not session:
            return  # it was replaced, or never came so far
        del self._sessions[serial_number]
        session.status["state"] = "offline"
        logger.info("router %s is offline", serial_number)
        await self._edge(serial_number, "offline", session)

    async def _window_s(self) -> int:
        fixed = self.settings.reconnect_window_s
        if fixed is not None:
            return fixed
        count, counted_at = self._count
        if time.monotonic() - counted_at > COUNT_LASTS_S:
            count = await self._registry.count()
            self._count = (count, time.monotonic())
        needed = math.ceil(count / self.settings.connects_per_s)
        return min(self.settings.largest_window_s, max(self.settings.smallest_window_s, needed))

    # --- what routers say ---

    async def _dispatch(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        handler = _HANDLERS.get(message["type"])
        if handler is not None:
            await handler(self, serial_number, session, message)

    async def _heartbeat(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        time_ms = int(time.time() * 1000)
        await session.send({"type": "heartbeat_ack", "seq": message["seq"], "time_ms": time_ms})

    async def _result(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        waiting = self._waiting.get(serial_number, {}).get(message["id"])
        if waiting is None:
            if not await self._kept(serial_number, message):
                return  # not acknowledged: the router repeats it at its next connection
        elif not waiting.result.done():
            waiting.result.set_result(message)
        await session.send({"type": "result_ack", "id": message["id"]})

    async def _kept(self, serial_number: str, message: dict[str, Any]) -> bool:
        """Whether the result of what `ask` sent is durable, or was asked by nobody."""
        if self._on_result is None:
            logger.info("router %s: result of %s came too late", serial_number, message["id"])
            return True
        try:
            await self._on_result(serial_number, message)
        except Exception:
            logger.exception("router %s: the result of %s was not kept", serial_number, message["id"])
            return False
        return True

    async def _report(self, serial_number: str, _session: Session, message: dict[str, Any]) -> None:
        if self._on_report is not None:
            await self._on_report(serial_number, message)

    async def _claim_answer(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        claim_id = message["claim_id"]
        if self._on_claim_answer is not None:
            try:
                await self._on_claim_answer(serial_number, claim_id, message["approved"])
            except Exception:
                logger.exception("router %s: the answer to claim %s was not kept", serial_number, claim_id)
                return  # not acknowledged: the router repeats it at its next connection
        await session.send({"type": "claim_answer_ack", "claim_id": claim_id})

    async def _release(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        if self._on_release is None:
            return
        try:
            await self._on_release(serial_number, message["account_id"], message["undo"])
        except Exception:
            logger.exception("router %s: its release was not kept", serial_number)
            return  # not acknowledged, as with the answer to a claim
        await session.send({"type": "release_ack", "release_id": message["release_id"]})

    async def _notice(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        if self._on_notice is None:
            return
        try:
            await self._on_notice(serial_number, message)
        except Exception:
            logger.exception("router %s: its notice was not kept", serial_number)
            return  # not acknowledged, as with the answer to a claim
        await session.send({"type": "notice_ack", "notice_id": message["notice_id"]})

    async def _invite(self, serial_number: str, session: Session, message: dict[str, Any]) -> None:
        if self._on_invite is None:
            return
        try:
            told = await self._on_invite(serial_number, message["service_code"])
        except Exception:
            logger.exception("router %s: no link was made", serial_number)
            told = {"error": "The cloud could not make a link. Try again in a minute."}
        await session.send({"type": "invitation", "invite_id": message["invite_id"], **told})

    async def _uninvite(self, serial_number: str, _session: Session, _message: dict[str, Any]) -> None:
        if self._on_uninvite is None:
            return
        try:
            await self._on_uninvite(serial_number)
        except Exception:
            logger.exception("router %s: its link was not ended before its time", serial_number)

    # --- commands that wait ---

    def _wait(self, serial_number: str, message: dict[str, Any]) -> Waiting:
        waiting = self._waiting.setdefault(serial_number, {})
        if len(waiting) >= WAITING_LIMIT:
            raise CommandBusy(N_("Too many commands wait for this router. Try again in a minute."))
        waiting[message["id"]] = Waiting(message, asyncio.get_running_loop().create_future())
        return waiting[message["id"]]

    def _forget(self, serial_number: str, command_id: str) -> None:
        waiting = self._waiting[serial_number]
        del waiting[command_id]
        if not waiting:
            del self._waiting[serial_number]

    async def _try_send(self, session: Session, message: dict[str, Any]) -> bool:
        try:
            await session.send(message)
        except GatelodgeError as error:
            logger.info("%s was not sent: %s", message["type"], error)
            return False
        return True

    async def _edge(self, serial_number: str, state: str, session: Session) -> None:
        if self._on_edge is None:
            return
        status = dict(session.status)
        lock = self._edge_locks.setdefault(serial_number, asyncio.Lock())
        async with lock:  # asyncio's lock is fair: first come, first told
            try:
                await self._on_edge(serial_number, state, status)
            except Exception:
                logger.exception("router %s: %s was not kept", serial_number, state)


_HANDLERS: dict[str, Callable[[DeviceHub, str, Session, dict[str, Any]], Awaitable[None]]] = {
    "heartbeat": DeviceHub._heartbeat,
    "result": DeviceHub._result,
    "claim_answer": DeviceHub._claim_answer,
    "release": DeviceHub._release,
    "invite": DeviceHub._invite,
    "uninvite": DeviceHub._uninvite,
    "notice": DeviceHub._notice,
    "report": DeviceHub._report,
}  # "accepted" needs no answer: the command is durable there, and its result will come


def peer_certificate(request: web.Request) -> PeerCertificate:
    """Of the mutual TLS below the request. Raises ValueError when there is none that names a router."""
    ssl_object = request.transport.get_extra_info("ssl_object") if request.transport else None
    der = ssl_object.getpeercert(binary_form=True) if ssl_object else None
    if not der:
        raise ValueError("it showed no certificate")
    return read_peer_certificate(der)


def check_known(record: DeviceRecord | None, certificate: PeerCertificate) -> DeviceRecord:
    """Raises Refused unless the factory reported this router with this certificate, and nobody revoked it."""
    if record is None:
        raise Refused("the factory has not reported this router")
    if record.revoked:
        raise Refused("this router's certificate was revoked")
    if record.certificate_fingerprint != certificate.fingerprint:
        raise Refused("the factory reported another certificate for this serial number")
    return record
