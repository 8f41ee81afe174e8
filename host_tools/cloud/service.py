"""The cloud as one process: build the parts, open both listeners, serve, close in order."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from host_tools import exit_codes
from host_tools.cloud import certificates, files
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.certificates import Certificates
from host_tools.cloud.clock import system_clock
from host_tools.cloud.devices.callbacks import Callbacks
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.devices.listener import start_listener
from host_tools.cloud.devices.revocation import RevocationList
from host_tools.cloud.devices.timing import HubSettings
from host_tools.cloud.devices.tls import device_context
from host_tools.cloud.languages import text
from host_tools.cloud.log_to.sender import LogSender
from host_tools.cloud.oidc.described import WrongClient
from host_tools.cloud.operators_certificate import OperatorsCertificate
from host_tools.cloud.pages.app import make_app, make_site_app
from host_tools.cloud.pages.guards import headers_of_all
from host_tools.cloud.pages.line import Lines
from host_tools.cloud.parts import Parts, build_parts
from host_tools.cloud.pruning import prune
from host_tools.cloud.routers.registry import OFFLINE
from host_tools.cloud.settings import Settings
from host_tools.cloud.sites import client as sites
from host_tools.cloud.sites.kinds import KINDS, Kind
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.database import Database
from host_tools.cloud.systemd.notify import Notifier
from host_tools.cloud.systemd.sockets import Address, Listeners
from host_tools.cloud.systemd.supervision import Supervision
from host_tools.errors import ToolError

IMPORT_EVERY_S = 1  # one stat() call; a router that the factory has just made is not kept waiting
PRUNE_EVERY_S = 3600
HUB_CLOSE_S = 1.0  # goodbyes to the routers; the whole stop takes some three seconds at most
PAGES_CLOSE_S = 1.0
POST_CLOSE_S = 1.5  # beside those two, for carriers that answer: what is cut off is sent again
FLUSH_S = 0.5
LOG_CLOSE_S = 0.3  # and 0.4 s for a goodbye that nobody answers (log_to/sender.py)
# In development one router is watched by one person: it reports often, and returns at once.
DEVELOPMENT_HUB = HubSettings(heartbeat_s=3, reconnect_window_s=2)

Hub = TypeVar("Hub", bound=Any)
log = logging.getLogger("cloud")


class Service:
    def __init__(self, settings: Settings, handed: Mapping[Address, socket.socket] | None = None):
        """handed: listeners that systemd holds for us."""
        self.settings = settings
        self._listeners = Listeners(handed)
        self._supervision = Supervision(Notifier(os.environ), self._told)
        self._runners: list[web.AppRunner] = []
        self._hub: DeviceHub | None = None
        self._log_sender: LogSender | None = None
        self._lock: int | None = None  # of the data directory

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT. Raises ToolError where it cannot start."""
        self._supervision.starting("Brings the database to this release.")
        parts, certs = await self._build()
        try:
            _stop_on_signals(parts.stopping)
            await self._start(parts, certs)
            self._supervise(parts)
            await parts.stopping.wait()
        finally:
            await self._close(parts)
        log.info("stopped")

    async def _build(self) -> tuple[Parts, Certificates]:
        files.make_directory(self.settings.data)
        self._lock = files.lock_directory(self.settings.data)
        hosts = (self.settings.public_host, *(origin.host for origin in self.settings.origins.values()))
        certs = certificates.load_or_create(self.settings.data, hosts)
        box = key_ring.secret_box(self.settings.data, system_clock())
        files.touch_database(self.settings.data, self.settings.database_url)
        database = Database(self.settings.database_url)
        await database.migrate()
        parts = build_parts(self.settings, database, box, system_clock, Hasher())
        if self.settings.log_to is not None:  # the last one: from here on _close() ends it
            self._log_sender = LogSender(self.settings.log_to, self.settings.data, database)
            self._log_sender.start()
        return parts, certs

    async def _start(self, parts: Parts, certs: Certificates) -> None:
        await parts.registry.forget_links()
        await parts.ownership.forget_commands()
        await parts.registry.refresh()
        if self.settings.factory_ca is None:
            log.warning("no --factory-ca: routers cannot connect, the portal alone is served")
        else:
            await self._open_to_routers(parts, certs)
        for kind in KINDS:
            if kind.name in self.settings.origins:
                await self._open_site(kind, parts, certs)
        await self._open_to_browsers(parts, certs)  # the last one: whoever is answered there finds all of it
        parts.tasks.start(text.read_all(), "catalogues")
        parts.tasks.keep(parts.post.run, "post")
        await parts.push_keys.load()
        if parts.bot is not None:
            parts.tasks.keep(parts.bot.run, "telegram")
        parts.tasks.keep(parts.oidc.keep_keys, "signing keys")
        parts.tasks.keep(partial(parts.oidc.logins.run, certs.trusted()), "logouts")
        parts.tasks.keep(partial(_keep_importing, parts), "import")
        parts.tasks.keep(partial(_keep_pruning, parts), "prune")
        self._listeners.check_all_taken()
        gc.freeze()  # what stands now lives to the end: to go through it all would hold up every page
        log.info("ready at %s", self.settings.public_url)

    def _supervise(self, parts: Parts) -> None:
        """Where systemd started us; elsewhere SIGHUP means that a terminal has gone."""
        if self._supervision.is_heard:
            self._supervision.read_again("routers", parts.registry.refresh)
            loop = asyncio.get_running_loop()
            reload = self._supervision.reload
            loop.add_signal_handler(signal.SIGHUP, lambda: parts.tasks.start(reload(), "reload"))
            self._supervision.ready()
            parts.tasks.keep(self._supervision.run, "systemd")

    def _told(self) -> str:
        linked = "" if self._hub is None else f", routers linked: {self._hub.links}"
        return f"Serves {self.settings.public_url}{linked}"

    async def _open_to_browsers(self, parts: Parts, certs: Certificates) -> None:
        context = self._context(parts, certs, self.settings.public_host)
        await self._serve_pages(make_app(parts), context, self.settings.port, "--port")

    async def _open_site(self, kind: Kind, parts: Parts, certs: Certificates) -> None:
        """A site of ours at its own address: a client of the account's OpenID provider."""
        origin, option = self.settings.origins[kind.name], f"--{kind.name}-port"
        try:
            client = await sites.make(kind, parts, certs.trusted())
        except WrongClient as error:
            remedy = f"use 'gatelodge cloud clients', or leave out {option}"
            raise ToolError(str(error), remedy, exit_codes.CLOUD_DID_NOT_START) from error
        parts.tasks.keep(partial(_keep_pruning_sessions, parts, client), f"sessions of {kind.client_id}")
        context = self._context(parts, certs, origin.host)
        await self._serve_pages(make_site_app(parts, client), context, origin.port, option)
        log.info("%s is at %s", kind.client_id, origin.url)

    async def _serve_pages(
        self, app: web.Application, context: ssl.SSLContext, port: int, option: str
    ) -> None:
        runner = web.AppRunner(app, shutdown_timeout=PAGES_CLOSE_S)
        await runner.setup()
        self._runners.append(runner)
        handed = self._listeners.handed(self.settings.bind, port)
        headers = headers_of_all(self.settings.public_host)
        site = Lines(runner, handed or Address(self.settings.bind, port), context, headers)
        with _port_errors(port, option):
            await site.start()

    def _context(self, parts: Parts, certs: Certificates, host: str) -> ssl.SSLContext:
        """The operator's own certificate, or that of our authority."""
        if self.settings.certificate is None:
            return certs.portal_context()
        own = OperatorsCertificate(self.settings.certificate, host)
        parts.tasks.keep(own.run, "certificate")
        self._supervision.read_again(f"certificate of {host}", own.refresh)
        return own.context

    async def _open_to_routers(self, parts: Parts, certs: Certificates) -> None:
        settings = DEVELOPMENT_HUB if self.settings.development else HubSettings()
        if self.settings.heartbeat_s is not None:
            settings = replace(settings, heartbeat_s=self.settings.heartbeat_s)
        self._hub = join_hub(parts, partial(DeviceHub, parts.registry, settings=settings))
        context = device_context(
            str(certs.devices.certificate), str(certs.devices.key), str(self.settings.factory_ca)
        )
        if self.settings.factory_crl is not None:
            revoked = RevocationList(self.settings.factory_crl, context)
            parts.tasks.keep(revoked.run, "revocation list")
            self._supervision.read_again("revocation list", revoked.refresh)
        with _port_errors(self.settings.device_port, "--device-port"):
            runner = await start_listener(
                self._hub, context, self.settings.device_bind, self.settings.device_port, self._listeners
            )
        self._runners.append(runner)

    async def _close(self, parts: Parts) -> None:
        """Live pages end, routers hear goodbye, listeners close, tasks are cancelled, the database last."""
        self._supervision.stopping()
        parts.stopping.set()
        parts.bus.publish_everywhere()
        sending = _at_most(parts.post.finish(), POST_CLOSE_S, "a line to a carrier")
        await asyncio.gather(self._close_doors(), sending)
        await _at_most(parts.sessions.flush(), FLUSH_S, "who has acted last")
        # A task that is cancelled within a statement leaves a connection that cannot be reset: it is dropped.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        await parts.tasks.close()
        parts.hasher.close()
        if self._log_sender is not None:
            await self._log_sender.close(LOG_CLOSE_S)
        await parts.database.close()
        if self._lock is not None:
            os.close(self._lock)

    async def _close_doors(self) -> None:
        if self._hub is not None:
            await _at_most(self._hub.close(), HUB_CLOSE_S, "the routers' links")
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))


