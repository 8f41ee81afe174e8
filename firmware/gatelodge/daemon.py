"""The daemon: the only place that builds the parts and names a platform.

The loader calls `main(root, board, boot)`; its exit code says what comes next. A router at the factory has
a serial console and nothing else. A locked one has the admin page, the cloud and network time as well; the
admin page comes first and waits for none of the others.
"""

import asyncio
from binascii import a2b_base64

from gatelodge import compat, log, store_keys
from gatelodge.cloud.client import ONLINE, CloudClient
from gatelodge.compat import json
from gatelodge.console.console import Console
from gatelodge.console.standing import Standing
from gatelodge.console.terminal import Terminal
from gatelodge.core import heap
from gatelodge.core.presence import BUTTON
from gatelodge.network.dns import Resolver
from gatelodge.network.sntp import SntpClient
from gatelodge.owner import earlier
from gatelodge.owner.owner import Owner
from gatelodge.owner.updates import Place
from gatelodge.power import Power
from gatelodge.router.button import Button
from gatelodge.router.host import HostRouter
from gatelodge.router.linux import LinuxRouter
from gatelodge.store import FlashFiles, Store
from gatelodge.streams.listener import serve
from gatelodge.streams.stream import client_context, open_tls, server_context
from gatelodge.tasks import Tasks
from gatelodge.timekeeper import Timekeeper
from gatelodge.web import app

STOP, START_AGAIN = 0, 64  # as firmware/main.py has them

RESOLVE_MS = 8000  # two servers, asked twice
CONNECT_MS = 20_000  # TCP and TLS to the cloud: a handshake is 40 ms of work, and a bad line takes seconds
HANDSHAKE_MS = 10_000  # of a browser, with its first byte
REDIRECTS = 8  # connections of plain HTTP at once: each is one answer


