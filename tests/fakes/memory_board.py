"""The board's end of a transfer, in memory: what host_tools/flash/board_stub.txt does, as a state machine.

    board = MemoryBoard(old=b"what the slot holds")
    board.start()                       # as the stub's upload does; `board.said` is its greeting
    answers = board.receive(data)

The file system survives a `start`: `part` is what an interrupted run has left, `file` what was renamed into
place.
Subclasses are boards with a fault of their own.
"""

import hashlib
import zlib

from host_tools.flash import frames

END = b"\x04Traceback\r\n\x04>"


class MemoryBoard:
    def __init__(self, old=b"", block=frames.LARGE_BLOCK):
        self.file = old
        self.part = None  # bytes; None: there is no such file
        self.block = block
        self.is_running = False
        self.starts = 0

    def start(self):
        """Return what the stub greets with."""
        self.starts += 1
        self.is_running = True
        self._input = b""
        self._wanted = self._round = 0
        self._is_renamed = False
        if self.part is None:
            self.part = b""
        return self._answer(frames.HELLO, len(self.part).to_bytes(4, "big"))

    def receive(self, data):
        """Take bytes in any cut; return what is answered."""
        out = b""
        self._input += data
        while self.is_running:
            frame, size = self._next_frame()
            if not size:
                break
            self._input = self._input[size:]
            out += self._take(frame) if frame else self._answer(frames.REFUSED)
        return out if self.is_running else out + self._end()

    def _next_frame(self):
        """(frame or None when damaged, its size or 0 when more is needed). Ends the stub when out of step."""
        header = self._input[: frames.HEADER_SIZE]
        if len(header) < frames.HEADER_SIZE:
            return None, 0
        try:
            size = frames.HEADER_SIZE + frames.parse_header(header)[3]
            if size > 2 * self.block:
                raise ValueError
            if len(self._input) < size or b"\x03" in self._input[:size]:
                self.is_running = b"\x03" not in self._input[:size]
                return None, 0
            return frames.read_frame(header, self._input[frames.HEADER_SIZE : size]), size
        except ValueError:
            self.is_running = False
            return None, 0

    def _end(self):
        had, self._input = bool(self._input), b""
        return END if had else b""

    def _answer(self, kind, told=b""):
        return frames.answer(kind, self._round, self._wanted, told)

    def _take(self, frame):
        self._round = frame.round
        if frame.command == frames.SEEK:
            return self._seek(frame.block)
        if frame.command == frames.FINISH:
            return self._finish(frame.payload)
        if frame.block != self._wanted:
            return self._answer(frames.TAKEN if frame.block < self._wanted else frames.REFUSED)
        self._keep(zlib.decompress(frame.payload, -15) if frame.command == frames.DEFLATED else frame.payload)
        self._wanted += 1
        return self._answer(frames.TAKEN)

    def _keep(self, block):
        start = self._wanted * self.block
        self.part = self.part[:start] + block + self.part[start + len(block) :]

    def _seek(self, block):
        self._wanted = block
        if not block:
            self.part = b""
        return self._answer(frames.SOUGHT, hashlib.sha256(self.part[: block * self.block]).digest())

    def _finish(self, payload):
        found = self.file if self._is_renamed else self.part
        if hashlib.sha256(found).digest() != payload[:32]:
            self.part = b""
            return self._answer(frames.WRONG_HASH)
        if not self._is_renamed:
            self.file, self.part, self._is_renamed = self.part, None, True
        return self._answer(frames.DONE, hashlib.sha256(payload[32:] + self.file).digest())


class LyingBoard(MemoryBoard):
    """Keeps nothing, and says that all is well."""

    def _keep(self, block):
        pass

    def _finish(self, payload):
        return self._answer(frames.DONE, payload[:32])


class ForgetfulBoard(MemoryBoard):
    """Its flash loses a bit of each block."""

    def _keep(self, block):
        super()._keep(bytes([block[0] ^ 1]) + block[1:])
