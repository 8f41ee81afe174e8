import unittest

from gatelodge.console import raw_repl
from gatelodge.console.raw_repl import EXECUTE, RESET, SEND, RawRepl

RAW = b"raw REPL; CTRL-B to exit\r\n>"


class Talk:
    """A host and a REPL: every code that arrives is kept, and answered with nothing."""

    def __init__(self):
        self.repl = RawRepl("a banner")
        self.code = []
        self.resets = 0

    def say(self, data):
        """Return what the REPL sends in answer to the bytes."""
        sent = b""
        for start in range(0, len(data), raw_repl.INPUT_LIMIT):
            self.repl.receive(data[start : start + raw_repl.INPUT_LIMIT])
            sent += self.listen()
        return sent

    def listen(self):
        sent = b""
        event = self.repl.next_event()
        while event is not None:
            if event.name == SEND:
                sent += event.data
            elif event.name == EXECUTE:
                sent += event.acknowledgement
                self.code.append((event.data, event.kind))
                self.repl.executed("")
            elif event.name == RESET:
                self.resets += 1
                self.repl.was_reset()
            event = self.repl.next_event()
        return sent


class Raw(unittest.TestCase):
    def setUp(self):
        self.talk = Talk()
        self.assertEqual(self.talk.say(b"\x01"), RAW)

    def test_code_is_acknowledged_and_ends_with_two_marks_and_a_prompt(self):
        self.assertEqual(self.talk.say(b"print(1)\x04"), b"OK\x04\x04>")
        self.assertEqual(self.talk.code, [(b"print(1)", raw_repl.FILE)])

    def test_code_arrives_byte_by_byte_as_it_does_at_once(self):
        sent = b""
        for byte in b"print(1)\x04":
            sent += self.talk.say(bytes([byte]))
        self.assertEqual(sent, b"OK\x04\x04>")
        self.assertEqual(self.talk.code, [(b"print(1)", raw_repl.FILE)])

    def test_every_byte_above_the_controls_is_data(self):
        data = bytes([b for b in range(256) if b not in (1, 2, 3, 4)])
        self.talk.say(data + b"\x04")
        self.assertEqual(self.talk.code[0][0], data)

    def test_ctrl_c_forgets_what_was_sent(self):
        self.talk.say(b"half\x03whole\x04")
        self.assertEqual(self.talk.code, [(b"whole", raw_repl.FILE)])

    def test_ctrl_d_alone_is_a_soft_reset_that_stays_raw(self):
        self.assertEqual(self.talk.say(b"\x04"), b"OK\r\nMPY: soft reboot\r\n" + RAW)
        self.assertEqual(self.talk.resets, 1)

    def test_ctrl_b_leads_to_the_friendly_prompt(self):
        self.assertEqual(self.talk.say(b"\x02"), b"\r\na banner\r\n>>> ")

    def test_ctrl_a_greets_again(self):
        self.assertEqual(self.talk.say(b"rest\x01"), RAW)
        self.assertEqual(self.talk.say(b"a\x04"), b"OK\x04\x04>")
        self.assertEqual(self.talk.code, [(b"a", raw_repl.FILE)])

    def test_an_error_stands_between_the_two_marks(self):
        self.talk.repl.executed("Traceback\nError: \n")
        self.assertEqual(self.talk.listen(), b"\x04Traceback\r\nError: \r\n\x04>")

    def test_code_beyond_the_limit_is_refused_and_the_next_one_taken(self):
        sent = self.talk.say(b"x" * (raw_repl.SOURCE_LIMIT + 1) + b"\x04")
        self.assertEqual(sent[:3], b"OK\x04")
        self.assertIn(b"MemoryError: this code is longer than 65536 bytes", sent)
        self.assertEqual(self.talk.say(b"a\x04"), b"OK\x04\x04>")
        self.assertEqual(self.talk.code, [(b"a", raw_repl.FILE)])

    def test_a_ctrl_c_behind_the_code_is_found_once(self):
        self.talk.repl.receive(b"code\x04ab\x03cd\x04")
        self.assertEqual(self.talk.repl.next_event().name, EXECUTE)
        self.assertTrue(self.talk.repl.take_interrupt())
        self.assertFalse(self.talk.repl.take_interrupt())
        self.talk.repl.executed("")
        self.talk.listen()
        self.assertEqual(self.talk.code, [(b"cd", raw_repl.FILE)])

    def test_input_beyond_the_limit_is_dropped(self):
        self.talk.repl.receive(b"x" * (raw_repl.INPUT_LIMIT + 100))
        self.assertEqual(self.talk.repl.room, 0)


