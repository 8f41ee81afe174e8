import unittest

from gatelodge.router.linux import LinuxRouter
from gatelodge.router.recent import LASTS_MS, Recent

from tests.fakes.clock import FakeClock

BOARD = {
    "model": "Test",
    "state_dir": "/",
    "interfaces": {"lan": "eth1", "wan": "eth0"},
    "lease_files": [],
    "resolv_files": [],
}


class TestRecent(unittest.TestCase):
    def setUp(self):
        self.clock = FakeClock()
        self.recent = Recent(self.clock.monotonic_ms)
        self.read = []

    def tell(self, name="facts"):
        return self.recent.told(name, lambda: self.read.append(name) or len(self.read))

    def test_within_a_moment_each_thing_is_read_once(self):
        self.assertEqual([self.tell(), self.tell("line"), self.tell(), self.tell("line")], [1, 2, 1, 2])

    def test_what_is_told_was_read_in_the_moment_that_is_told_of(self):
        self.tell()
        self.clock.pass_ms(LASTS_MS - 1)
        self.assertEqual((self.tell(), self.tell("line")), (1, 2))
        self.clock.pass_ms(1)
        self.assertEqual((self.tell("line"), self.tell()), (3, 4))

    def test_what_is_made_of_others_is_no_older_than_they_are(self):
        def made():
            return self.recent.told("text", lambda: f"text of {self.tell()}")

        self.tell()
        self.clock.pass_ms(LASTS_MS - 1)
        self.assertEqual(made(), "text of 1")
        self.clock.pass_ms(1)
        self.assertEqual(made(), "text of 2")

    def test_what_could_not_be_read_is_tried_again(self):
        def fail():
            raise OSError(5)

        with self.assertRaises(OSError):
            self.recent.told("facts", fail)
        self.assertEqual(self.tell(), 1)

    def test_nothing_is_held_once_it_is_forgotten(self):
        self.tell()
        self.recent.forget()
        self.assertEqual(self.recent._told, {})
        self.assertEqual(self.tell(), 2)


class TestLinux(unittest.TestCase):
    def test_the_kernel_is_asked_once_a_second_however_many_ask(self):
        clock, files = FakeClock(), {"loadavg": "0.50 0 0"}
        router = LinuxRouter(BOARD, monotonic_ms=clock.monotonic_ms, dump=list)
        router._read = lambda name: files.get(name, "")
        router._read_class = lambda interface, name: "up"
        asked = (router.facts, router.interfaces, router.internet, router.line, router.devices.now)
        before = [ask() for ask in asked]
        files.update({"loadavg": "0.75 0 0", "net/dev": "eth0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"})
        self.assertTrue(all(ask() is told for ask, told in zip(asked, before)))  # noqa: B905
        clock.pass_ms(LASTS_MS)
        self.assertEqual(router.facts()["load"][0], 0.75)
        self.assertEqual([one["name"] for one in router.interfaces()], ["eth0"])


if __name__ == "__main__":
    unittest.main()
