"""The host's end of a transfer, without I/O: bytes in, bytes out, time as a parameter.

    transfer = Transfer(content, block=8192, window=4, forbidden=frames.BINARY, baud=115200, nonce=n, now=t)
    while transfer.outcome is None:
        line.write(transfer.next_output(now))          # b"" when there is nothing to say
        transfer.receive(line.read(...), now)

Go-back-N: each answer carries the block that the board wants next, up to `window` blocks are under way, and a
block that arrived damaged is sent again with all that came behind it. The round that a frame carries, and its
answer repeats, tells an old refusal from a new one. Where the line gets out of step (a byte lost or doubled)
the stub ends itself: the outcome is LOST, and whoever drives this starts the stub again. What that one finds
on the board is believed only by its hash.

Every state has a deadline. `outcome` becomes one of:

    DONE         the board holds exactly this content, and proved it with a nonce that it could not foresee
    LOST         no sensible answer, or the stub ended: start it again, it goes on from the last good block
    WRONG_HASH   all of it was taken, and the board found another hash: what it wrote is thrown away
    LIED         the board claims success and cannot prove it
"""

import hashlib
import zlib
from collections.abc import Callable

from host_tools.flash import frames

DONE, LOST, WRONG_HASH, LIED = "done", "lost", "wrong hash", "lied"

GREETING_S = 5.0  # the stub compiles in milliseconds, on a slow emulator in one second
ANSWER_S = 3.0  # for a block to be inflated and written to a slow flash, besides its time on the line
HASHED_PER_S = 100_000  # bytes that the slowest board reads back and hashes; the emulated one: 800,000
TRIES = 3  # without progress, before the stub is started again
BITS_PER_BYTE = 10  # with start and stop bit
LINE_LIMIT = 256  # bytes of an answer; the longest has 53

_GREETING, _SPEEDING, _SEEKING = "greeting", "speeding", "seeking"
_SENDING, _FINISHING = "sending", "finishing"


