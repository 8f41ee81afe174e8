"""An owner over a journal in memory, for the tests: clocks moved by hand, a phone with the authenticator."""

import unittest

from gatelodge import compat, store_keys
from gatelodge.contract import service_code
from gatelodge.core import base32, totp
from gatelodge.core.signin import Visitor
from gatelodge.owner.owner import Owner
from gatelodge.refusals import SigninError
from gatelodge.store import Store

from tests.fakes.crashing_files import CrashingFiles

CODE = service_code.generate(b"\x00\x44\x32\x14\xc7\x42\x54\xb6\x35\xcf")
OTHER_CODE = service_code.generate(b"\x01\x44\x32\x14\xc7\x42\x54\xb6\x35\xcf")
IDENTITY = {"serial_number": "GL-000123", "service_code": CODE}
PASSWORD = "lantern over quiet water"


def visitor(number):
    return Visitor(f"192.168.1.{number}", "Firefox on Linux", "")


HOME, LAPTOP, THIEF = visitor(2), visitor(3), visitor(66)


class Clocks:
    """The wall clock and the monotonic one, moved by hand."""

    def __init__(self):
        self.unix_s = 1800000000
        self.is_set = True
        self.is_disputed = False
        self.uptime_ms = 5000

    def now(self):
        return self.unix_s

    def floors(self):
        return {store_keys.CLOCK_FLOOR: self.unix_s, store_keys.CLOCK_PROVEN: self.unix_s}

    def monotonic_ms(self):
        return self.uptime_ms

    def wait(self, seconds):
        self.unix_s += seconds
        self.uptime_ms += seconds * 1000


class Router:
    """An Owner over a journal in memory that can be restarted, with a phone that holds the authenticator."""

    def __init__(self):
        self.files = CrashingFiles()
        self.clocks = Clocks()
        self.drawn = 0
        self.store = Store(self.files, "journal").open()
        self.store.put(store_keys.IDENTITY, IDENTITY)
        self.start()

    def start(self):
        self.owner = Owner(self.store, self.clocks, self.entropy, self.clocks.monotonic_ms, iterations=1)

    def restart(self, files=None):
        self.files = files or self.files
        self.store = Store(self.files, "journal").open()
        self.clocks.uptime_ms = 100
        self.start()

    def entropy(self, count):
        self.drawn += 1
        drawn = b""
        while len(drawn) < count:
            drawn += compat.sha256(b"%d/%d" % (self.drawn, len(drawn)))
        return drawn[:count]

    def phone(self, ahead_s=0):
        return totp.hotp(self.secret, totp.step_at(self.clocks.unix_s + ahead_s))

    def begin_setup(self):
        token = self.owner.setup.check_service_code(CODE, HOME)
        shown = self.owner.setup.begin_authenticator(token)
        self.secret = base32.decode(shown.secret)
        return token, shown.secret

    def set_up(self):
        token, secret = self.begin_setup()
        done = self.owner.setup.finish(token, PASSWORD, secret, self.phone(), "Phone", HOME)
        self.clocks.wait(30)
        return done

    def sign_in(self, client=HOME):
        token = self.owner.signing_in.password(PASSWORD, client)
        return self.owner.signing_in.code(token, self.phone(), client)


def refused(call, *arguments):
    """The SigninError that the call ends with."""
    try:
        call(*arguments)
    except SigninError as error:
        return error
    raise AssertionError("nothing was refused")


class OwnedRouter(unittest.TestCase):
    """Each test begins with a router that has an owner, who is at home."""

    def setUp(self):
        self.router = Router()
        self.setup = self.router.set_up()
        self.owner = self.router.owner
        self.clocks = self.router.clocks
