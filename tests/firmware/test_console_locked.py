import asyncio
import unittest

from gatelodge import log
from gatelodge.console import console as console_module
from gatelodge.console import locked
from gatelodge.console.console import Console
from gatelodge.console.locked import LockedConsole
from gatelodge.contract.stages import LOCKED_SENTENCE

REFUSAL = ("\r\n" + LOCKED_SENTENCE + "\r\n> ").encode()


STATUS = [("model", "Test"), ("serial_number", "GL2647000001")]


class Desk:
    """The owner's words, which note what they were told."""

    def __init__(self):
        self.told = []

    def actions(self):
        return {
            "unlock": lambda: self.said("unlock"),
            "recover": lambda password: self.said(password),
            "reset": lambda serial_number: self.said(serial_number),
            "restart": lambda: self.said("restart"),
        }

    def said(self, what):
        self.told.append(what)
        return ["It is done."]


class Locked(unittest.TestCase):
    def setUp(self):
        self.desk = Desk()
        self.console = LockedConsole(lambda: STATUS, self.desk.actions())

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

    def test_a_word_without_an_action_does_not_exist(self):
        bare = LockedConsole(lambda: STATUS)
        self.assertIn(REFUSAL, bare.received(b"unlock\r"))
        self.assertNotIn(b"unlock", bare.received(b"\rhelp\r"))

    def test_words_that_ask_nothing_are_done_at_once(self):
        for word in (b"unlock", b"restart"):
            self.assertEqual(self.console.received(word + b"\r"), word + b"\r\nIt is done.\r\n> ")
        self.assertEqual(self.desk.told, ["unlock", "restart"])

    def test_the_password_is_asked_for_and_typed_unseen(self):
        self.assertEqual(self.console.received(b"recover\r\n"), b"recover\r\nPassword: ")
        self.assertTrue(self.console.is_asking)
        self.assertEqual(self.console.received(b"lant\x7fern"), b"")
        self.assertEqual(self.console.received(b"\r"), b"\r\nIt is done.\r\n> ")
        self.assertEqual(self.desk.told, ["lanern"])
        self.assertFalse(self.console.is_asking)

    def test_a_password_is_utf_8_and_case_and_spaces_count(self):
        password = " Größe \u2713 " + "x" * 100
        self.console.received(b"recover\r" + password.encode() + b"\r")
        self.assertEqual(self.desk.told, [password])

    def test_bytes_that_are_no_text_are_no_password(self):
        self.assertIn(locked.NOTHING_DONE.encode(), self.console.received(b"recover\r\xff\xfe\r"))
        self.assertEqual(self.desk.told, [])

    def test_the_serial_number_is_asked_for_and_shown(self):
        self.assertIn(b"Type the serial number", self.console.received(b"reset\r"))
        self.assertEqual(self.console.received(b"GL-1"), b"GL-1")
        self.console.received(b"\r")
        self.assertEqual(self.desk.told, ["GL-1"])

    def test_an_empty_answer_and_ctrl_c_change_nothing(self):
        for end in (b"\r", b"  \r", b"secret\x03"):
            sent = self.console.received(b"recover\r" + end)
            self.assertEqual(sent[-4 - len(locked.NOTHING_DONE) :], locked.NOTHING_DONE.encode() + b"\r\n> ")
            self.assertFalse(self.console.is_asking)
        self.assertEqual(self.desk.told, [])

    def test_a_knock_for_a_repl_ends_the_question(self):
        self.console.received(b"recover\r")
        self.assertEqual(self.console.received(b"sec\x01ret\r"), REFUSAL + b"ret")
        self.assertEqual(self.desk.told, [])

    def test_a_piece_gets_a_few_commands_done_and_no_more(self):
        for flood in (b"unlock\r" * 1000, b"help\r" * 1000, b"recover\rx\r" * 1000, b"reset\r\x03" * 1000):
            self.desk.told = []
            console = LockedConsole(lambda: STATUS, self.desk.actions())
            self.assertLess(len(console.received(flood)), 2000)
            self.assertLessEqual(len(self.desk.told), locked.COMMANDS_PER_PIECE)

    def test_a_hidden_answer_is_bounded(self):
        self.console.received(b"recover\r")
        self.assertEqual(self.console.received(b"x" * 10000), b"")
        self.console.received(b"\r")
        self.assertEqual(len(self.desk.told[0]), locked.HIDDEN_LIMIT)

    def test_the_answer_may_come_byte_by_byte(self):
        for byte in b"recover\r\nsecret\r\nstatus\r\n":
            self.console.received(bytes([byte]))
        self.assertEqual(self.desk.told, ["secret"])

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

    def change_speed(self, baud):
        pass


class FactoryBench:
    banner = "a bench"
    is_locked = False
    ran = ()

    @property
    def closing(self):
        return "locked" if self.is_locked else None

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


class Owned(FactoryBench):
    is_locked = True


class Silence(unittest.IsolatedAsyncioTestCase):
    async def test_a_question_that_nobody_answers_is_over_after_a_while(self):
        line, patience = Line(b"recover\r"), console_module.ANSWER_MS
        console_module.ANSWER_MS = 20
        task = asyncio.create_task(Console(line, Owned(), list, list, Desk().actions()).run())
        try:
            for _ in range(500):
                if locked.NOTHING_DONE.encode() in line.written:
                    break
                await asyncio.sleep(0.01)
        finally:
            console_module.ANSWER_MS = patience
            task.cancel()
        self.assertIn(b"Password: \r\n" + locked.NOTHING_DONE.encode(), line.written)


if __name__ == "__main__":
    unittest.main()
