import unittest

from gatelodge.core.backoff import CAP_S, DEFAULT_WINDOW_S, Backoff

LOWEST, HIGHEST = b"\0\0\0\0", b"\xff\xff\xff\xff"


class Draws:
    """Random bytes of a fleet, the same in every run (a 32-bit linear congruential generator)."""

    def __init__(self, seed=1):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return self.state.to_bytes(4, "big")


def connects_per_second(routers, capacity, window_s, down_s):
    """Each second's attempts after a restart that takes down_s; what is over the capacity is refused.

    A router is one byte here, its count of attempts: a hundred thousand fit into a small heap.
    """
    draw, router, waiting, load = Draws(), Backoff(), {}, []
    router.welcomed(window_s)

    def call_again(attempts, now_s):
        router.attempts = attempts
        second = now_s + router.next_delay_ms(draw()) // 1000
        waiting.setdefault(second, bytearray()).append(router.attempts)

    for _ in range(routers):
        call_again(0, 0)
    while waiting:
        now_s = len(load)
        arrived = waiting.pop(now_s, b"")
        load.append(len(arrived))
        for attempts in arrived if now_s < down_s else arrived[capacity:]:
            call_again(attempts, now_s + 1)
    return load


def bounds_ms(window_s, attempts):
    backoff = Backoff()
    backoff.welcomed(window_s)
    backoff.attempts = attempts
    return backoff.bounds_ms()


class BackoffTest(unittest.TestCase):
    def test_the_first_attempt_is_anywhere_in_the_announced_window(self):
        for draw, delay in ((LOWEST, 0), (b"\x80\0\0\0", 150000), (HIGHEST, 299999)):
            backoff = Backoff()
            backoff.welcomed(300)
            self.assertEqual(backoff.next_delay_ms(draw), delay)

    def test_the_second_attempt_is_in_the_upper_half(self):
        self.assertEqual(bounds_ms(300, 1), (150000, 300000))

    def test_further_attempts_double_up_to_the_cap(self):
        highest = [bounds_ms(2, attempt)[1] for attempt in range(1, 7)]
        self.assertEqual(highest, [2000, 4000, 8000, 16000, 16000, 16000])
        self.assertEqual(bounds_ms(300, 5), (300000, CAP_S * 1000))

    def test_an_announced_window_beyond_the_cap_is_kept(self):
        self.assertEqual(bounds_ms(3600, 9), (1800000, 3600000))

    def test_a_year_of_attempts_stays_at_the_cap(self):
        self.assertEqual(bounds_ms(2, 10**6), bounds_ms(2, 9))

    def test_a_router_that_never_met_the_cloud_slows_down_to_the_widest_window(self):
        backoff = Backoff()
        for _ in range(20):
            backoff.next_delay_ms(LOWEST)
        self.assertEqual(backoff.bounds_ms(), (CAP_S * 500, CAP_S * 1000))

    def test_a_welcome_starts_over(self):
        backoff = Backoff()
        for _ in range(5):
            backoff.next_delay_ms(HIGHEST)
        backoff.welcomed(10)
        self.assertEqual(backoff.next_delay_ms(HIGHEST), 9999)

    def test_before_any_welcome_a_person_does_not_wait_long(self):
        self.assertEqual(Backoff().next_delay_ms(HIGHEST), DEFAULT_WINDOW_S * 1000 - 1)

    def test_a_fleet_returns_within_the_window_and_the_capacity(self):
        # A large fleet at a tenth: 500,000 routers, 2,000 connections a second, 300 s.
        load = connects_per_second(routers=50000, capacity=200, window_s=300, down_s=0)
        self.assertLess(max(load), 1.1 * 200)  # 0.9 and the greater scatter of a smaller fleet
        self.assertLess(sum(load), 1.01 * 50000)
        self.assertLess(len(load), 600)

    def test_a_fleet_that_met_a_dead_cloud_still_returns_without_a_storm(self):
        load = connects_per_second(routers=50000, capacity=200, window_s=300, down_s=60)
        self.assertLess(max(load[60:]), 1.5 * 200)
        self.assertLess(len(load), 900)


if __name__ == "__main__":
    unittest.main()