class RawPaste(unittest.TestCase):
    def setUp(self):
        self.talk = Talk()
        self.talk.say(b"\x01")

    def enter(self):
        return self.talk.say(b"\x05A\x01")

    def test_entry_answers_with_the_window_and_a_second_credit(self):
        self.assertEqual(self.enter(), b"R\x01\x00\x02\x01")

    def test_another_command_is_not_supported(self):
        self.assertEqual(self.talk.say(b"\x05B\x01"), b"R\x00>")
        self.assertEqual(self.talk.say(b"a\x04"), b"OK\x04\x04>")

    def test_each_window_that_was_read_is_given_back(self):
        self.enter()
        self.assertEqual(self.talk.say(b"x" * (raw_repl.WINDOW - 1)), b"")
        self.assertEqual(self.talk.say(b"x"), b"\x01")
        self.assertEqual(self.talk.say(b"x" * (2 * raw_repl.WINDOW)), b"\x01\x01")

    def test_the_end_is_acknowledged_before_the_output(self):
        self.enter()
        self.assertEqual(self.talk.say(b"print(1)\x04"), b"\x04\x04\x04>")
        self.assertEqual(self.talk.code, [(b"print(1)", raw_repl.FILE)])

    def test_controls_but_two_are_data(self):
        data = bytes([b for b in range(256) if b not in (3, 4)])
        self.enter()
        self.talk.say(data + b"\x04")
        self.assertEqual(self.talk.code[0][0], data)

    def test_ctrl_c_ends_it_with_an_interrupt(self):
        self.enter()
        sent = self.talk.say(b"half\x03")
        self.assertEqual(sent, b"\x04\x04KeyboardInterrupt: \r\n\x04>")
        self.assertEqual(self.talk.say(b"a\x04"), b"OK\x04\x04>")
        self.assertEqual(self.talk.code, [(b"a", raw_repl.FILE)])

    def test_code_beyond_the_limit_stops_the_host_and_is_explained_after_its_answer(self):
        self.enter()
        sent = self.talk.say(b"x" * (raw_repl.SOURCE_LIMIT + raw_repl.WINDOW))
        self.assertEqual(sent.replace(b"\x01", b""), b"\x04")
        self.assertIn(b"MemoryError", self.talk.say(b"more\x04"))
        self.assertEqual(self.talk.code, [])
        self.assertEqual(self.talk.say(b"a\x04"), b"OK\x04\x04>")


class Friendly(unittest.TestCase):
    def setUp(self):
        self.talk = Talk()

    def test_it_greets(self):
        self.talk.repl.start()
        self.assertEqual(self.talk.listen(), b"a banner\r\n>>> ")

    def test_a_line_is_echoed_and_run(self):
        self.assertEqual(self.talk.say(b"1+1\r"), b"1+1\r\n>>> ")
        self.assertEqual(self.talk.code, [(b"1+1", raw_repl.SINGLE)])

    def test_return_and_newline_are_one_end(self):
        self.assertEqual(self.talk.say(b"\r\n"), b"\r\n>>> ")
        self.assertEqual(self.talk.say(b"\n"), b"\r\n>>> ")

    def test_what_mpremote_knocks_with_leads_to_raw(self):
        sent = self.talk.say(b"\r\x03\x03") + self.talk.say(b"\r\x01")
        self.assertEqual(sent[-len(RAW) :], RAW)

    def test_backspace_erases(self):
        self.assertEqual(self.talk.say(b"12\x7f\r"), b"12\b \b\r\n>>> ")
        self.assertEqual(self.talk.code, [(b"1", raw_repl.SINGLE)])

    def test_cursor_keys_are_swallowed(self):
        self.talk.say(b"a\x1b[Ab\x1b[1;5Cc\x1bOHd\x1bxe\r")
        self.assertEqual(self.talk.code, [(b"abcde", raw_repl.SINGLE)])

    def test_a_block_ends_with_an_empty_line(self):
        self.talk.say(b"if x:\r  y\r\r")
        self.assertEqual(self.talk.code, [(b"if x:\n  y\n\n", raw_repl.SINGLE)])

    def test_ctrl_c_forgets_the_line_and_the_block(self):
        self.talk.say(b"if x:\r  y\x03")
        self.talk.say(b"z\r")
        self.assertEqual(self.talk.code, [(b"z", raw_repl.SINGLE)])

    def test_ctrl_d_resets_on_an_empty_line_only(self):
        self.talk.say(b"a\x04")
        self.assertEqual(self.talk.resets, 0)
        self.talk.say(b"\x03")
        self.assertEqual(self.talk.say(b"\x04"), b"\r\nMPY: soft reboot\r\na banner\r\n>>> ")
        self.assertEqual(self.talk.resets, 1)

    def test_a_line_is_bounded(self):
        sent = self.talk.say(b"x" * 3000 + b"\r")
        self.assertEqual(len(self.talk.code[0][0]), raw_repl.LINE_LIMIT)
        self.assertLess(len(sent), raw_repl.LINE_LIMIT + 20)

    def test_paste_mode_runs_everything_at_once(self):
        sent = self.talk.say(b"\x05a\rb\x04")
        self.assertEqual(sent, raw_repl.PASTE_BANNER + b"a\r\n=== b\r\n>>> ")
        self.assertEqual(self.talk.code, [(b"a\nb", raw_repl.FILE)])

    def test_paste_mode_is_cancelled_with_ctrl_c(self):
        self.talk.say(b"\x05a\rb\x03")
        self.talk.say(b"c\r")
        self.assertEqual(self.talk.code, [(b"c", raw_repl.SINGLE)])

    def test_any_bytes_in_any_order_keep_it_alive(self):
        seed = 1
        for _ in range(200):
            data = bytearray()
            for _ in range(20):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                data.append(seed >> 16 & (0x07 if seed & 1 else 0xFF))
            self.talk.say(bytes(data))
        self.talk.say(b"\x04\x03\x02")
        self.assertEqual(self.talk.say(b"\x01"), RAW)


if __name__ == "__main__":
    unittest.main()
