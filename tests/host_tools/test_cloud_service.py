"""`gatelodge cloud serve` as a process, over TLS, with the router's real client under MicroPython."""

import asyncio
import base64
import json
import os
import re
import signal
import socket
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest
from gatelodge.contract import service_code

from host_tools.cloud.routers.registry import service_code_hash
from tests.fakes.authority import Authority
from tests.host_tools.cloud_rig import CODE_KEY, CSRF, PERSON, free_port

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = os.environ.get("MICROPYTHON") or str(ROOT / "build/micropython/bin/micropython")
SERIAL = "GL-0001"
CODE = service_code.generate(b"\x07" * 10)
PATIENCE_S = 30


async def until(attempt, what):
    """Repeat until it returns something true; an unanswered connection counts as false."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if value := await attempt():
                    return value
            except (aiohttp.ClientConnectionError, FileNotFoundError, ssl.SSLError):
                pass  # not up yet: the deadline above ends this
            await asyncio.sleep(0.1)


class Cloud:
    """A process, its log, and one browser."""

    def __init__(self, folder):
        self.folder, self.data = folder, folder / "data"
        self.port, self.device_port = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.log_path = folder / "cloud.log"
        self.factory = Authority("Factory")
        self.factory.write(folder, "factory-ca")
        (folder / "service_code.key").write_bytes(CODE_KEY)

    async def start(self, *options):
        command = [sys.executable, "-m", "host_tools.cli", "cloud", "serve", "--data", str(self.data)]
        command += ["--port", str(self.port), "--device-port", str(self.device_port)]
        command += [
            "--devices",
            str(self.folder / "devices.jsonl"),
            "--factory-ca",
            str(self.folder / "factory-ca.pem"),
        ]
        command += ["--service-code-key", str(self.folder / "service_code.key"), *options]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"}
        with self.log_path.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=log)

    async def browse(self):
        """Wait until it is ready; the browser trusts its own authority and nothing else."""

        async def ready():
            context = ssl.create_default_context(cafile=str(self.data / "cloud-ca.pem"))
            self.browser = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
            try:
                async with self.browser.get(self.url + "/health") as answer:
                    return answer.status == 200
            except (aiohttp.ClientConnectionError, ssl.SSLError):
                await self.browser.close()
                raise

        await until(ready, "the cloud")

    async def get(self, path):
        async with self.browser.get(self.url + path) as answer:
            return await answer.text()

    async def post(self, path, form_page=None, **fields):
        token = CSRF.search(await self.get(form_page or path))[1]
        async with self.browser.post(self.url + path, data={"csrf": token, **fields}) as answer:
            return await answer.text()

    async def stop(self):
        """SIGTERM, and the exit status within the promised time."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 3)

    def log(self):
        return self.log_path.read_text()


@pytest.fixture
async def cloud(tmp_path):
    cloud = Cloud(tmp_path)
    yield cloud
    if getattr(cloud, "browser", None):
        await cloud.browser.close()
    if cloud.process.returncode is None:
        cloud.process.kill()
        await cloud.process.wait()


async def sign_up(cloud):
    await cloud.post("/sign-up", **{**PERSON, "email": "ada@example.org"})
    await until(lambda: has_mail(cloud), "the mail")
    code = re.search(r"Your code is (\d{6})", await cloud.get("/outbox.json"))[1]
    return await cloud.post("/confirm", code=code)


async def has_mail(cloud, count=1):
    return len(json.loads(await cloud.get("/outbox.json"))) >= count


def make_router(cloud, answer):
    """What the factory leaves: a line in its records, and the router's own files.

    Returns the router's command.
    """
    credential = cloud.factory.router(SERIAL)
    record = {"serial_number": SERIAL, "model": "Lodge One", "made_at": 1795000000}
    record |= {
        "service_code_hash": service_code_hash(CODE_KEY, CODE),
        "certificate_fingerprint": credential.fingerprint,
    }
    (cloud.folder / "devices.jsonl").write_text(json.dumps(record) + "\n")
    ca_der = ssl.PEM_cert_to_DER_cert((cloud.data / "cloud-ca.pem").read_text())
    ders = {"cloud_ca": ca_der, "certificate": credential.certificate_der, "key": credential.key_der}
    config = {name: base64.b64encode(der).decode() for name, der in ders.items()}
    config |= {"serial_number": SERIAL, "host": "127.0.0.1", "port": cloud.device_port, "answer": answer}
    config |= {"server_name": "cloud.gatelodge.internal", "store": str(cloud.folder / "journal")}
    (cloud.folder / "router.json").write_text(json.dumps({**config, "tells": str(cloud.folder / "tells")}))
    return (MICROPYTHON, "tests/fakes/phone_home.py", str(cloud.folder / "router.json"))