def join_hub(parts: Parts, make: Callable[[Callbacks], Hub]) -> Hub:
    """Make the routers' side and join it to the rest: edges are stored, a new link is shown its claim, and a
    router that was reset or released on its own page is let go."""

    async def on_edge(serial_number: str, state: str, status: dict[str, Any]) -> None:
        await parts.ownership.edge(serial_number, state, status)
        if state != OFFLINE:
            parts.tasks.start(parts.claims.linked(serial_number), "deliver a waiting claim")
            waiting = parts.help.diagnostics.linked(serial_number)
            parts.tasks.start(waiting, "ask for diagnostics that wait")
            parts.tasks.start(parts.undos.linked(serial_number), "ask for an undo that waits")

    async def on_result(serial_number: str, result: dict[str, Any]) -> None:
        """Each knows its own by the command's id."""
        await parts.help.diagnostics.ended(serial_number, result)
        await parts.undos.ended(serial_number, result)

    callbacks = Callbacks(
        on_edge=on_edge,
        on_claim_answer=parts.claims.answered,
        on_reset=parts.ownership.reset,
        on_release=parts.ownership.released_there,
        on_invite=parts.invitations.answer,
        on_uninvite=parts.invitations.withdraw,
        on_notice=parts.notices.take,
        on_report=parts.help.diagnostics.arrived,
        on_result=on_result,
    )
    hub = make(callbacks)
    parts.claims.hub = parts.ownership.hub = parts.help.diagnostics.hub = parts.undos.hub = hub
    return hub


class _port_errors:
    """Within it, a port that another program holds becomes one sentence."""

    def __init__(self, port: int, option: str):
        self._port = port
        self._option = option

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise ToolError(
                f"port {self._port} is taken or not ours to open",
                f"stop the program that holds it, or choose another with {self._option}",
                exit_codes.PORT_TAKEN,
            ) from error


async def _keep_importing(parts: Parts) -> None:
    while True:
        await asyncio.sleep(IMPORT_EVERY_S)
        await parts.registry.refresh()


async def _keep_pruning(parts: Parts) -> None:
    while True:
        await prune(parts)
        await asyncio.sleep(PRUNE_EVERY_S)


async def _keep_pruning_sessions(parts: Parts, client: sites.SiteClient) -> None:
    while True:
        await client.prune(parts.clock())
        await asyncio.sleep(PRUNE_EVERY_S)


async def _at_most(work: Any, seconds: float, what: str) -> None:
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.warning("%s did not close within %g s", what, seconds)
    except Exception:
        log.exception("%s did not close", what)  # the rest still does


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
