"""A serial line that does what real ones do: flips, drops, doubles and delays bytes, breaks, and has a speed.

    line = FaultyLine()
    line.plan(Fault(TO_BOARD, 1000, FLIP), ...)     # at the 1000th byte in that direction from now on
    data = line.carry(to_board, data)               # what arrives

`carry` is called for each piece, in order, by whoever moves bytes between two ends. It holds no thread and no
descriptor, so the same faults meet a transfer in memory and one on a pty.
"""

import time
from typing import NamedTuple

TO_BOARD, TO_HOST = True, False
FLIP, DROP, DOUBLE, DELAY, CUT, RESET = KINDS = ("flip", "drop", "double", "delay", "cut", "reset")

DELAY_S = 0.3
BITS_PER_BYTE = 10
PIECE = 256  # bytes that a line with a speed carries at once: 22 ms at 115200 baud


class Fault(NamedTuple):
    to_board: bool
    at: int  # bytes in that direction since the plan
    kind: str
    bit: int = 0  # for FLIP


class FaultyLine:
    """on_reset: called once for RESET. baud: how fast `carry` lets bytes through, None: at once."""

    def __init__(self, on_reset=lambda: None, baud=None, sleep=time.sleep, clock=time.monotonic):
        self.carried = {TO_BOARD: 0, TO_HOST: 0}  # bytes that were sent, whatever became of them
        self.faults = []
        self.is_cut = False
        self.on_reset = on_reset
        self.baud = baud
        self._sleep = sleep
        self._clock = clock
        self._free_at = {TO_BOARD: 0.0, TO_HOST: 0.0}
        self._overslept = {TO_BOARD: 0.0, TO_HOST: 0.0}
        self._since = dict(self.carried)

    @property
    def bytes(self):
        """Of both directions."""
        return sum(self.carried.values())

    def plan(self, *faults):
        """Mend the line, and let these faults happen, counted from now."""
        self.is_cut = False
        self.faults = sorted(faults, key=lambda fault: fault.at)
        self._since = dict(self.carried)

    def carry(self, to_board, data):
        """Return what arrives of these bytes."""
        start = self.carried[to_board] - self._since[to_board]
        self.carried[to_board] += len(data)
        if self.baud:
            self._take_time(to_board, len(data))
        out, at = b"", 0
        for fault in self._due(to_board, start, start + len(data)):
            place = fault.at - start
            if not self.is_cut:
                out += data[at:place] + self._spoil(fault, data[place : place + 1])
            at = place + 1
        return out if self.is_cut else out + data[at:]

    def _due(self, to_board, start, end):
        due = [fault for fault in self.faults if fault.to_board == to_board and start <= fault.at < end]
        self.faults = [fault for fault in self.faults if fault not in due]
        return due

    def _spoil(self, fault, byte):
        if fault.kind == FLIP:
            return bytes([byte[0] ^ 1 << fault.bit])
        if fault.kind == DROP:
            return b""
        if fault.kind == DOUBLE:
            return byte + byte
        if fault.kind == CUT:
            self.is_cut = True
            return b""
        if fault.kind == RESET:
            self.on_reset()
            return b""
        self._sleep(DELAY_S)
        return byte

    def _take_time(self, to_board, count):
        """Both directions of a line carry at the same time. A real one has not waited while we overslept."""
        began = max(self._clock() - self._overslept[to_board], self._free_at[to_board])
        self._free_at[to_board] = began + count * BITS_PER_BYTE / self.baud
        self._sleep(max(0.0, self._free_at[to_board] - self._clock()))
        self._overslept[to_board] = max(0.0, self._clock() - self._free_at[to_board])
