"""The admin page alone, for tests and for working on it: all real but the router and the cloud.

    micropython tests/fakes/admin_page.py PORT DIRECTORY [quick]

DIRECTORY holds certificate.der and key.der of the server and takes the store. `quick` makes password
hashing cheap, for tests. Runs under MicroPython with firmware/ and the checkout on MICROPYPATH, and obeys
lines on stdin:
    cut | join                the internet's wire
    fail QUESTION | heal      a question to the router that raises from then on
    online | offline | owned  the cloud
    deaf                      it does not answer who asks for a link, nor hear of a release
    claim                     somebody wants to register this router
    unset [DAYS] | set        the clock; unset, it stands that many days ago; set, by the cloud
    doubt DAYS                network time, proved by nobody, has set it to that many days ago
    later SECONDS             sessions and proofs age
    guess | press             a hundred wrong passwords; the router's button
    damage                    the history cannot be read any more
    talk                      long lines in the log
    alone                     nobody else in the network
    crowd                     64 devices, with long names
    name TEXT                 what the laptop calls itself
"""

import asyncio
import sys

from gatelodge import compat, log, store_keys
from gatelodge.contract import service_code
from gatelodge.contract.errors import StateError
from gatelodge.core import heap
from gatelodge.core.presence import BUTTON
from gatelodge.core.signin import Visitor
from gatelodge.core.throttle import CLOSED_FROM
from gatelodge.owner.owner import Owner
from gatelodge.owner.updates import Place
from gatelodge.power import Power
from gatelodge.store import FlashFiles, Store
from gatelodge.streams import listener
from gatelodge.streams.stream import server_context
from gatelodge.tasks import Tasks
from gatelodge.web import app

from tests.fakes import bundles
from tests.fakes.simulated_router import SimulatedRouter

SERVICE_CODE = service_code.generate(bytes(range(10)))
CHEAP_ITERATIONS = 10
CLAIM_S = 300


class SetClock:
    """A clock that network time has set, until it is told otherwise. It is `behind_s` late."""

    is_set = True
    is_disputed = False
    source = "sntp"
    behind_s = 0

    @property
    def state(self):
        return {"floor": "unset", "two codes": "proven"}.get(self.source, "synced")

    @property
    def is_doubtful(self):
        return self.source == "sntp" or self.is_disputed

    @property
    def takes_two_codes(self):
        return self.source in ("floor", "sntp") or self.is_disputed

    def now(self):
        return int(compat.wall_time()) - self.behind_s

    def earliest(self):
        return int(compat.wall_time()) - abs(self.behind_s)

    def floors(self):
        return {store_keys.CLOCK_FLOOR: self.now(), store_keys.CLOCK_PROVEN: self.earliest()}

    def lose(self, behind_s):
        self.is_set, self.source, self.behind_s = False, "floor", behind_s

    def doubt(self, behind_s):
        self.is_set, self.source, self.behind_s = True, "sntp", behind_s

    def set(self, unix_s, source):
        self.is_disputed = source == "two codes" and self.is_set and bool(self.behind_s)
        self.is_set, self.source, self.behind_s = True, source, 0
        return True


class SimulatedCloud:
    def __init__(self, clock):
        self._clock = clock
        self.claim = self.invitation = None
        self.hears = True
        self.state = {"state": "online", "since": clock.now(), "owner": None, "last_error": None}
        self.state["releasing"] = False

    def ask(self):
        account = {"name": "Ada Lovelace", "email": "ada@example.org"}
        expires = self._clock.now() + CLAIM_S
        self.claim = {"claim_id": "c1", "account": account, "number": "482913", "expires_at": expires}

    def answer_claim(self, claim_id, approved):
        if self.claim is None or self.claim["claim_id"] != claim_id:
            raise StateError("no such claim")
        self.own(self.claim["account"] if approved else None)
        self.claim = None

    def invite(self):
        link = "https://localhost:8444/routers/invited#7K3M-9QWX-2B4N-T8RC-V5HD-0ZJE-6GPS"
        told = {"state": "open", "link": link, "error": None, "expires_s": 599}
        self.invitation = told if self.hears else dict(told, state="asked", link=None)

    def uninvite(self):
        self.invitation = None

    def release(self):
        if self.state["owner"] is None:
            raise StateError("This router belongs to no account.")
        self.own(None)
        self.state["releasing"] = not self.hears

    def be_deaf(self):
        self.hears = False

    def own(self, account):
        self.state["owner"] = dict(account, account_id="a1") if account else None

    def turn(self, state, error=None):
        self.state.update({"state": state, "since": self._clock.now(), "last_error": error})


