"""MicroPython's REPL as tools speak it over a serial line, without the line: friendly, raw, raw-paste.

Source: MicroPython's reference manual, "The REPL", and the behaviour of its boards. What comes
in is bytes, what comes out is events:

    repl.receive(data)      # any cut of the input, at most INPUT_LIMIT bytes wait
    repl.next_event()       # None, or an Event:
        SEND                    write `data` to the line
        EXECUTE                 write `acknowledgement`, run `data`, then call repl.executed(...)
        RESET                   forget the namespace, then call repl.was_reset()

Call next_event only when the last one was carried out: what a host types while its code runs
waits, as in a board's input buffer. A Ctrl-C that came right behind the code is not lost:
`take_interrupt` tells of it.

Every (mode, control character) is a row of CONTROLS; other bytes are data in their mode.
"""

from collections import namedtuple

# name: SEND, EXECUTE or RESET. kind: FILE or SINGLE. acknowledgement: what a tool waits for, sent once a
# Ctrl-C can interrupt; a person at the prompt gets none.
Event = namedtuple("Event", "name data kind acknowledgement")

FRIENDLY, PASTE, RAW, RAW_PASTE, ABORTED = "friendly", "paste", "raw", "raw paste", "aborted"
SEND, EXECUTE, RESET = "send", "execute", "reset"
FILE, SINGLE = "exec", "single"  # compile()'s names: a whole file, or one line whose value is printed

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = 1, 2, 3, 4, 5
BACKSPACE, RETURN, NEWLINE, ESCAPE, DELETE = 8, 13, 10, 27, 127

NO_ESCAPE, AFTER_ESCAPE, IN_SEQUENCE = 0, 1, 2

WINDOW = 512  # bytes per raw-paste credit; two are given at first. A terminal's kernel buffer holds 4095
SOURCE_LIMIT = 65536  # bytes of code at once, with its compilation 1/4 of the smallest board's heap
LINE_LIMIT = 1024  # characters of a typed line: nobody types more
INPUT_LIMIT = 8192  # bytes waiting to be interpreted; more than one read of the line

BANNER_RAW = b"raw REPL; CTRL-B to exit\r\n"
PROMPT, CONTINUATION = b">>> ", b"... "
PASTE_BANNER = b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== "
TOO_LONG = "MemoryError: this code is longer than %d bytes: copy it as a file and import it\n" % SOURCE_LIMIT


