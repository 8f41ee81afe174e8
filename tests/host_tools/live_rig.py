"""The cloud as it is served: `gatelodge cloud serve` with the help centre, the portal and every carrier, and
people, routers and carriers around it, over the wire. Nothing of it is reached but by a port or a verb."""

import asyncio
import email
import email.policy
import itertools
import json
import re
import ssl
import time
from types import SimpleNamespace

import aiohttp
from aiohttp import ClientSession, CookieJar, FormData, TCPConnector
from gatelodge.contract import messages, service_code
from yarl import URL

from host_tools import cli, exit_codes
from host_tools.cloud import certificates
from host_tools.cloud.routers.registry import service_code_hash
from tests.fakes.push_service import PushService
from tests.fakes.telegram import BOT, Telegram
from tests.fakes.telegram import TOKEN as BOT_TOKEN
from tests.fakes.telephony import ACCOUNT, TOKEN, Telephony
from tests.host_tools.cloud_rig import CODE_KEY, PASSWORD, PATIENCE_S, Browser, Page, free_port
from tests.host_tools.smtp_rig import mail_server
from tests.host_tools.test_cloud_service import Cloud

SERVER_NAME = "cloud.gatelodge.internal"
HELLO = {
    "type": "hello", "model": "Lodge One", "firmware": "0.1.0", "boot_id": "b1", "uptime_s": 7, "owner": None,
    "clock_state": "synced", "reset": None,
}  # fmt: skip
SECRETS = {"telephony": TOKEN, "telegram": BOT_TOKEN}