class Play:
    """The parts, and what a line on stdin does to them."""

    def __init__(self, directory, quick):
        compat.makedirs(directory + "/flash/slots")
        self.clock = SetClock()
        self.router = SimulatedRouter().with_history()
        self.cloud = SimulatedCloud(self.clock)
        self.store = Store(FlashFiles(), directory + "/store")
        self.store.open()
        identity = {
            "serial_number": "GL26A0000042",
            "model": "qemu-virt-aarch64",
            "service_code": SERVICE_CODE,
        }
        self.store.put(store_keys.IDENTITY, identity)
        self.ahead_ms = 0
        iterations = CHEAP_ITERATIONS if quick else None
        owner = Owner(self.store, self.clock, compat.entropy, self._monotonic_ms, iterations)
        self.owner = owner
        owner.has_button = True
        root = app.__file__.rsplit("/", 2)[0]
        power = Power(self.router, Tasks("power"), self._end, owner.reset.wipe)
        parts = (owner, self.clock, self.router, self.cloud, identity)
        place = Place(directory + "/flash", "a", "0.1.0", bundles.RELEASE_KEY, lambda: 60_000)
        updates = owner.updates(place)
        updates.settle()
        self.web = app.build(*parts, "0.1.0", ["gatelodge.home"], root, power, updates)
        for number in range(60):
            log.info("link", "heartbeat %d was answered", number)
        log.warning("clock", "<b>network time</b> is late")

    def obey(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "fail":
            self.router.fail = rest
        elif word == "unset":
            self.clock.lose(86400 * int(rest or 0))
        elif word == "doubt":
            self.clock.doubt(86400 * int(rest))
        elif word == "name":
            self.router.call_laptop(rest)
        elif word == "later":
            self.ahead_ms += int(rest) * 1000
        elif word in self.verbs:
            self.verbs[word](self)
        else:
            print("unknown:", word)

    def _monotonic_ms(self):
        return compat.monotonic_ms() + self.ahead_ms

    def _talk(self):
        """The log gets lines as long as it takes."""
        for _ in range(60):
            log.info("link", "%s", "x" * 2000)

    def _guess(self):
        """From the browser's own address, so often that presence is needed."""
        thief = Visitor("127.0.0.1", "a script", "")
        for _ in range(CLOSED_FROM):
            self.owner._keeper.count_failure("password", thief, "wrong password")

    def _press(self):
        self.owner.grant_presence(BUTTON)

    def _damage(self):
        self.store.put(store_keys.HISTORY_COUNT, "no number")

    def _end(self, last_act):
        """The process ends, as the daemon would; whoever started it may start it again."""
        log.warning("play", "%s", "the daemon starts again" if last_act is None else "the router goes down")
        raise SystemExit(0)

    def _heal(self):
        self.router.fail = None

    def _alone(self):
        self.router.be_alone()

    verbs = {
        "cut": lambda self: self.router.cut_wire(),
        "join": lambda self: self.router.join_wire(),
        "heal": _heal,
        "damage": _damage,
        "guess": _guess,
        "press": _press,
        "talk": _talk,
        "online": lambda self: self.cloud.turn("online"),
        "offline": lambda self: self.cloud.turn("offline", "the cloud's certificate is not trusted"),
        "owned": lambda self: self.cloud.own({"name": "Ada Lovelace", "email": "ada@example.org"}),
        "deaf": lambda self: self.cloud.be_deaf(),
        "claim": lambda self: self.cloud.ask(),
        "set": lambda self: self.clock.set(0, "cloud"),
        "alone": _alone,
        "crowd": lambda self: self.router.fill_house(),
    }


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


async def serve(port, directory, quick):
    tasks = Tasks("play")
    play = Play(directory, quick)
    context = server_context(read_file(directory + "/certificate.der"), read_file(directory + "/key.der"))
    accepting = await listener.serve(
        "127.0.0.1",
        port,
        play.web.handle,
        tls_context=context,
        max_connections=heap.connections(compat.heap_bytes()),
        handshake_timeout_ms=10000,
        owner=tasks,
        known=play.owner.clients,
    )
    tasks.start(play.router.traffic.run(), "traffic")
    print("ready", SERVICE_CODE)
    stdin = asyncio.StreamReader(sys.stdin)
    while True:
        line = await stdin.readline()
        if not line:
            break
        play.obey(str(line, "utf-8"))
        print("ok")
    accepting.close()
    await tasks.close()


if __name__ == "__main__":
    log.configure(with_debug=True)
    compat.collect_every(heap.garbage(compat.heap_bytes()))  # as the daemon does
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], "quick" in sys.argv[3:]))
