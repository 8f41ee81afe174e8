import unittest

from gatelodge.router.host import HostRouter
from gatelodge.router.linux import LinuxRouter
from gatelodge.router.traffic import SAMPLES, Traffic

from tests.fakes.simulated_router import SimulatedRouter

BOARD = {
    "model": "Test",
    "state_dir": "/",
    "interfaces": {"lan": "eth1", "wan": "eth0"},
    "lease_files": ["/no/such/file"],
    "resolv_files": ["/no/such/file"],
}


class Line:
    """Counters and a clock that a test moves."""

    def __init__(self):
        self.ms = 0
        self.counters = (1000, 500)
        self.traffic = Traffic(lambda: self.counters, lambda: self.ms)
        self.traffic.sample()

    def step(self, received, sent, ms=2000):
        self.ms += ms
        self.counters = (self.counters[0] + received, self.counters[1] + sent)
        self.traffic.sample()


class TestTraffic(unittest.TestCase):
    def test_a_rate_is_bits_over_the_time_that_passed(self):
        line = Line()
        line.step(250_000, 25_000)
        line.step(250_000, 25_000, ms=2500)
        self.assertEqual(line.traffic.since(0), [(1_000_000, 100_000), (800_000, 80_000)])
        self.assertEqual(line.traffic.last, (800_000, 80_000))

    def test_a_longer_time_alone_fills_its_steps_with_the_mean(self):
        line = Line()
        line.step(1_250_000, 12_500, ms=10_000)
        self.assertEqual(line.traffic.since(0), [(1_000_000, 10_000)] * 5)
        line.step(0, 0, ms=3_600_000)
        self.assertEqual(line.traffic.since(0), [(0, 0)] * SAMPLES)

    def test_two_who_look_in_the_same_moment_make_one_step(self):
        line = Line()
        line.step(250_000, 0)
        line.step(50_000, 0, ms=400)
        self.assertEqual(line.traffic.count, 1)
        line.step(200_000, 0, ms=1600)
        self.assertEqual(line.traffic.since(0), [(1_000_000, 0)] * 2)

    def test_a_counter_that_starts_again_is_silence_not_a_flood(self):
        line = Line()
        line.counters = (0, 0)
        line.step(100, 100)
        self.assertEqual(line.traffic.last, (0, 0))

    def test_an_interface_that_goes_away_is_silence(self):
        line = Line()
        line.step(250_000, 0)
        line.counters = None
        line.ms += 2000
        line.traffic.sample()
        self.assertEqual(line.traffic.since(0), [(1_000_000, 0), (0, 0)])

    def test_the_ring_keeps_the_last_ten_minutes(self):
        line = Line()
        for step in range(SAMPLES + 5):
            line.step(250 * step, 0)
        kept = line.traffic.since(0)
        self.assertEqual(len(kept), SAMPLES)
        self.assertEqual(kept[0], (5 * 1000, 0))

    def test_only_what_is_new_is_given(self):
        line = Line()
        line.step(250, 0)
        count = line.traffic.count
        line.step(500, 0)
        self.assertEqual(line.traffic.since(count), [(2000, 0)])
        self.assertEqual(line.traffic.since(line.traffic.count), [])


class TestRouters(unittest.TestCase):
    def test_the_simulated_router_answers_in_the_same_shapes_as_a_real_one(self):
        real, simulated = LinuxRouter(BOARD), SimulatedRouter()
        for question in ("facts", "internet", "line"):
            self.assertEqual(sorted(getattr(real, question)()), sorted(getattr(simulated, question)()))
        self.assertEqual(sorted(real.facts()["memory"]), sorted(simulated.facts()["memory"]))
        for row in real.interfaces():
            self.assertEqual(sorted(row), sorted(simulated.interfaces()[0]))

    def test_a_simulated_router_can_have_a_past(self):
        self.assertEqual(len(SimulatedRouter().with_history().traffic.since(0)), SAMPLES)

    def test_reboot_writes_everything_first(self):
        ran = []
        router = LinuxRouter(BOARD, run=ran.append)
        router.reboot()
        router.power_off()
        self.assertEqual(ran, ["sync; reboot; sleep 30", "sync; poweroff; sleep 30"])

    def test_a_computer_in_the_routers_place_only_restarts_the_daemon(self):
        done = []
        router = HostRouter(
            BOARD, restart=lambda: done.append("restart"), stop=lambda: done.append("stop"), run=done.append
        )
        router.reboot()
        router.power_off()
        self.assertEqual(done, ["restart", "stop"])


if __name__ == "__main__":
    unittest.main()
