"""The whole portal in this process, with a database of its own, a clock that tests move, and browsers."""

import asyncio
import atexit
import functools
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyotp
from aiohttp import ClientSession, CookieJar, TCPConnector
from aiohttp.test_utils import TestServer
from gatelodge.contract import service_code

from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.pages.app import make_app
from host_tools.cloud.parts import build_parts
from host_tools.cloud.routers.registry import service_code_hash
from host_tools.cloud.service import join_hub
from host_tools.cloud.settings import Settings
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.secret_box import SecretBox
from tests.fakes.device_hub import FakeDeviceHub
from tests.host_tools.postgresql_rig import fresh_database

CODE_KEY = b"k" * 32
PASSWORD = "walnut tree by the gate"
PERSON = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "password": PASSWORD, "terms": "yes"}
PATIENCE_S = 60  # for a condition, on a computer that has much else to do
DATABASE = os.environ.get("DATABASE", "sqlite")  # or "postgresql": the same tests on the other one
_copies = set()  # URLs of databases that have the schema
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Clock:
    def __init__(self):
        self.now = float(int(time.time()) // 30 * 30 + 5)  # early in a step: a test's codes stay valid

    def __call__(self):
        return self.now


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@functools.cache
def database_url(folder, kind=DATABASE):
    """One database for each folder: a cloud that starts again there finds what it left."""
    if kind == "postgresql":
        url = fresh_database(_template(kind))
    else:
        folder.mkdir(exist_ok=True)
        shutil.copyfile(_template(kind), folder / "cloud.db")
        url = f"sqlite+aiosqlite:///{folder}/cloud.db"
    _copies.add(url)
    return url


@functools.cache
def _template(kind):
    """A database with the schema and nothing else, migrated once: every test's is a copy of it."""
    if kind == "postgresql":
        url = made = fresh_database()
    else:
        folder = tempfile.mkdtemp(prefix="gatelodge-cloud-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        made = Path(folder) / "cloud.db"
        url = f"sqlite+aiosqlite:///{made}"
    with ThreadPoolExecutor(1) as thread:  # a loop of its own: a test's is running here
        thread.submit(asyncio.run, _migrate(url)).result(PATIENCE_S)
    return made


async def _migrate(url):
    database = Database(url)
    await database.migrate()
    await database.close()


def settings(folder, **changed):
    known = {
        "data": folder, "bind": "127.0.0.1", "port": 0, "device_bind": "127.0.0.1", "device_port": 0,
        "public_url": "https://localhost:8444", "devices": folder / "devices.jsonl",
        "service_code_key": CODE_KEY, "factory_ca": None, "development": True,
    }  # fmt: skip
    if "database_url" not in changed:
        changed["database_url"] = database_url(folder)
    return Settings(**{**known, **changed})


class Rig:
    """`async with Rig(folder) as rig`: rig.parts, rig.hub (a fake), rig.clock, rig.browser().

    tls: the portal's context, for a browser that is not ours.
    """

    def __init__(self, folder: Path, tls=None, box=None, **changed):
        self.folder = folder
        self.box = box or SecretBox(b"m" * 32)
        self.tls = tls
        self.settings = settings(folder, **changed)
        self.clock = Clock()
        self._sessions = []

    async def __aenter__(self):
        database = Database(self.settings.database_url)
        if self.settings.database_url not in _copies:
            await database.migrate()
        hasher = Hasher(memory_kib=8, passes=1)
        self.parts = build_parts(self.settings, database, self.box, self.clock, hasher)
        self.parts.resets.soon_s = self.parts.entry.soon_s = 0  # a test waits for no moment that is drawn
        self.hub = join_hub(self.parts, FakeDeviceHub)
        self.parts.tasks.start(self.parts.post.run(), "post")
        place = {"scheme": "https" if self.tls else "http"}
        if self.settings.port:  # a test that needs to know the origin beforehand
            place |= {"port": self.settings.port, "host": self.settings.public_host}
        self.server = TestServer(make_app(self.parts), **place)
        await self.server.start_server(ssl=self.tls)
        return self

    async def __aexit__(self, *_):
        self.parts.stopping.set()
        self.parts.bus.publish_everywhere()
        for session in self._sessions:
            await session.close()
        await self.server.close()
        await self.parts.tasks.close()
        self.parts.hasher.close()
        await self.parts.database.close()

    def browser(self, **headers):
        jar = CookieJar(unsafe=True, treat_as_secure_origin=[self.server.make_url("/")])
        trust = ssl.create_default_context(cafile=self.folder / "cloud-ca.pem") if self.tls else True
        session = ClientSession(cookie_jar=jar, headers=headers, connector=TCPConnector(ssl=trust))
        self._sessions.append(session)
        return Browser(self, session)

    async def make_router(self, serial_number, index=1):
        """A router that the factory reported; returns its service code."""
        code = service_code.generate(bytes([index] * 10))
        record = {
            "serial_number": serial_number,
            "service_code_hash": service_code_hash(CODE_KEY, code),
            "certificate_fingerprint": hashlib.sha256(serial_number.encode()).hexdigest(),
            "model": "Lodge One",
            "made_at": 1795000000,
        }
        with self.settings.devices.open("a") as file:
            file.write(json.dumps(record) + "\n")
        await self.parts.registry.refresh()
        return code

    async def own_router(self, serial_number, browser, index=1):
        """A router that is online and belongs to the browser's account."""
        code = await self.make_router(serial_number, index)
        await self.hub.connect(serial_number)
        await browser.post("/routers/register", service_code=code)
        await self.until(lambda: serial_number in self.hub.claims)
        await self.hub.answer(serial_number, True)
        return code

    async def mails(self, recipient=None):
        """What was sent, the newest first; waits until nothing is queued."""
        await self.until(self.parts.post.idle)
        found = await self.parts.outbox.messages()
        return [mail for mail in found if recipient in (None, mail.recipient)]

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not (value := condition()):
                await asyncio.sleep(0.01)
        return value


class Page:
    def __init__(self, status, url, text, headers):
        self.status, self.url, self.text, self.headers = status, url, text, headers

    @property
    def path(self):
        return self.url.path

    @property
    def csrf(self):
        found = CSRF.search(self.text)
        return found[1] if found else ""


class Browser:
    """Follows redirects, keeps cookies, and posts with the token of the form's own page."""

    def __init__(self, rig, session):
        self._rig = rig
        self._session = session

    async def get(self, path, **options):
        """A link with a code is opened as the page's script opens it (pages/opened.py)."""
        if "#" in path:
            page, code = path.split("#")
            return await self.post(page, link_code=code)
        async with self._session.get(self._rig.server.make_url(path), **options) as answer:
            return Page(answer.status, answer.url, await answer.text(), answer.headers)

    async def post(self, path, form_page=None, headers=None, **fields):
        """form_page: where the form stands, when it is not at the address that takes it."""
        form = await self.get(form_page or path.partition("#")[0])
        return await self.post_raw(path, {"csrf": form.csrf, **fields}, headers)

    async def post_raw(self, path, fields, headers=None, rig=None, **options):
        """path: of a link with a code too, for the second form behind it.

        rig: another portal of the same cloud.
        """
        path, _, code = path.partition("#")
        fields = {**fields, "link_code": code, "doing": "yes"} if code else fields
        url = (rig or self._rig).server.make_url(path)
        async with self._session.post(url, data=fields, headers=headers, **options) as answer:
            return Page(answer.status, answer.url, await answer.text(), answer.headers)

    async def sign_up(self, email="ada@example.org", **changed):
        return await self.post("/sign-up", **{**PERSON, "email": email, **changed})

    async def join(self, email="ada@example.org"):
        """Signed up, confirmed by code, signed in."""
        await self.sign_up(email)
        mail = (await self._rig.mails(email))[0]
        return await self.post("/confirm", code=code_in(mail))

    async def enrol(self):
        """An authenticator, proved by the present code. Returns (its pyotp object, the page)."""
        page = await self.get("/security/authenticators/add")
        totp = pyotp.TOTP(re.search(r'id="key">([A-Z2-7 ]+)<', page.text)[1].replace(" ", ""))
        fields = {"name": "My phone", "code": totp.at(int(self._rig.clock())), "password": PASSWORD}
        page = await self.post("/security/authenticators/add", **fields)
        self.codes = re.findall(r"<li><code>([^<]+)<", page.text)
        return totp, page

    async def sign_in(self, email="ada@example.org", password=PASSWORD):
        return await self.post("/sign-in", email=email, password=password)

    async def enter(self, email="ada@example.org", password=PASSWORD):
        """Signed in from a browser that is not trusted: password, then a code by mail."""
        page = await self.sign_in(email, password)
        if page.path != "/sign-in/code":
            return page
        if 'name="method" value="mail"' in page.text:  # among the other ways
            await self.post("/sign-in/method", form_page="/sign-in/code", method="mail")
        code = code_in((await self._rig.mails(email))[0])
        return await self.post("/sign-in/code", code=code)

    async def prove(self, totp=None, password=PASSWORD):
        """In full, once more: the password, and the code of an authenticator where it is given."""
        form = "/security/prove"
        page = await self.post("/security/prove/password", form_page=form, password=password)
        if totp is not None:
            code = {"way": "authenticator", "code": totp.at(int(self._rig.clock()))}
            page = await self.post("/security/prove/code", form_page=form, **code)
        return page

    async def sign_out(self):
        return await self.post("/sign-out", form_page="/security")


def code_in(mail):
    """In whatever language the mail is."""
    return re.search(r"\b\d{6}\b", mail.body)[0]


def link_in(mail):
    return re.search(r"https://[^/]+(/confirm/link#\S+)", mail.body)[1]


def without_secrets(text):
    """A page without what must differ: form tokens, and a claim's own name, number and countdown."""
    text = CSRF.sub("csrf", text)
    text = re.sub(r"/routers/claims/[0-9a-f]+", "/routers/claims/ID", text)
    return re.sub(r"<strong>\d{3} \d{3}</strong>", "<strong>NUMBER</strong>", text)
