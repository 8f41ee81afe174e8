"""The hub alone behind its real listener, and peers with a router's certificate."""

import asyncio
import ssl

import aiohttp
from gatelodge.contract.messages import PATH, SUBPROTOCOL

from host_tools.cloud.devices.callbacks import Callbacks
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.devices.listener import start_listener
from host_tools.cloud.devices.registry import DeviceRecord, MemoryRegistry
from host_tools.cloud.devices.tls import device_context
from tests.fakes.authority import Authority

SERIAL = "GL-0001"
PATIENCE_S = 10
OWNER = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}
HELLO = {
    "type": "hello",
    "serial_number": SERIAL,
    "model": "Virt",
    "firmware": "0.1.0",
    "boot_id": "b1",
    "uptime_s": 4,
    "owner": None,
    "clock_state": "unset",
}


class Peer:
    """A WebSocket client with a router's certificate."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, **message):
        await self.socket.send_json(message)

    async def hear(self):
        """The next message, or the close code when there is none."""
        frame = await self.socket.receive(timeout=PATIENCE_S)
        return frame.json() if frame.type is aiohttp.WSMsgType.TEXT else self.socket.close_code

    async def greet(self):
        await self.say(**HELLO)
        return await self.hear()


class HubRig:
    """A hub on a port, and peers for it."""

    def __init__(self, folder):
        self.folder = folder
        self.factory, self.cloud_ca = Authority("Factory"), Authority("Cloud")
        self.genuine = self.factory.router(SERIAL)
        self.registry = MemoryRegistry([DeviceRecord(SERIAL, self.genuine.fingerprint, OWNER)])
        self.edges, self.answers, self.resets = [], [], []
        self.releases, self.invites, self.notices, self.uninvites = [], [], [], []
        self.reports, self.results = [], []
        self.database_fails = False
        self.peers = aiohttp.ClientSession()

    async def start(self):
        callbacks = Callbacks(
            on_edge=self.edge,
            on_claim_answer=self.answer,
            on_reset=self.reset,
            on_release=self.release,
            on_invite=self.invite,
            on_uninvite=self.uninvite,
            on_notice=self.notice,
            on_report=self.report,
            on_result=self.result,
        )
        self.hub = DeviceHub(self.registry, callbacks)
        ca_file, _ = self.factory.write(self.folder, "factory")
        context = device_context(*self.cloud_ca.server("localhost").write(self.folder, "cloud"), ca_file)
        self.runner = await start_listener(self.hub, context, "127.0.0.1", 0)

    async def stop(self):
        await self.peers.close()
        await self.hub.close()
        await self.runner.cleanup()

    def need_database(self):
        if self.database_fails:
            raise OSError("no database")

    async def edge(self, serial_number, state, status):
        self.edges.append((state, status["owner"]))

    async def answer(self, serial_number, claim_id, approved):
        self.need_database()
        self.answers.append((serial_number, claim_id, approved))

    async def reset(self, serial_number):
        self.need_database()
        self.resets.append(serial_number)
        self.registry.records[serial_number] = DeviceRecord(serial_number, self.genuine.fingerprint)

    async def release(self, serial_number, account_id, undo_id):
        self.need_database()
        self.releases.append((serial_number, account_id, undo_id))

    async def notice(self, serial_number, notice):
        self.need_database()
        self.notices.append((serial_number, notice["notice_id"]))

    async def report(self, serial_number, report):
        self.need_database()
        self.reports.append((serial_number, report["report_id"], report["number"]))

    async def result(self, serial_number, result):
        self.need_database()
        self.results.append((serial_number, result["id"], result["ok"]))

    async def invite(self, serial_number, service_code):
        self.need_database()
        self.invites.append((serial_number, service_code))
        return {"link": "https://cloud.test/x", "expires_s": 600, "error": None}

    async def uninvite(self, serial_number):
        self.need_database()
        self.uninvites.append(serial_number)

    async def connect(self, credential=None, **options):
        ca_file, _ = self.cloud_ca.write(self.folder, "cloud_ca")
        context = ssl.create_default_context(cafile=ca_file)
        context.load_cert_chain(*(credential or self.genuine).write(self.folder, "peer"))
        url = f"wss://localhost:{self.runner.addresses[0][1]}{PATH}"
        options = {"protocols": (SUBPROTOCOL,), "max_msg_size": 0} | options
        return Peer(await self.peers.ws_connect(url, ssl=context, **options))

    async def until(self, found):
        """Wait until found() is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not found():
                await asyncio.sleep(0.01)

    async def welcomed(self):
        peer = await self.connect()
        await peer.greet()
        return peer

    def command(self, name="identify", timeout_s=PATIENCE_S):
        return asyncio.ensure_future(self.hub.command(SERIAL, name, {}, timeout_s))