class Daemon:
    def __init__(self, root, board, boot):
        """`board`: as contract.board.check gives it. `boot`: slot, version, confirm() (main.py's Boot)."""
        self.board = board
        self._boot = boot
        self._package = __file__.rsplit("/", 1)[0]
        self._store = Store(FlashFiles(), root + "/state/journal").open()
        self._clock = Timekeeper(self._store, self._build_time(), board)
        log.configure(board["log_path"] or None, self._clock.now)
        self._router = _ROUTERS[board["router"]](self)
        self._owner = Owner(self._store, self._clock, compat.entropy, mac_of=self._mac_of)
        place = Place(root, boot.slot, boot.version, board["release_key"], self._free_kb)
        self._updates = self._owner.updates(place)
        self._bench = self._make_bench()
        self._cloud = None
        self._tasks = Tasks("daemon", self._failed)
        self._power = Power(self._router, self._tasks, self._end, self._wipe)
        self._over = asyncio.Event()
        self._last_act = None  # what to do once everything has stopped
        self._exit_code = START_AGAIN
        self._error = None  # of a part that must not fail

    async def run(self):
        """Return the exit code. Raises what a part failed with: the loader counts the start as failed."""
        boot = self._boot
        log.info("daemon", "firmware %s in slot %s, %s", boot.version, boot.slot, self._bench.state)
        if self._store.torn:
            log.warning("store", "the last change was cut short by a loss of power, and is dropped")
        try:
            self._start_console()
            if self._bench.is_locked:
                await self._start_services()
            self._boot.confirm()
            self._updates.settle()
            await self._over.wait()
        finally:
            await self._tasks.close()
            self._store.close()
        if self._error is not None:
            raise self._error
        if self._last_act is not None:
            self._last_act()
        return self._exit_code

    # --- what runs ---

    def _make_bench(self):
        standing = Standing(self._store, self.board, self._boot.version)
        if standing.is_locked:
            return standing
        from gatelodge.console.bench import Bench  # with its contract 25 KB, until the router is locked

        ours = (self._store, self._clock, self._router, self.board, self._boot.version)
        return Bench(*ours, slot=self._boot.slot)

    def _start_console(self):
        fd = self._console_device()
        terminal = Terminal(fd, 1 if fd == 0 else fd, self.board["console"]["baud"])
        actions = self._owner.at_console.actions(self._power)
        console = Console(terminal, self._bench, self._status, self._restart, actions)
        self._tasks.start(console.run(), "the serial console")

    def _console_device(self):
        """The descriptor of the serial line. The file stays open for as long as the daemon runs."""
        if self.board["console"]["kind"] == "stdin":
            return 0
        self._serial_file = open(self.board["console"]["device"], "r+b", 0)  # noqa: SIM115
        return self._serial_file.fileno()

    async def _start_services(self):
        identity = self._store.get(store_keys.IDENTITY)
        key = a2b_base64(self._store.get(store_keys.DEVICE_KEY))
        self._cloud = self._make_cloud(identity, key)
        self._owner.tell_notices_to(self._notify)
        await self._start_web(identity, key)
        self._tasks.start(self._cloud.run(), "the link to the cloud")
        self._tasks.start(self._make_sntp(identity).run(), "network time")
        self._tasks.start(self._clock.keep_floor(), "the clock's floor")
        self._tasks.start(self._count_connected(), "what undoes a change")
        self._start_button(self.board["button"])

    def _start_button(self, board):
        self._owner.has_button = bool(board["device"])
        if board["device"]:
            button = Button(board["device"], board["key"], lambda: self._owner.grant_presence(BUTTON))
            self._tasks.start(button.run(), "the button")

    async def _start_web(self, identity, key):
        board = self.board["web"]
        web = app.build(
            self._owner,
            self._clock,
            self._router,
            self._cloud,
            identity,
            self._boot.version,
            board["names"],
            self._package,
            self._power,
            self._updates,
            https_port=board["public_https_port"] or board["https_port"],
            slot=self._boot.slot,
        )
        self._tasks.start(self._router.traffic.run(), "the traffic's history")
        self._tasks.start(self._router.devices.run(), "the devices of the home")
        bind, owner = board["bind"], self._tasks
        home = self.board["interfaces"]["lan"] if board["lan_only"] else ""  # not from the internet's side
        await serve(
            bind,
            board["https_port"],
            web.handle,
            tls_context=server_context(a2b_base64(identity["admin_certificate"]), key),
            max_connections=heap.connections(compat.heap_bytes()),
            handshake_timeout_ms=HANDSHAKE_MS,
            owner=owner,
            interface=home,
            known=self._owner.clients,
        )
        plain = {"max_connections": REDIRECTS, "owner": owner, "interface": home}
        await serve(bind, board["http_port"], web.handle_redirect, **plain)
        log.info("web", "the admin page listens on port %d", board["https_port"])

    def _make_cloud(self, identity, key):
        ends = (identity["cloud_ca"], identity["device_certificate"])
        context = client_context(*[a2b_base64(text) for text in ends], key)
        resolver = Resolver(compat.entropy)
        where = identity["cloud"]

        async def open_stream():
            address = await resolver.resolve(where["host"], RESOLVE_MS)
            return await open_tls(address, where["port"], context, where["server_name"], CONNECT_MS)

        commands = {"reboot": self._on_reboot, "identify": self._on_identify}
        commands["diagnostics"] = self._on_diagnostics
        commands["undo"] = self._on_undo
        return CloudClient(
            identity,
            open_stream,
            self._clock,
            self._store,
            self._facts,
            commands,
            compat.entropy,
            before_release=self._owner.before_release,
        )

    def _make_sntp(self, identity):
        resolver = Resolver(compat.entropy)

        async def resolve(host):
            return await resolver.resolve(host, RESOLVE_MS)

        return SntpClient(identity["ntp"], self._clock, resolve=resolve)

    # --- what the parts ask ---

    def _facts(self):
        """What the cloud is told (contract/messages.py)."""
        facts = self._router.facts()
        return {
            "firmware": self._boot.version,
            "uptime_s": facts["uptime_s"],
            "load": facts["load"][0],
            "memory_free_kb": facts["memory"]["available_kb"],
            "wan_up": self._router.internet()["up"],
        }

    def _status(self):
        """What the locked console tells any holder of the cable."""
        told = self._bench.status()
        told.append(("clock", self._clock.state))
        if self._cloud is not None:
            told.append(("cloud", self._cloud.state["state"]))
        return told + self._owner.at_console.status()

    def _notify(self, kind, entry, undo_id):
        self._cloud.notify(kind, entry["at"], entry["address"], entry["browser"], undo_id)

    async def _count_connected(self):
        """For how long the owner could have undone what was changed: the hours with a link to the cloud."""
        while True:
            await asyncio.sleep(earlier.LOOK_S)
            if self._cloud.state["state"] == ONLINE:
                earlier.connected(self._store, earlier.LOOK_S)

    def _mac_of(self, address):
        for neighbour in self._router.neighbours():
            if neighbour["address"] == address:
                return neighbour["mac"]
        return ""

    def _free_kb(self):
        storage = self._router.facts()["storage"]
        return storage and storage["free_kb"]

    def _build_time(self):
        with open(self._package + "/build.json") as file:
            return json.loads(file.read())["built_at"]

    async def _on_identify(self, _args):
        log.info("daemon", "this is router %s", self._store.get(store_keys.IDENTITY)["serial_number"])

    async def _on_diagnostics(self, args):
        from gatelodge.cloud import diagnostics  # seldom asked for, and 20 KB of the heap

        ours = (self.board, self._boot, self._router, self._clock, self._store, self._cloud)
        try:
            return await diagnostics.send(diagnostics.Sources(*ours), args, self._cloud.report)
        finally:
            compat.unload(diagnostics.MODULES)

    async def _on_undo(self, args):
        return {"undone": self._owner.undo(args)}

    # --- how it ends ---

    async def _on_reboot(self, _args):
        """The cloud has our word already; it hears a goodbye, and the result after the restart."""
        self._end(self._router.reboot)

    def _wipe(self, by):
        self._owner.reset.wipe(by)
        if self._cloud is not None:
            self._cloud.forget()

    def _restart(self, reason):
        log.info("daemon", "starting again: %s", reason)
        self._end(None)

    def _failed(self, error, _name):
        self._error = self._error or error
        self._over.set()

    def _end(self, last_act):
        self._last_act = self._last_act or last_act
        self._over.set()

    def exit_with(self, code):
        self._exit_code = code


def _host_router(daemon):
    return HostRouter(
        daemon.board, restart=lambda: daemon.exit_with(START_AGAIN), stop=lambda: daemon.exit_with(STOP)
    )


# board.json's `router` -> the router's facts and powers, of a Daemon.
_ROUTERS = {
    "linux": lambda daemon: LinuxRouter(daemon.board),
    "host": _host_router,
}


def checked(board):
    """board.json's content by its contract, which takes 9 KB and is not needed again."""
    from gatelodge.contract import board as boards

    try:
        return boards.check(board)
    finally:
        compat.unload((boards.__name__,))


def main(root, board, boot):
    """Run the daemon; return its exit code. `root`: the writable directory; `board`: board.json's content."""
    heap.check(compat.heap_bytes())
    compat.collect_every(heap.garbage(compat.heap_bytes()))
    return asyncio.run(Daemon(root, checked(board), boot).run())
