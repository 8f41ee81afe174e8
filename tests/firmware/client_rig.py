"""What the tests of the phone-home client share: it runs as a task, and is waited for, and stopped."""

import asyncio
import unittest


class ClientTest(unittest.IsolatedAsyncioTestCase):
    """The test sets self.cloud (tests/fakes/memory_cloud.py) and self.running, the client's task."""

    async def stop(self):
        # Again after a while: before CPython 3.12 wait_for swallows a cancellation that comes with a result.
        # Not at once: a second one while it says goodbye, in some turns of the loop, cuts that short.
        while not self.running.done():
            self.running.cancel()
            await self.ended()

    async def ended(self):
        for _ in range(50):
            if self.running.done():
                return
            await asyncio.sleep(0.001)

    async def until(self, condition):
        for _ in range(2000):
            if condition():
                return
            await asyncio.sleep(0.001)
        self.fail(f"it did not happen; heard: {self.cloud.heard}")
