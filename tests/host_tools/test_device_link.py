"""The router's real client under MicroPython against the cloud's real hub: mutual TLS on the loopback."""

import asyncio
import base64
import json
import logging
import os
import time
from pathlib import Path

import pytest
from gatelodge import store_keys
from gatelodge.contract.errors import MessageError
from gatelodge.store import FlashFiles, Store

from host_tools.cloud.devices.callbacks import Callbacks
from host_tools.cloud.devices.commands import DeviceOffline
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.devices.listener import start_listener
from host_tools.cloud.devices.registry import DeviceRecord, MemoryRegistry
from host_tools.cloud.devices.timing import HubSettings
from host_tools.cloud.devices.tls import device_context
from tests.fakes.authority import Authority

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = os.environ.get("MICROPYTHON") or str(ROOT / "build/micropython/bin/micropython")
SERIAL = "GL-0001"
SERVER_NAME = "cloud.test"
PATIENCE_S = 20  # a loaded machine; each wait ends as soon as what it waits for is there
ACCOUNT = {"name": "Ada", "email": "ada@example.org"}
CLAIM = {"claim_id": "k1", "account": ACCOUNT, "number": "482913", "expires_s": 300}
OWNER = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}


async def until(found, what):
    """Wait until found() is true, and return what it gave."""
    end = time.monotonic() + PATIENCE_S
    while not (result := found()):
        assert time.monotonic() < end, f"not within {PATIENCE_S} s: {what()}"
        await asyncio.sleep(0.02)
    return result


class Cloud:
    """The hub with its listener; `restart` keeps the port, as a restarted node does."""

    def __init__(self, folder, factory, authority):
        self.registry = MemoryRegistry()
        self.edges, self.answers, self.resets, self.releases = [], [], [], []
        self.port = 0
        ca_file, _ = factory.write(folder, "factory")
        self._context_files = (*authority.server(SERVER_NAME).write(folder, "cloud"), ca_file)

    async def start(self):
        settings = HubSettings(heartbeat_s=1, reconnect_window_s=1)
        callbacks = Callbacks(
            on_edge=self._edge,
            on_claim_answer=self._answer,
            on_reset=self._reset,
            on_release=self._release,
        )
        self.hub = DeviceHub(self.registry, callbacks, settings)
        context = device_context(*self._context_files)
        self.runner = await start_listener(self.hub, context, "127.0.0.1", self.port)
        self.port = self.runner.addresses[0][1]

    async def stop(self):
        await self.hub.close()
        await self.runner.cleanup()

    async def _edge(self, serial_number, state, status):
        self.edges.append(state)

    async def _answer(self, serial_number, claim_id, approved):
        self.answers.append((serial_number, claim_id, approved))

    async def _reset(self, serial_number):
        self.resets.append(serial_number)

    async def _release(self, serial_number, account_id, _undo_id):
        self.releases.append((serial_number, account_id))
        await self.hub.set_owner(serial_number, None)

    async def online(self, router):
        await until(lambda: self.hub.online(SERIAL), router.log)


