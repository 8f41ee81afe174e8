"""Sleeping on a descriptor with a deadline, as compat offers it on both interpreters."""

import asyncio
import socket
import unittest

from gatelodge import compat

HOST = "127.0.0.1"


class Pair:
    """Two sockets that are connected with each other."""

    def __init__(self):
        listener, address = listen()
        self.theirs = socket.socket()
        self.theirs.connect(address)
        self.ours = listener.accept()[0]
        self.ours.setblocking(False)
        listener.close()

    def close(self):
        compat.wake(self.ours)
        self.ours.close()
        self.theirs.close()


def listen():
    """A listener and its address. MicroPython does not tell which port 0 has become; others take some."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for attempts_left in range(20, -1, -1):
        port = 30000 + int.from_bytes(compat.entropy(2), "big") % 20000
        address = socket.getaddrinfo(HOST, port)[0][-1]
        try:
            listener.bind(address)
            break
        except OSError:
            if not attempts_left:
                raise
    listener.listen(1)
    return listener, address


def in_ms(count):
    return compat.monotonic_ms() + count


class IoQueueTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.pair = Pair()

    async def asyncTearDown(self):
        self.pair.close()

    async def test_a_deadline_ends_a_wait_and_not_before(self):
        began = compat.monotonic_ms()
        await compat.wait_readable(self.pair.ours, began + 30)
        self.assertGreaterEqual(compat.monotonic_ms(), began + 30)

    async def test_what_comes_ends_a_wait_before_its_deadline(self):
        began = compat.monotonic_ms()
        for _ in range(3):  # the second wait finds the socket known already
            self.pair.theirs.send(b"x")
            await compat.wait_readable(self.pair.ours, began + 60_000)
            self.assertEqual(self.pair.ours.recv(9), b"x")
        self.assertLess(compat.monotonic_ms(), began + 60_000)

    async def test_who_answers_for_a_sleeper_wakes_it_by_saying_so(self):
        told = bytearray()

        def answer():
            told.extend(self.pair.ours.recv(9))
            return in_ms(60_000) if len(told) < 3 else None

        async def ask():
            for _ in range(3):
                self.pair.theirs.send(b"x")
                await asyncio.sleep(0.02)

        asking = asyncio.create_task(ask())
        await compat.wait_readable(self.pair.ours, in_ms(60_000), answer)
        while not compat.MICROPYTHON and answer():  # elsewhere each event wakes the sleeper itself
            await compat.wait_readable(self.pair.ours, in_ms(60_000), answer)
        await asking
        self.assertEqual(bytes(told), b"xxx")

    async def test_who_answers_may_end_another_sleepers_wait(self):
        other = Pair()

        def answer():
            self.pair.ours.recv(9)
            compat.wake(other.ours)

        async def sleep():
            await compat.wait_readable(other.ours, in_ms(60_000))

        sleeping = asyncio.create_task(sleep())
        await asyncio.sleep(0)
        self.pair.theirs.send(b"x")
        other.theirs.send(b"x")
        await compat.wait_readable(self.pair.ours, in_ms(60_000), answer)
        compat.MICROPYTHON or answer()
        await sleeping
        other.close()

    async def test_who_answers_may_wake_a_task_that_sleeps_on_no_descriptor(self):
        """While no timer runs: only the sleeper's deadline would end the poller's sleep."""
        began, told = compat.monotonic_ms(), asyncio.Event()

        def answer():
            self.pair.ours.recv(9)
            told.set()
            return in_ms(60_000)

        async def sleep():
            await compat.wait_readable(self.pair.ours, in_ms(60_000), answer)

        sleeping = asyncio.create_task(sleep())
        await asyncio.sleep(0)
        self.pair.theirs.send(b"x")
        compat.MICROPYTHON or answer()
        await told.wait()
        self.assertLess(compat.monotonic_ms(), began + 60_000)
        sleeping.cancel()

    async def test_a_peer_that_leaves_ends_a_wait(self):
        self.pair.theirs.close()
        await compat.wait_readable(self.pair.ours, in_ms(60_000))
        self.assertEqual(self.pair.ours.recv(9), b"")

    async def test_each_of_two_sleepers_has_its_own_deadline(self):
        other = Pair()
        woken = []

        async def sleep(pair, ms):
            await compat.wait_readable(pair.ours, in_ms(ms))
            woken.append(ms)

        tasks = [asyncio.create_task(sleep(self.pair, 200)), asyncio.create_task(sleep(other, 20))]
        for task in tasks:
            await task
        other.close()
        self.assertEqual(woken, [20, 200])

    async def test_a_cancelled_sleeper_is_forgotten(self):
        async def sleep():
            await compat.wait_readable(self.pair.ours, in_ms(60_000))

        task = asyncio.create_task(sleep())
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
            self.fail("it was not cancelled")
        except asyncio.CancelledError:
            pass
        self.pair.theirs.send(b"x")
        await compat.wait_readable(self.pair.ours, in_ms(60_000))
        self.assertEqual(self.pair.ours.recv(9), b"x")

    async def test_a_line_that_hung_up_while_nobody_listens_keeps_no_processor_busy(self):
        """After a wait the socket stays known: its hanging up is an event that nobody takes."""
        self.pair.theirs.send(b"x")
        await compat.wait_readable(self.pair.ours, in_ms(60_000))
        self.pair.ours.recv(9)
        self.pair.theirs.close()
        await asyncio.sleep(0.05)
        await compat.wait_readable(self.pair.ours, in_ms(60_000))
        self.assertEqual(self.pair.ours.recv(9), b"")


if __name__ == "__main__":
    unittest.main()
