import asyncio
import unittest

from gatelodge import log
from gatelodge.console import locked
from gatelodge.console.console import Console
from gatelodge.console.locked import LockedConsole
from gatelodge.contract.provisioning import LOCKED_SENTENCE

REFUSAL = ("\r\n" + LOCKED_SENTENCE + "\r\n> ").encode()


class Locked(unittest.TestCase):
    def setUp(self):
        self.console = LockedConsole(lambda: [("model", "Test"), ("serial_number", "GL2647000001")])

    def test_it_greets_with_the_refusal(self):
        self.assertEqual(self.console.start(), (LOCKED_SENTENCE + "\r\n> ").encode())

    def test_status_tells_what_it_was_given(self):
        sent = self.console.received(b"status\r")
        self.assertEqual(sent, b"status\r\nmodel: Test\r\nserial_number: GL2647000001\r\n> ")

    def test_help_names_every_command(self):
        sent = self.console.received(b"help\n").decode()
        for name in locked.COMMANDS:
            self.assertIn(name, sent)

    def test_every_way_into_a_repl_is_refused(self):
        for attempt in (b"\x01", b"\x05A\x01", b"\x02", b"\x04", b"\x05", b"\r\x03\x03\x01", b"print(1)\r"):
            sent = LockedConsole(list).received(attempt)
            self.assertIn(REFUSAL, sent)
            self.assertNotIn(b"raw REPL", sent)

    def test_a_line_is_read_byte_by_byte_too(self):
        sent = b""
        for byte in b"stx\x7fatus\r\n":
            sent += self.console.received(bytes([byte]))
        self.assertIn(b"model: Test", sent)

    def test_a_flood_is_not_amplified(self):
        for flood in (b"\x03" * 10000, b"\x01" * 10000, b"\r" * 10000, b"\x04\x05" * 5000):
            self.assertLess(len(self.console.received(flood)), 100)

    def test_a_line_is_bounded(self):
        sent = self.console.received(b"x" * 10000 + b"\r")
        self.assertLess(len(sent), locked.LINE_LIMIT + 60)

    def test_garbage_is_answered_and_the_next_line_read(self):
        self.console.received(bytes(range(256)))
        self.assertIn(b"model: Test", self.console.received(b"\x03status\r"))

    def test_ctrl_c_forgets_the_line(self):
        self.assertIn(b"model: Test", self.console.received(b"xyz\x03status\r"))


class Line:
    """A terminal whose host sends these pieces and then nothing more."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.written = b""

    def listen(self):
        """Bytes are bytes."""

    def run_code(self, for_a_person):
        """Ctrl-C would interrupt."""

    async def read(self):
        if not self.pieces:
            await asyncio.Event().wait()
        return self.pieces.pop(0)

    async def write(self, data):
        self.written += data

    def write_now(self, data):
        self.written += data


class FactoryBench:
    banner = "a bench"
    is_locked = False
    ran = ()

    def lock(self):
        self.is_locked = True


class LockingIt(unittest.IsolatedAsyncioTestCase):
    async def test_code_that_came_in_one_piece_with_the_lock_does_not_run(self):
        log.configure("/dev/null")
        bench = FactoryBench()
        line = Line(b"\x01bench.ran = 1\x04bench.lock()\x04bench.ran = 2\x04\x04bench.ran = 3\x04")
        restarted = asyncio.Event()
        task = asyncio.create_task(Console(line, bench, list, lambda reason: restarted.set()).run())
        await asyncio.wait_for(restarted.wait(), 5)
        task.cancel()
        log.configure()
        self.assertEqual(bench.ran, 1)
        self.assertEqual(line.written.count(b"OK"), 2)
        self.assertNotIn(b"soft reboot", line.written)
        self.assertIn(LOCKED_SENTENCE.encode(), line.written)


if __name__ == "__main__":
    unittest.main()