class Router:
    """A process of tests/fakes/phone_home.py, with its flash in a folder."""

    def __init__(self, folder, cloud, cloud_ca, credential, answer=None, releases=False):
        self.tells, self.log_path = folder / "tells", folder / "log"
        self.tells.touch()
        shown = {"certificate": credential.certificate_der, "key": credential.key_der}
        ders = {"cloud_ca": cloud_ca.certificate_der, **shown}
        config = {name: base64.b64encode(der).decode() for name, der in ders.items()}
        config |= {"serial_number": SERIAL, "host": "127.0.0.1", "port": cloud.port}
        config |= {"server_name": SERVER_NAME, "store": str(folder / "journal")}
        config |= {"tells": str(self.tells), "answer": answer, "releases": releases}
        self.config_path = folder / "config.json"
        self.config_path.write_text(json.dumps(config))

    async def start(self):
        environment = {**os.environ, "MICROPYPATH": "firmware:.frozen"}
        with self.log_path.open("ab") as log:
            command = (MICROPYTHON, "tests/fakes/phone_home.py", str(self.config_path))
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=environment, stderr=log
            )

    async def stop(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def log(self):
        return self.log_path.read_text()

    @property
    def state(self):
        return self.told("state")[-1] if self.told("state") else {}

    def told(self, key):
        events = [json.loads(line) for line in self.tells.read_text().splitlines()]
        return [event[key] for event in events if key in event]


@pytest.fixture
def factory():
    return Authority("Factory")


@pytest.fixture
def cloud_ca():
    return Authority("Cloud")


@pytest.fixture
async def cloud(tmp_path, factory, cloud_ca):
    cloud = Cloud(tmp_path, factory, cloud_ca)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def run_router(tmp_path, cloud, cloud_ca, factory):
    """Starts a router that the factory reported; `ca` and `credential` replace what it trusts and shows."""
    started = []

    async def run(answer=None, ca=cloud_ca, credential=None, releases=False):
        genuine = factory.router(SERIAL)
        cloud.registry.records[SERIAL] = DeviceRecord(SERIAL, genuine.fingerprint)
        router = Router(tmp_path, cloud, ca, credential or genuine, answer, releases)
        started.append(router)
        await router.start()
        return router

    yield run
    for router in started:
        await router.stop()


async def test_a_router_connects_and_is_told_the_time(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    assert (await until(lambda: router.told("clock"), router.log)) == ["cloud"]
    assert router.told("error_s")[0] <= 2
    assert cloud.hub.online_serials() == [SERIAL]


async def test_heartbeats_bring_the_routers_facts(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    status = await until(lambda: "load" in cloud.hub.online(SERIAL) and cloud.hub.online(SERIAL), router.log)
    assert (status["firmware"], status["load"], status["wan_up"]) == ("0.1.0", 0.25, True)


async def test_a_reset_router_says_so_once(cloud, run_router, tmp_path):
    journal = Store(FlashFiles(), str(tmp_path / "journal")).open()
    journal.put(store_keys.CLOUD_RESET, "r1")
    journal.close()
    router = await run_router()
    await cloud.online(router)
    await until(lambda: "was reset" in router.log(), router.log)
    await router.stop()
    await router.start()
    await until(lambda: cloud.edges.count("online") + cloud.edges.count("changed") == 2, router.log)
    assert cloud.resets == [SERIAL]


async def test_a_command_runs_and_its_value_comes_back(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    assert await cloud.hub.command(SERIAL, "identify", {}, PATIENCE_S) == {"lights": 3}


async def test_a_reboot_answers_after_the_router_is_back(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    rebooting = asyncio.ensure_future(cloud.hub.command(SERIAL, "reboot", {}, PATIENCE_S))
    assert await asyncio.wait_for(router.process.wait(), PATIENCE_S) == 64
    assert not rebooting.done()
    await router.start()
    assert await rebooting == {}
    assert router.told("ran") == ["reboot"]


async def test_a_repeated_id_is_not_run_twice(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    message = {"type": "command", "id": "same", "name": "identify", "args": {}}
    for _ in range(2):
        await cloud.hub._sessions[SERIAL].send(message)
    await cloud.hub.command(SERIAL, "identify", {}, PATIENCE_S)
    assert router.told("ran") == ["identify", "identify"]


async def test_an_offline_router_takes_no_command(cloud):
    with pytest.raises(DeviceOffline):
        await cloud.hub.command(SERIAL, "identify", {}, PATIENCE_S)


async def test_a_router_returns_after_the_cloud_restarts(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    await cloud.stop()
    await until(lambda: "the cloud said goodbye: the cloud restarts" in router.log(), router.log)
    await cloud.start()
    await cloud.online(router)
    assert cloud.edges == ["online", "offline", "online"]


async def test_a_router_returns_after_the_cloud_died(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    for session in list(cloud.hub._all):
        session.socket._req.transport.abort()
    await until(lambda: router.state["state"] == "offline", router.log)
    await cloud.online(router)


@pytest.mark.parametrize("approved", [True, False])
async def test_the_owners_answer_to_a_claim_reaches_the_cloud(cloud, run_router, approved):
    router = await run_router(answer=approved)
    await cloud.online(router)
    await cloud.hub.start_claim(SERIAL, CLAIM)
    await until(lambda: cloud.answers, router.log)
    assert cloud.answers == [(SERIAL, "k1", approved)]
    assert router.told("claim")[0]["number"] == "482913"


async def test_a_cancelled_claim_is_not_shown(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    await cloud.hub.start_claim(SERIAL, CLAIM)
    shown = len(router.told("claim"))
    await cloud.hub.cancel_claim(SERIAL, "k1")
    await cloud.hub.command(SERIAL, "identify", {}, PATIENCE_S)
    assert (shown, len(router.told("claim"))) == (1, 1)


async def test_a_new_owner_is_told_at_once_and_kept(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    assert await cloud.hub.set_owner(SERIAL, OWNER)
    await until(lambda: router.state.get("owner") == OWNER, router.log)
    assert cloud.hub.online(SERIAL)["owner"] == "a1"


async def test_a_command_without_its_argument_is_refused_before_it_is_sent(cloud, run_router):
    router = await run_router()
    await cloud.online(router)
    with pytest.raises(MessageError, match="claim.claim_id is missing"):
        await cloud.hub.command(SERIAL, "claim", {}, PATIENCE_S)


async def test_an_impostor_is_refused_and_both_logs_say_so(cloud, run_router, caplog):
    caplog.set_level(logging.INFO)
    router = await run_router(credential=Authority("Factory").router(SERIAL))
    await until(lambda: "the cloud refused this router's certificate" in router.log(), router.log)
    await until(lambda: "its certificate is not one of the factory's" in caplog.text, router.log)
    assert cloud.hub.online_serials() == []


async def test_a_release_on_the_routers_page_reaches_the_cloud_once(cloud, run_router):
    router = await run_router(releases=True)
    await cloud.online(router)
    await cloud.hub.set_owner(SERIAL, OWNER)
    await until(lambda: router.state.get("releasing") is False and cloud.releases, router.log)
    assert cloud.releases == [(SERIAL, "a1")]
    assert router.state["owner"] is None


async def test_a_cloud_of_another_ca_is_refused_and_both_logs_say_so(cloud, run_router, caplog):
    caplog.set_level(logging.INFO)
    router = await run_router(ca=Authority("Cloud"))
    refused = "cloud refused: its certificate is not signed by the CA this router trusts"
    await until(lambda: refused in router.log(), router.log)
    await until(lambda: "a router was refused in the TLS handshake" in caplog.text, lambda: caplog.text)
    assert cloud.hub.online_serials() == []


async def test_a_genuine_router_that_was_revoked_hears_why(cloud, run_router):
    router = await run_router()
    cloud.registry.records[SERIAL] = DeviceRecord(SERIAL, "", revoked=True)
    await cloud.hub.disconnect(SERIAL, "revoked")
    await until(lambda: "this router's certificate was revoked" in router.log(), router.log)
