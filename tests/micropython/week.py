"""A week of a home in minutes: the whole daemon on MicroPython, in quick time, with its TLS, store and log.

    micropython tests/micropython/week.py DIRECTORY TERMINAL HTTPS_PORT HTTP_PORT DAYS VISITS PAUSE_S EVENTS

DIRECTORY holds certificate.der and key.der, and takes the store and the log. TERMINAL is the serial line.
A day is so many visits of the owner, each PAUSE_S after the other and with a live page of so many EVENTS, and
NIGHT_S. After it one line on stdout tells in JSON what is held once everybody has left.
"""

import gc


def held():
    """Bytes of the heap that are in use."""
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


# What is this test's own, and not the daemon's: it is loaded apart from that, and counted.
own = held()

import asyncio  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

from gatelodge import compat  # noqa: E402

own -= held()

from tests.fakes import quick_time  # noqa: E402

own += held()
quick_time.begin(time.time())  # before the modules below take the clock

from binascii import b2a_base64  # noqa: E402

from gatelodge import daemon, log, store_keys  # noqa: E402
from gatelodge.cloud.client import CloudClient  # noqa: E402
from gatelodge.compat import json  # noqa: E402
from gatelodge.contract import service_code  # noqa: E402
from gatelodge.core import heap  # noqa: E402
from gatelodge.store import FlashFiles, Store  # noqa: E402

own -= held()

from tests.fakes.memory_cloud import MemoryCloud  # noqa: E402
from tests.micropython.browser import Browser, Phone  # noqa: E402

own += held()

PASSWORD = "lantern over quiet water"
UNSIGNED = b"\xff" * 8192
CODE = service_code.generate(bytes(range(10)))
PAGES = ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about")
LANGUAGES = ("en", "ru", "tr", "de")
NIGHT_S = 1800  # sessions and connections have ended then
STRANGERS = 10  # after each visit
# Of the factory alone, or loaded for one answer.
SELDOM = ("console.bench", "console.blank", "contract.board", "contract.provisioning", "core.new_password")
SELDOM += ("core.commonest", "core.qr", "web.openapi", "web.shapes", "cloud.diagnostics", "owner.updating")


class Cloud(MemoryCloud):
    """The account's end of the link. It remembers nothing, and its clock is right."""

    reports = 0

    def ask(self, day):
        """For the router's diagnostics: support wants to see them."""
        args = {"report_id": f"r{day}", "account_id": "a1"}
        self.say({"type": "command", "id": f"d{day}", "name": "diagnostics", "args": args})

    def hear(self, message):
        now = {"time_ms": int(quick_time.wall_time() * 1000)}
        self.welcome.update(now)
        super().hear(message)
        if message["type"] == "heartbeat":
            self.say(dict(now, type="heartbeat_ack", seq=message["seq"]))
        self.reports += message["type"] == "report"
        self.heard.clear()


class WeekDaemon(daemon.Daemon):
    """The daemon with a cloud in memory, passwords that cost nothing, and a home that lives with it."""

    def __init__(self, root, board, boot, life):
        super().__init__(root, board, boot)
        self._owner._keeper._iterations = 10
        self.memory_cloud = Cloud()
        self.memory_cloud.welcome["owner"] = {"account_id": "a1", "name": "Ada", "email": "ada@home.test"}
        self._life = life

    def _make_cloud(self, identity, key):
        commands = {"reboot": self._on_reboot, "diagnostics": self._on_diagnostics}
        commands["undo"] = self._on_undo
        stream = self.memory_cloud.open_stream
        return CloudClient(identity, stream, self._clock, self._store, self._facts, commands, compat.entropy)

    async def _start_services(self):
        await super()._start_services()
        self._tasks.start(self._live(), "the home")

    async def _live(self):
        await self._life.run(self.memory_cloud)
        self.exit_with(daemon.STOP)
        self._end(None)


class Boot:
    slot, version = "a", "0.1.0"

    def confirm(self):
        pass


