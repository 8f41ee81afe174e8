"""Every connected router, by serial number: who is online, commands and their results, claims.

The hub keeps heartbeats in memory. What lasts leaves through callbacks.py, and what it must know of a router
comes from the registry port.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import WSCloseCode, web
from gatelodge.contract import messages
from gatelodge.contract.errors import GatelodgeError, LineError, MessageError

from host_tools.cloud.devices.admission import Refused, check_known, peer_certificate
from host_tools.cloud.devices.callbacks import Callbacks
from host_tools.cloud.devices.commands import CommandFailed, CommandTimeout, DeviceOffline, WaitingCommands
from host_tools.cloud.devices.inbox import Inbox
from host_tools.cloud.devices.registry import DeviceRecord, Owner, Registry
from host_tools.cloud.devices.session import Session, new_websocket
from host_tools.cloud.devices.timing import HubSettings, ReconnectWindow
from host_tools.cloud.devices.tls import PeerCertificate
from host_tools.cloud.languages.text import N_

logger = logging.getLogger("gatelodge.devices")

LINKS_OF_ROUTER_MAX = 8  # at once: after a few quick restarts the older ones are still on their way out
CLOSING_S = 5  # for all goodbyes at shutdown


class DeviceHub:
    """hub = DeviceHub(registry, Callbacks(on_edge=..., ...)), served by `listener.start_listener`."""

    def __init__(
        self, registry: Registry, callbacks: Callbacks | None = None, settings: HubSettings | None = None
    ):
        """Make a hub without connections. Needs no running loop."""
        self.settings = settings or HubSettings()
        self.app = web.Application()
        self.app.router.add_get(messages.PATH, self._handle)
        self._registry = registry
        self._call = callbacks or Callbacks()
        self._window = ReconnectWindow(registry, self.settings)
        self._waiting = WaitingCommands()
        self._inbox = Inbox(self._call, self._waiting)
        self._sessions: dict[str, Session] = {}
        self._all: set[Session] = set()  # also those that have not said hello, or were replaced
        self._links: Counter[str] = Counter()  # by serial number, for a bound
        self._edge_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
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

    @property
    def links(self) -> int:
        """How many routers have a live link."""
        return len(self._sessions)

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
        waiting = self._waiting.add(serial_number, message)
        try:
            await self._try_send(session, message)
            async with asyncio.timeout(timeout_s):
                result = await waiting.result
        except TimeoutError:
            raise CommandTimeout(f"The router did not answer within {timeout_s:g} s.") from None
        finally:
            self._waiting.remove(serial_number, message["id"])
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
        leaving = [asyncio.create_task(self._leave(session)) for session in self._all]
        try:
            if leaving:
                await asyncio.wait(leaving, timeout=CLOSING_S)
        finally:
            for task in leaving:
                task.cancel()

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
                await self._inbox.take(session, message)
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
        window_s = await self._window.seconds()
        record = check_known(await self._registry.find(certificate.serial_number), certificate)
        if hello["reset"] is not None:
            record = await self._reset(certificate)
        replaced = self._sessions.get(certificate.serial_number)
        # No await from here to the welcome's first byte: whoever looks the session up may already use it.
        self._sessions[certificate.serial_number] = session
        session.status["owner"] = record.owner["account_id"] if record.owner else None
        await session.send(self._welcome(record, window_s, hello["reset"] if self._call.on_reset else None))
        await self._took_over(certificate.serial_number, session, replaced)

    async def _reset(self, certificate: PeerCertificate) -> DeviceRecord:
        """The router has no owner any more, whatever we believe: let go of it, then answer."""
        serial_number = certificate.serial_number
        logger.info("router %s says that it was reset", serial_number)
        if self._call.on_reset is not None:
            await self._call.on_reset(serial_number)
        self._waiting.fail_all(serial_number, N_("The router was reset."))
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
                "release": self._call.on_release is not None,
                "invite": self._call.on_invite is not None,
                "notice": self._call.on_notice is not None,
                "uninvite": self._call.on_uninvite is not None,
            },
        }

    async def _took_over(self, serial_number: str, session: Session, replaced: Session | None) -> None:
        if replaced is not None:
            # After a power cut the old connection is still open here: the newer one is the living one.
            await replaced.leave("a newer connection of this router took over")
        logger.info("router %s is online from %s", serial_number, session.status["address"])
        await self._edge(serial_number, "changed" if replaced else "online", session)
        for message in self._waiting.unanswered(serial_number):
            await self._try_send(session, message)

    async def _ended(self, serial_number: str, session: Session) -> None:
        if self._sessions.get(serial_number) is not session:
            return  # it was replaced, or never came so far
        del self._sessions[serial_number]
        session.status["state"] = "offline"
        logger.info("router %s is offline", serial_number)
        await self._edge(serial_number, "offline", session)

    async def _try_send(self, session: Session, message: dict[str, Any]) -> bool:
        try:
            await session.send(message)
        except GatelodgeError as error:
            logger.info("%s was not sent: %s", message["type"], error)
            return False
        return True

    async def _edge(self, serial_number: str, state: str, session: Session) -> None:
        if self._call.on_edge is None:
            return
        status = dict(session.status)
        lock = self._edge_locks.setdefault(serial_number, asyncio.Lock())
        async with lock:  # asyncio's lock is fair: first come, first told
            try:
                await self._call.on_edge(serial_number, state, status)
            except Exception:
                logger.exception("router %s: %s was not kept", serial_number, state)
