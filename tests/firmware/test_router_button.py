import asyncio
import os
import struct
import unittest

from gatelodge import compat, log
from gatelodge.router import button
from gatelodge.router.button import Button

WPS, RESTART = 529, 408
KEY, SYNC = 1, 0


def event(code, value, kind=KEY):
    return struct.pack(button.EVENT, 1800000000, 0, kind, code, value)


class TestPresses(unittest.TestCase):
    def test_a_press_counts_once_however_long_it_is_held(self):
        data = event(WPS, 1) + event(0, 0, SYNC) + event(WPS, 2) * 5 + event(WPS, 0)
        self.assertEqual(button.presses(data, WPS), 1)

    def test_other_keys_and_other_kinds_of_events_do_not_count(self):
        self.assertEqual(button.presses(event(RESTART, 1) + event(WPS, 1, SYNC), WPS), 0)

    def test_what_is_cut_short_is_no_event(self):
        data = event(WPS, 1)
        for length in range(len(data)):
            self.assertEqual(button.presses(data[:length], WPS), 0)
        self.assertEqual(button.presses(data * 3 + data[:5], WPS), 3)


class TestButton(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        log.configure("/dev/null")

    def tearDown(self):
        log.configure()

    async def test_a_press_is_heard_and_a_device_that_goes_away_is_said_so(self):
        path = "/tmp/button-" + compat.entropy(8).hex()
        os.system("mkfifo " + path)
        heard = []
        try:
            os.system(f"sleep 0.2 > {path} &")  # a FIFO opens once both ends are there
            listening = asyncio.create_task(Button(path, WPS, lambda: heard.append(1)).run())
            await asyncio.sleep(0)
            with open(path, "wb") as device:
                device.write(event(WPS, 1) + event(WPS, 0))
                device.flush() if not compat.MICROPYTHON else None
            await asyncio.wait_for(listening, 10)
        finally:
            os.remove(path)
        self.assertEqual(heard, [1])
        self.assertIn("the button cannot be heard", log.lines()[-1])

    async def test_a_board_without_the_device_says_so_and_goes_on(self):
        await Button("/dev/input/no-such-event", WPS, self.fail).run()
        self.assertIn("check button.device", log.lines()[-1])


if __name__ == "__main__":
    unittest.main()