class Life:
    def __init__(self, port, days, visits, pause_s, events):
        self._port = port
        self._days = days
        self._visits = visits
        self._pause_s = pause_s
        self._events = events
        self._strangers = 0

    async def run(self, cloud):
        await self._set_up()
        self._fill_what_is_bounded()
        for day in range(1, self._days + 1):
            for visit in range(self._visits):
                await self._visit(visit)
                await self._guess()
                cloud.cut()
                await asyncio.sleep(self._pause_s)
            cloud.ask(day)
            await asyncio.sleep(NIGHT_S)
            assert cloud.reports >= 8 * day, cloud.reports
            print(json.dumps(self._held(day)))

    async def _set_up(self):
        browser = self._browser = Browser(self._port, "127.0.0.1")
        await browser.post("/api/setup/service-code", service_code=CODE)
        secret = (await browser.post("/api/setup/authenticator"))[1]["secret"]
        self._phone = Phone(secret)
        form = {"password": PASSWORD, "secret": secret, "code": self._phone.code(), "name": "Phone"}
        self._expect(await browser.post("/api/setup/finish", **form))
        browser.leave()

    def _fill_what_is_bounded(self):
        """So that the first day is as the others: a router has long had its fill of lines."""
        for number in range(log.KEPT_LINES):
            log.info("week", "line %d from before %s", number, "x" * 60)

    async def _visit(self, number):
        """Every other one from a browser that is trusted; then each page, in one language or another."""
        browser = self._browser
        await asyncio.sleep(60)  # codes of the last visit are over
        self._expect(await browser.post("/api/sign-in/password", password=PASSWORD))
        if number % 3 == 0:
            browser.cookies.pop("__Host-trust", None)
            self._expect(await browser.post("/api/sign-in/password", password=PASSWORD))
            self._expect(await browser.post("/api/sign-in/code", code=self._phone.code(), trust="yes"))
        browser.cookies["__Host-language"] = LANGUAGES[number % len(LANGUAGES)]
        for path in PAGES + ("/api/openapi.json", "/api/log", "/api/traffic", "/system/log.txt"):
            self._expect(await browser.get(path))
        await browser.watch("/live?page=overview", self._events)
        await self._change(number)
        browser.leave()

    async def _change(self, number):
        """A token that comes and goes, a backup, and an update that nobody has signed."""
        browser = self._browser
        await browser.know_token()
        await browser.post("/api/prove", proof=self._phone.code())
        form = {"name": f"Program {number}", "scopes": "status:read", "lifetime": "30"}
        self._expect(await browser.post("/api/security/token/create", **form))
        tokens = (await browser.get("/security"))[1].split('data-post="/api/security/token/revoke"')
        for part in tokens[1:]:
            token = part.split('name="id" value="')[1].split('"')[0]
            self._expect(await browser.post("/api/security/token/revoke", id=token))
        words = {"password": "nine quiet herons", "again": "nine quiet herons"}
        self._expect(await browser.post("/api/system/backup", **words))
        status, answer = await browser.send("/api/system/firmware/bundle", UNSIGNED)
        assert (status, answer["error"]["field"]) == (422, "bundle"), answer

    async def _guess(self):
        """Strangers, each from an address of its own, with a password that is wrong."""
        for _ in range(STRANGERS):
            self._strangers += 1
            address = f"127.{1 + self._strangers // 250}.{self._strangers % 250}.2"
            stranger = Browser(self._port, address)
            status, _answer = await stranger.post("/api/sign-in/password", password="x" * 12)
            assert status in (422, 429), status
            stranger.leave()

    def _expect(self, answer):
        assert answer[0] == 200, answer

    def _held(self, day):
        seldom = [name for name in SELDOM if "gatelodge." + name in sys.modules]
        descriptors = len(os.listdir("/proc/self/fd"))
        return {"day": day, "alloc": held() - own, "descriptors": descriptors, "seldom": seldom}


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def provision(directory):
    """The store of a router that has left the factory."""
    compat.makedirs(directory + "/state")
    store = Store(FlashFiles(), directory + "/state/journal").open()
    certificate = b2a_base64(read_file(directory + "/certificate.der")).decode().strip()
    identity = {"serial_number": "GL26A0000042", "model": "host", "service_code": CODE}
    identity["admin_certificate"] = identity["cloud_ca"] = identity["device_certificate"] = certificate
    identity["cloud"] = {"host": "127.0.0.1", "port": 9, "server_name": "cloud.test"}
    identity["ntp"] = [["127.0.0.1", 9]]
    key = b2a_base64(read_file(directory + "/key.der")).decode().strip()
    store.put_many({store_keys.IDENTITY: identity, store_keys.DEVICE_KEY: key, store_keys.LOCKED: True})
    store.close()


def board_of(directory, terminal, ports):
    with open("boards/host/board.json") as file:
        board = json.loads(file.read())
    board["log_path"] = directory + "/log"
    board["console"] = {"kind": "tty", "device": terminal}
    board["web"].update({"https_port": ports[0], "http_port": ports[1]})
    return daemon.checked(board)


def main(directory, terminal, *numbers):
    provision(directory)
    compat.collect_every(heap.garbage(compat.heap_bytes()))
    board, life = board_of(directory, terminal, numbers[:2]), Life(numbers[0], *numbers[2:])
    return asyncio.run(WeekDaemon(directory, board, Boot(), life).run())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *[int(text) for text in sys.argv[3:]]))
