import asyncio
import unittest

from gatelodge import log, power
from gatelodge.power import Power
from gatelodge.tasks import Tasks


class Router:
    def reboot(self):
        """The machine goes down."""

    def power_off(self):
        """The machine goes down."""


class TestPower(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        log.configure("/dev/null")
        self.router, self.tasks, self.ended, self.wiped = Router(), Tasks("test"), [], []
        self.power = Power(self.router, self.tasks, self.ended.append, self.wiped.append)
        self.last_words_s, power.LAST_WORDS_S = power.LAST_WORDS_S, 0.02

    def tearDown(self):
        power.LAST_WORDS_S = self.last_words_s
        log.configure()

    async def end(self):
        for _ in range(500):
            if self.ended:
                return
            await asyncio.sleep(0.01)

    async def test_the_router_goes_down_after_the_answer_and_never_before(self):
        for act, last_act in (("restart", self.router.reboot), ("power_off", self.router.power_off)):
            self.ended.clear()
            getattr(self.power, act)("a test")
            self.assertEqual(self.ended, [])
            await self.end()
            self.assertEqual(self.ended, [last_act])
            self.assertIn("asked by a test", log.lines()[-1])

    async def test_a_reset_is_done_at_once_and_the_daemon_starts_again_after_the_answer(self):
        self.power.reset("a test")
        self.assertEqual((self.wiped, self.ended), (["a test"], []))
        await self.end()
        self.assertEqual(self.ended, [None])


if __name__ == "__main__":
    unittest.main()