class Live(Cloud):
    """`async with Live(folder) as live`: live.url, live.help_url, live.portal_url; live.browser(number)."""

    def __init__(self, folder):
        super().__init__(folder)
        self.help_port, self.portal_port = free_port(), free_port()
        self.help_url = f"https://localhost:{self.help_port}"
        self.portal_url = f"https://localhost:{self.portal_port}"
        self.server = SimpleNamespace(make_url=lambda path: URL(path if ":" in path else self.url + path))
        self.clock = time.time
        self._read, self._opened, self._routers = {}, [], []

    async def __aenter__(self):
        self.data.mkdir()
        certs = certificates.load_or_create(self.data)
        self._mail = mail_server()
        self.inbox = self._mail.__enter__()
        self.carrier, self.telegram = Telephony(), Telegram()
        self.pushes = PushService(certs.portal_context())
        for fake in (self.carrier, self.telegram, self.pushes):
            await fake.__aenter__()
        ports = ("--help-port", str(self.help_port), "--portal-port", str(self.portal_port))
        await self.start(*ports, "--delivery", str(self._delivery()), "--heartbeat", "1")
        await self.browse()
        self.trust = ssl.create_default_context(cafile=str(self.data / "cloud-ca.pem"))
        return self

    def _delivery(self):
        for name, secret in SECRETS.items():
            path = self.folder / f"{name}.token"
            path.touch(0o600)
            path.write_text(secret)
        sections = {
            "smtp": {"host": "127.0.0.1", "port": self.inbox.port, "security": "none"},
            "telephony": {"account": ACCOUNT, "token_file": "telephony.token", "api": self.carrier.url,
                          "sms_from": "+32460000000"},
            "telegram": {"bot": BOT, "token_file": "telegram.token", "api": self.telegram.url},
            "push": {"contact": "mailto:desk@example.org", "ca_file": str(self.data / "cloud-ca.pem"),
                     "services": [self.pushes.origin.removeprefix("https://"), ".push.example.org"]},
        }  # fmt: skip
        path = self.folder / "delivery.toml"
        lines = []
        for name, values in sections.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        path.write_text("\n".join(lines))
        return path

    async def __aexit__(self, *_):
        await asyncio.gather(*(each.hang_up() for each in self._routers))
        await asyncio.gather(*(each.close() for each in self._opened), self.browser_of_start.close())
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        for fake in (self.carrier, self.telegram, self.pushes):
            await fake.__aexit__()
        self._mail.__exit__(None, None, None)

    async def browse(self):
        await super().browse()
        self.browser_of_start = self.browser
        self.browser = self.new_browser

    def new_browser(self, number=1, **headers):
        """Of another computer, as far as the cloud can tell: throttles count for each by itself."""
        place = (f"127.0.0.{number}", 0)
        jar = CookieJar(unsafe=True, treat_as_secure_origin=[self.url, self.help_url, self.portal_url])
        connector = TCPConnector(ssl=self.trust, local_addr=place)
        session = ClientSession(cookie_jar=jar, headers=headers, connector=connector)
        self._opened.append(session)
        return Browser(self, session)

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not (value := condition()):
                await asyncio.sleep(0.02)
        return value

    async def mails(self, recipient):
        """Those that were not read before, the newest first; waits for one."""
        read = self._read.get(recipient, 0)
        found = await self.until(lambda: self._to(recipient)[read:])
        self._read[recipient] = read + len(found)
        return found[::-1]

    def _to(self, recipient):
        return [opened(each.content) for each in self.inbox.mails if recipient in each.rcpt_tos]

    async def give(self, who, role):
        """A role, by an operator."""
        words = ["cloud", "account", "--data", str(self.data), "--public-url", self.url, "role", who, role]
        assert await asyncio.to_thread(cli.main, words) == exit_codes.OK

    async def join(self, email, number, **changed):
        """Somebody who has just signed up, with changed fields of the form."""
        browser = self.browser(number, **changed.pop("headers", {}))
        await browser.sign_up(email, **changed)
        code = re.search(r"\b\d{6}\b", (await self.mails(email))[0].body)[0]
        page = await browser.post("/confirm", code=code)
        assert page.path == "/security/choose", page.text
        browser.email = email
        return browser

    async def enrol(self, browser):
        """A second factor, and a proof of just now. A code of the last seconds may be over when it comes."""
        left_s = 30 - time.time() % 30
        if left_s < 5:
            await asyncio.sleep(left_s)  # for the clock itself: no answer tells of it
        browser.totp, page = await browser.enrol()
        assert browser.codes, page.text

    async def make_router(self, serial_number, index, model="Lodge One"):
        """What the factory tells of it: (its credential, its service code)."""
        code, credential = service_code.generate(bytes([index] * 10)), self.factory.router(serial_number)
        record = {"serial_number": serial_number, "model": model, "made_at": 1795000000}
        record |= {"service_code_hash": service_code_hash(CODE_KEY, code)}
        record |= {"certificate_fingerprint": credential.fingerprint}
        with (self.folder / "devices.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
        return credential, code

    async def switch_on(self, serial_number, credential, **hello):
        """A router that says what we have it say."""
        context = ssl.create_default_context(cafile=str(self.data / "cloud-ca.pem"))
        context.load_cert_chain(*credential.write(self.folder, serial_number))
        http = ClientSession(connector=TCPConnector(ssl=context))
        self._opened.append(http)
        router = Router(serial_number, {**HELLO, "serial_number": serial_number, **hello})
        async with asyncio.timeout(PATIENCE_S):
            while router.socket is None:
                await router.connect(http, f"https://localhost:{self.device_port}{messages.PATH}")
        self._routers.append(router)
        return router


class Router:
    """A link of which we write every message. `heard` keeps the cloud's."""

    def __init__(self, serial_number, hello):
        self.serial_number, self.hello, self.socket, self.heard = serial_number, hello, None, []

    async def connect(self, http, url):
        """Once; the cloud may not have read of the router yet."""
        place = {"protocols": (messages.SUBPROTOCOL,), "server_hostname": SERVER_NAME}
        try:
            socket = await http.ws_connect(url, **place)
            await socket.send_json(self.hello)
            self.heard.append((await socket.receive()).json())
        except (aiohttp.ClientError, TypeError):  # refused, or closed
            await asyncio.sleep(0.1)
        else:
            self.socket, self.beating = socket, asyncio.create_task(self._beat())

    async def _beat(self):
        for seq in itertools.count(1):
            figures = {"uptime_s": 7, "load": 0.25, "memory_free_kb": 4096, "wan_up": True}
            await self.say("heartbeat", seq=seq, **figures)
            await asyncio.sleep(1)

    async def hang_up(self):
        self.beating.cancel()
        await self.socket.close()

    async def say(self, name, /, **fields):
        await self.socket.send_json({"type": name, **fields})

    async def hears(self, kind):
        """The next message of the type, or command of the name."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = json.loads((await self.socket.receive()).data)
                self.heard.append(message)
                if kind in (message["type"], message.get("name")):
                    return message

    async def agrees(self, approved=True):
        """Its owner, to the claim that the cloud shows on its page."""
        claim_id = (await self.hears("claim"))["args"]["claim_id"]
        await self.say("claim_answer", claim_id=claim_id, approved=approved)
        return await self.hears("owner" if approved else "claim_answer_ack")


def opened(content):
    """A mail as its reader sees it, with every line of its head."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    body = mail.get_body().get_content()
    return SimpleNamespace(subject=mail["Subject"], body=body, head=mail.items(), recipient=mail["To"])


async def send_form(browser, url, fields, files=(), field="files"):
    """A form with files as a browser sends it. files: triples of a name, content and type."""
    form = FormData(quote_fields=False, default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    for name, content, kind in files:
        form.add_field(field, content, filename=name, content_type=kind)
    async with browser._session.post(url, data=form) as answer:
        return Page(answer.status, answer.url, await answer.text(), answer.headers)


__all__ = ["PASSWORD", "Live", "Router", "send_form"]