class Transfer:
    """One run of the stub. `nonce`: 16 random bytes of this run. `speed`: in bits per second, to change to.

    `is_at_speed` says that the board has agreed: change this end, before the next call.
    """

    def __init__(
        self,
        content: bytes,
        *,
        block: int,
        window: int,
        forbidden: frozenset[int],
        baud: int,
        nonce: bytes,
        now: float,
        speed: int | None = None,
    ):
        self.content = content
        self.total = -(-len(content) // block)
        self.base = 0  # blocks that the board has, by its own word
        self.outcome: str | None = None
        self.last_words = b""  # of a stub that ended by itself: its traceback, as far as it came
        self.is_at_speed = False
        self._speed = speed
        self._left = 0  # bytes that an earlier run has left on the board
        self.block = block
        self._window = window
        self._forbidden = forbidden
        self._byte_s = BITS_PER_BYTE / baud
        self._nonce = nonce
        self._state = _GREETING
        self._next = 0  # the block to send next
        self._round = 0
        self._tries = 0
        self._line = b""
        self._asked = True  # whether the one question of this state is under way
        self.deadline = now + GREETING_S

    # --- what the shell calls ---

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the board, in any cut; `b""` when the deadline has passed."""
        for line in self._lines(data):
            answer = frames.parse_answer(line)
            if answer is not None and self.outcome is None:
                self._take(answer, now)
        if self.outcome is None and now >= self.deadline:
            self._try_again(now)

    def next_output(self, now: float) -> bytes:
        """Return the next frame to write, or b""."""
        if self.outcome is not None or self._state == _GREETING:
            return b""
        if self._state == _SENDING:
            return self._next_block(now)
        if self._asked:
            return b""
        self._asked = True
        self.deadline = now + ANSWER_S + self._to_hash / HASHED_PER_S
        return self._frame(*self._question())

    @property
    def _to_hash(self) -> int:
        """Bytes that the board reads before it answers the question of this state."""
        if self._state == _FINISHING:
            return len(self.content)
        return self._next * self.block if self._state == _SEEKING else 0

    def _question(self) -> tuple[int, bytes]:
        if self._state == _FINISHING:
            return frames.FINISH, hashlib.sha256(self.content).digest() + self._nonce
        return (frames.SPEED, b"%d" % (self._speed or 0)) if self._state == _SPEEDING else (frames.SEEK, b"")

    @property
    def has_met(self) -> bool:
        """Whether it is settled from which block this run sends: `base`, at that moment."""
        return self._state in (_SENDING, _FINISHING)

    # --- answers ---

    def _lines(self, data: bytes) -> list[bytes]:
        *lines, self._line = (self._line + data).split(b"\n")
        self._line = self._line[-LINE_LIMIT:]
        if b"\x04" in data:  # the raw REPL's word for the end of a program; no answer has it
            self.last_words = data[data.index(b"\x04") :]
            self._lose()
        return lines

    def _take(self, answer: frames.Answer, now: float) -> None:
        # A missing key is an answer to an earlier question, or made of noise.
        take = _ANSWERS.get((self._state, answer.kind))
        if take is not None:
            take(self, answer, now)

    def _greeted(self, answer: frames.Answer, now: float) -> None:
        self._left = int.from_bytes(answer.told, "big")
        if self._speed is None:
            self._seek_end()
        else:
            self._state = _SPEEDING
            self._ask_anew()

    def _sped(self, answer: frames.Answer, now: float) -> None:
        self.is_at_speed = True
        self._byte_s = BITS_PER_BYTE / (self._speed or 1)
        self._seek_end()

    def _seek_end(self) -> None:
        """Ask for the end of what is there. More than we have is another file's: its tail would stay."""
        self._seek(self._left // self.block if self._left <= len(self.content) else 0)

    def _seek(self, block: int) -> None:
        self._state = _SEEKING
        self._next = min(block, max(0, self.total - 1))
        self._ask_anew()

    def _sought(self, answer: frames.Answer, now: float) -> None:
        if answer.wanted != self._next or answer.round != self._round % frames.ROUNDS:
            return
        if answer.told == hashlib.sha256(self.content[: self._next * self.block]).digest():
            self.base = self._next
            self._state = _SENDING
            self._tries = 0
            self._round += 1
            self._expect_answer(now)
            self._finish_if_complete()
        else:
            # After a power cut the newest blocks may be the ones that are wrong.
            self._seek(self._next - self._window if self._next > self._window else 0)

    def _taken(self, answer: frames.Answer, now: float) -> None:
        if not self.base < answer.wanted <= self.total:
            return
        self.base = answer.wanted
        self._next = max(self._next, self.base)
        self._tries = 0
        self._expect_answer(now)
        self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        if self.base == self.total:
            self._state = _FINISHING
            self._ask_anew()

    def _refused(self, answer: frames.Answer, now: float) -> None:
        if answer.round != self._round % frames.ROUNDS or not self.base <= answer.wanted <= self._next:
            return
        self._taken(answer, now)
        if self._state == _SENDING:
            self._try_again(now)

    def _misheard(self, answer: frames.Answer, now: float) -> None:
        """The question was damaged on its way."""
        self._try_again(now)

    def _proved(self, answer: frames.Answer, now: float) -> None:
        proof = hashlib.sha256(self._nonce + self.content).digest()
        self.outcome = DONE if answer.told == proof else LIED

    def _found_wrong(self, answer: frames.Answer, now: float) -> None:
        self.outcome = WRONG_HASH

    # --- questions ---

    def _ask_anew(self) -> None:
        self._round += 1
        self._asked = False

    def _next_block(self, now: float) -> bytes:
        if self._next >= min(self.total, self.base + self._window):
            return b""
        start = self._next * self.block
        payload, command = deflated(self.content[start : start + self.block])
        data = self._frame(command, payload)
        self._next += 1
        self.deadline = max(self.deadline, now + ANSWER_S) + len(data) * self._byte_s
        return data

    def _frame(self, command: int, payload: bytes) -> bytes:
        return frames.frame(command, self._round, self._next, payload, self._forbidden)

    def _expect_answer(self, now: float) -> None:
        under_way = max(0, self._next - self.base) * self.block
        self.deadline = now + ANSWER_S + under_way * self._byte_s

    def _try_again(self, now: float) -> None:
        """Say the last thing once more, or give this run up."""
        self._tries += 1
        if self._tries >= TRIES or self._state == _GREETING:
            self._lose()
        elif self._state == _SENDING:
            self._next = self.base
            self._round += 1
            self._expect_answer(now)
        else:
            self._ask_anew()

    def _lose(self) -> None:
        if self.outcome is None:
            self.outcome = LOST


def deflated(block: bytes) -> tuple[bytes, int]:
    """Return (payload, command): each block is deflated by itself, so that any of them can be the first."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -frames.DEFLATE_BITS, 9)
    packed = packer.compress(block) + packer.flush()
    return (packed, frames.DEFLATED) if len(packed) < len(block) else (block, frames.STORED)


# (state, answer) -> what it changes.
_ANSWERS: dict[tuple[str, int], Callable[[Transfer, frames.Answer, float], None]] = {
    (_GREETING, frames.HELLO): Transfer._greeted,
    (_SPEEDING, frames.TAKEN): Transfer._sped,
    (_SPEEDING, frames.REFUSED): Transfer._misheard,
    (_SEEKING, frames.SOUGHT): Transfer._sought,
    (_SEEKING, frames.REFUSED): Transfer._misheard,
    (_SENDING, frames.TAKEN): Transfer._taken,
    (_SENDING, frames.REFUSED): Transfer._refused,
    (_FINISHING, frames.REFUSED): Transfer._misheard,
    (_FINISHING, frames.DONE): Transfer._proved,
    (_FINISHING, frames.WRONG_HASH): Transfer._found_wrong,
}