class RawRepl:
    """One line's state. `banner` is the text under which the friendly prompt appears."""

    def __init__(self, banner):
        self.mode = FRIENDLY
        self._banner = banner.encode() + b"\r\n"
        self._input = b""
        self._source = bytearray()
        self._overflowed = False
        self._credit = 0  # bytes until the host is given another window
        self._block = b""  # the lines of a compound statement so far
        self._events = []
        self._escape = NO_ESCAPE  # where in a cursor key's sequence we are
        self._last_was_return = False

    # --- what the shell calls ---

    def start(self):
        """Greet, as a board does after power-on."""
        self._send(self._banner + PROMPT)

    def receive(self, data):
        """Take bytes from the line. The newest that do not fit are dropped: the host ignored its window."""
        self._input += bytes(data[: INPUT_LIMIT - len(self._input)])

    @property
    def room(self):
        """How many bytes `receive` takes now."""
        return INPUT_LIMIT - len(self._input)

    def next_event(self):
        """Return the next event, or None when more input is needed."""
        while not self._events and self._input:
            self._interpret()
        return self._events.pop(0) if self._events else None

    def take_interrupt(self):
        """Return whether a Ctrl-C waits among the bytes not interpreted yet, and drop those up to it."""
        at = self._input.rfind(b"\x03")
        self._input = self._input[at + 1 :]
        return at >= 0

    def executed(self, error):
        """The code has ended: `error` is the traceback's text, "" without one. Its output was written."""
        text = error.replace("\n", "\r\n").encode()
        if self.mode == FRIENDLY:
            self._send(text + PROMPT)
        else:
            self._send(b"\x04" + text + b"\x04>")

    def was_reset(self):
        """The namespace is fresh: greet again, in the mode that was left."""
        greeting = BANNER_RAW + b">" if self.mode == RAW else self._banner + PROMPT
        self._send(b"MPY: soft reboot\r\n" + greeting)

    # --- the input, up to the next event ---

    def _interpret(self):
        controls = CONTROLS[self.mode]
        data = self._input
        for at in range(len(data)):
            if data[at] in controls:
                break
        else:
            at = len(data)
        if self.mode == RAW_PASTE:
            at = self._pay_credit(at)
        if at:
            self._input = data[at:]
            self._keep(data[:at])
            return
        self._input = data[1:]
        controls[data[0]](self)

    def _keep(self, data):
        if self.mode == FRIENDLY:
            self._type(data)
        elif self.mode != ABORTED:
            self._collect(data)
        if self.mode == PASTE:
            self._send(data)

    def _collect(self, data):
        if len(self._source) + len(data) <= SOURCE_LIMIT:
            self._source.extend(data)
            return
        self._overflowed = True
        self._source = bytearray()
        if self.mode == RAW_PASTE:
            self._send(b"\x04")  # asks the host to stop; it answers with Ctrl-D
            self.mode = ABORTED

    def _pay_credit(self, size):
        """Return how many of the bytes to take now, and give the host a window when one is used up."""
        size = min(size, self._credit)
        self._credit -= size
        if size and not self._credit:
            self._credit = WINDOW
            self._send(b"\x01")
        return size

    def _send(self, data):
        if data and self._events and self._events[-1].name == SEND:
            data = self._events.pop().data + data
        if data:
            self._events.append(Event(SEND, data, None, None))

    def _run(self, source, kind, acknowledgement):
        if self._overflowed:
            self._overflowed = False
            self._send(acknowledgement)
            self.executed(TOO_LONG)
            return
        self._events.append(Event(EXECUTE, source, kind, acknowledgement))

    def _take_source(self):
        source = bytes(self._source)
        self._source = bytearray()
        return source

    # --- raw ---

    def _enter_raw(self):
        self._forget()
        self.mode = RAW
        self._send(BANNER_RAW + b">")

    def _raw_ctrl_a(self):
        """Ctrl-E A Ctrl-A asks for raw-paste; another letter is a command that no board knows."""
        asked = self._take_source()
        if len(asked) != 2 or asked[0] != CTRL_E:
            self._enter_raw()
        elif asked[1:] != b"A":
            self._send(b"R\x00>")
        else:
            self.mode = RAW_PASTE
            self._credit = WINDOW
            self._send(b"R\x01" + bytes([WINDOW & 255, WINDOW >> 8]) + b"\x01")

    def _raw_ctrl_b(self):
        self._enter_friendly()

    def _raw_ctrl_c(self):
        self._forget()

    def _raw_ctrl_d(self):
        source = self._take_source()
        if source or self._overflowed:
            self._run(source, FILE, b"OK")
        else:
            self._send(b"OK\r\n")
            self._events.append(Event(RESET, None, None, None))

    # --- raw-paste ---

    def _paste_ctrl_d(self):
        self.mode = RAW
        self._run(self._take_source(), FILE, b"\x04")

    def _paste_ctrl_c(self):
        self.mode = RAW
        self._forget()
        self._send(b"\x04")
        self.executed("KeyboardInterrupt: \n")

    def _aborted_end(self):
        """The host has seen that we stopped it: now the error."""
        self.mode = RAW
        self._overflowed = False
        self.executed(TOO_LONG)

    # --- friendly ---

    def _enter_friendly(self):
        self._forget()
        self.mode = FRIENDLY
        self._send(b"\r\n" + self._banner + PROMPT)

    def _forget(self):
        self._source = bytearray()
        self._block = b""
        self._overflowed = False

    def _type(self, data):
        """Echo what is printable; cursor keys and other sequences are swallowed."""
        typed = bytearray()
        for byte in data:
            if self._escape:
                self._swallow(byte)
            elif byte >= 32 and len(self._source) < LINE_LIMIT:
                self._source.append(byte)
                typed.append(byte)
        self._last_was_return = False
        self._send(bytes(typed))

    def _start_escape(self):
        self._escape = AFTER_ESCAPE

    def _swallow(self, byte):
        """ESC [ or ESC O, then parameters below 64, then one final byte (ECMA-48 section 5.4)."""
        if self._escape == AFTER_ESCAPE and byte in b"[O":
            self._escape = IN_SEQUENCE
        elif self._escape == AFTER_ESCAPE or byte >= 64:
            self._escape = NO_ESCAPE

    def _erase(self):
        if self._source:
            self._source = self._source[:-1]
            self._send(b"\b \b")

    def _tab(self):
        self._type(b"    ")

    def _newline(self):
        # \r\n is one end of line, not two.
        if not self._last_was_return:
            self._return()
        self._last_was_return = False

    def _return(self):
        self._last_was_return = True
        self._escape = NO_ESCAPE
        line = self._take_source()
        self._send(b"\r\n")
        if self._block or line.rstrip().endswith(b":"):
            self._extend_block(line)
        elif line.strip():
            self._run(line, SINGLE, b"")
        else:
            self._send(PROMPT)

    def _extend_block(self, line):
        self._block += line + b"\n"
        if len(self._block) > SOURCE_LIMIT:
            self._forget()
            self._overflowed = True
        elif line.strip():
            self._send(CONTINUATION)
            return
        block = self._block
        self._block = b""
        self._run(block, SINGLE, b"")

    def _cancel_line(self):
        self._forget()
        self._escape = NO_ESCAPE
        self._send(b"\r\n" + PROMPT)

    def _friendly_ctrl_b(self):
        self._enter_friendly()

    def _friendly_ctrl_d(self):
        if not self._source and not self._block:
            self._send(b"\r\n")
            self._events.append(Event(RESET, None, None, None))

    def _enter_paste(self):
        self._forget()
        self.mode = PASTE
        self._send(PASTE_BANNER)

    def _paste_newline(self):
        self._collect(b"\n")
        self._send(b"\r\n=== ")

    def _paste_done(self):
        self.mode = FRIENDLY
        self._send(b"\r\n")
        self._run(self._take_source(), FILE, b"")

    def _paste_cancel(self):
        self.mode = FRIENDLY
        self._cancel_line()