async def power_on(cloud, command):
    environment = {**os.environ, "MICROPYPATH": "firmware:.frozen"}
    with (cloud.folder / "router.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stderr=log)


async def says(cloud, path, words):
    async def look():
        text = await cloud.get(path)
        return text if words in text else None

    return await until(look, words)


async def test_a_router_is_registered_restarted_and_back(cloud):
    await cloud.start("--development")
    await cloud.browse()
    await sign_up(cloud)
    command = make_router(cloud, answer=True)
    router = await power_on(cloud, command)
    try:
        await cloud.post("/routers/register", service_code=CODE)
        await says(cloud, f"/routers/{SERIAL}", "Online")
        await cloud.post(f"/routers/{SERIAL}/restart")
        assert await asyncio.wait_for(router.wait(), PATIENCE_S) == 64
        router = await power_on(cloud, command)
        assert "Online" in await says(cloud, f"/routers/{SERIAL}", "Restarted, and back after")
    finally:
        if router.returncode is None:
            router.kill()
            await router.wait()
    assert await cloud.stop() == 0
    assert CODE not in cloud.log() and "@example" not in cloud.log()


async def test_a_malformed_request_leaves_nothing_of_itself_in_the_log(cloud):
    await cloud.start("--development")
    await cloud.browse()
    context = ssl.create_default_context(cafile=str(cloud.data / "cloud-ca.pem"))
    for head in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-cloud-session=SECRET\x01\r\n\r\n",
        b"GET /confirm/link/SECRET\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"SECRET\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("localhost", cloud.port, ssl=context)
        writer.write(head)
        assert b" 400 " in await reader.readline()
        writer.close()
    assert await cloud.stop() == 0
    assert "SECRET" not in cloud.log() and "Traceback" not in cloud.log()


async def test_sigterm_ends_it_in_time_with_a_live_page_open(cloud):
    await cloud.start("--development")
    await cloud.browse()
    await sign_up(cloud)
    async with cloud.browser.get(cloud.url + "/routers/live") as live:
        assert live.headers["Content-Type"] == "text/event-stream"
        assert await cloud.stop() == 0


async def test_the_sites_at_their_own_ports_are_entered_by_the_accounts_session(cloud):
    port, portal = free_port(), free_port()
    await cloud.start("--development", "--help-port", str(port), "--portal-port", str(portal))
    await cloud.browse()
    await sign_up(cloud)

    async def entered():
        async with cloud.browser.get(f"https://localhost:{port}/help") as answer:
            return answer.url.port == port and "Write to support" in await answer.text()

    await until(entered, "the help centre")
    async with cloud.browser.get(cloud.url + "/help/new") as answer:
        assert str(answer.url) == f"https://localhost:{port}/help/new"
    async with cloud.browser.get(cloud.url + "/routers/register") as answer:
        assert str(answer.url) == f"https://localhost:{portal}/routers/register"
    assert await cloud.stop() == 0
    assert "code=" not in cloud.log() and "Traceback" not in cloud.log()


async def test_accounts_outlive_a_restart(cloud):
    await cloud.start("--development")
    await cloud.browse()
    await sign_up(cloud)
    await cloud.stop()
    await cloud.browser.close()
    await cloud.start("--development")
    await cloud.browse()
    fields = {"email": "ada@example.org", "password": PERSON["password"]}
    await cloud.post("/sign-in", **fields)
    await cloud.post("/sign-in/method", form_page="/sign-in/code", method="mail")
    await until(lambda: has_mail(cloud, 2), "the second mail")
    code = re.search(r"Your code is (\d{6})", await cloud.get("/outbox.json"))[1]
    await cloud.post("/sign-in/code", code=code)
    assert "My routers" in await cloud.get("/routers")


async def test_a_taken_port_is_one_sentence_with_its_own_exit_status(cloud):
    with socket.create_server(("127.0.0.1", cloud.port)):
        await cloud.start("--development")
        assert await asyncio.wait_for(cloud.process.wait(), PATIENCE_S) == 11
    last = cloud.log().splitlines()[-1]
    assert last.startswith("gatelodge: port ") and "--port" in last


async def test_a_second_cloud_on_the_same_data_does_not_start(cloud):
    await cloud.start("--development")
    await cloud.browse()
    first, cloud.port, cloud.device_port = cloud.process, free_port(), free_port()
    await cloud.start("--development")
    assert await asyncio.wait_for(cloud.process.wait(), PATIENCE_S) == 16
    assert "another cloud is running" in cloud.log()
    cloud.process = first
    assert await cloud.stop() == 0


async def test_without_a_way_to_send_mail_it_does_not_start(cloud):
    await cloud.start()
    assert await asyncio.wait_for(cloud.process.wait(), PATIENCE_S) == 2
    assert "--smtp" in cloud.log()