CONTROLS = {
    FRIENDLY: {
        CTRL_A: RawRepl._enter_raw,
        CTRL_B: RawRepl._friendly_ctrl_b,
        CTRL_C: RawRepl._cancel_line,
        CTRL_D: RawRepl._friendly_ctrl_d,
        CTRL_E: RawRepl._enter_paste,
        BACKSPACE: RawRepl._erase,
        DELETE: RawRepl._erase,
        9: RawRepl._tab,
        RETURN: RawRepl._return,
        NEWLINE: RawRepl._newline,
        ESCAPE: RawRepl._start_escape,
    },
    PASTE: {CTRL_C: RawRepl._paste_cancel, CTRL_D: RawRepl._paste_done, RETURN: RawRepl._paste_newline},
    RAW: {
        CTRL_A: RawRepl._raw_ctrl_a,
        CTRL_B: RawRepl._raw_ctrl_b,
        CTRL_C: RawRepl._raw_ctrl_c,
        CTRL_D: RawRepl._raw_ctrl_d,
    },
    RAW_PASTE: {CTRL_C: RawRepl._paste_ctrl_c, CTRL_D: RawRepl._paste_ctrl_d},
    ABORTED: {CTRL_C: RawRepl._aborted_end, CTRL_D: RawRepl._aborted_end},
}
