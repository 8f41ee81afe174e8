"""Two codes in a row tell the time: where on the line of steps does this pair stand?

    search = Search(keys, first, second, earliest_step, hint_step)
    while search.next_slice():
        ...                       # a few milliseconds have passed: let others run
    search.found                  # Match, or None

A router that has lost the time knows only that it is not before `earliest_step`. One code would be found
anywhere within a year or so, whoever made it up. A pair of consecutive ones stands in a window of W steps by
chance with probability W x 10^-12: a year (W = 1,051,200) is as hard to guess as one code on one step, and
the whole window of five years, at 5.3 x 10^-6, is less than two guesses at a code on a clock that is right
(3 steps of tolerance each). With n authenticators n times that. tests/firmware/test_two_codes.py computes
them.

The hint is somebody else's clock. It is never believed: it says where to look first inside the window, so
that a lie costs a fraction of a second and moves nothing.
"""

import struct
from collections import namedtuple

from gatelodge import compat
from gatelodge.core import totp

DAY_STEPS = 86400 // totp.STEP_S
WINDOW_STEPS = 5 * 366 * DAY_STEPS  # how far ahead; a router that was off for longer needs another way in
NEAR_STEPS = DAY_STEPS  # either side of the hint: a browser may have the day wrong, or its time zone
SPAN_STEPS = 30 * DAY_STEPS  # of each authenticator in turn, so that each is found early
SLICE_STEPS = 512  # half as many HMACs: 5 ms on a Cortex-A53, 90 ms where there is no native library

# key: its index in `keys`; step: the one of the second code, the first one's is step - 1.
Match = namedtuple("Match", ("key", "step"))


class Search:
    """keys: [(secret bytes, last used step)]; first, second: six digits, as they were typed in this order.
    earliest_step: none before it is looked at, nor any that was used. hint_step: where to look first."""

    def __init__(self, keys, first, second, earliest_step, hint_step=None):
        self._secrets = [secret for secret, _ in keys]
        self._first, self._second = int(first), int(second)
        self._slices = _slices([max(earliest_step, last_step + 1) for _, last_step in keys], hint_step)
        self.searched_s = 0  # how far from the earliest step all of it has been looked through
        self.found = None

    def next_slice(self):
        """Look through one more slice. Return whether there is more to look through."""
        key, begin, end, passed = next(self._slices, (None, 0, 0, WINDOW_STEPS))
        self.searched_s = passed * totp.STEP_S
        if key is None or self.found:
            return False
        second_step = _pair_between(self._secrets[key], self._first, self._second, begin, end)
        if second_step is not None:
            self.found = Match(key, second_step)
        return self.found is None


def _slices(earliest_steps, hint_step):
    """Yield (key, begin, end, passed): near the hint for every key, then forwards for all of them in turn.

    What is near the hint is looked through again later: that is simpler than to leave it out, and short."""
    if hint_step is not None:
        for key, earliest in enumerate(earliest_steps):
            begin, end = max(0, hint_step - NEAR_STEPS - earliest), hint_step + NEAR_STEPS - earliest
            yield from _sliced(key, earliest, begin, min(end, WINDOW_STEPS), 0)
    for span in range(0, WINDOW_STEPS, SPAN_STEPS):
        for key, earliest in enumerate(earliest_steps):
            yield from _sliced(key, earliest, span, min(span + SPAN_STEPS, WINDOW_STEPS), span)


def _sliced(key, earliest, begin, end, passed):
    for at in range(begin, end, SLICE_STEPS):
        yield key, earliest + at, earliest + min(end, at + SLICE_STEPS), passed


def _pair_between(secret, first, second, begin, end):
    """Return the second step of the pair whose first one is in [begin, end), or None.

    Every other step is enough: it is the second of the pair before it or the first of the one after. The time
    this takes tells whether one of the two codes stands somewhere in a window of years, which it mostly does.
    """
    for step in range(begin + 1, end + 1, 2):
        number = _number(secret, step)
        if number == second and _number(secret, step - 1) == first:
            return step
        if number == first and step < end and _number(secret, step + 1) == second:
            return step + 1
    return None


def _number(secret, step, hmac=compat.hmac_sha1, pack=struct.pack, unpack=struct.unpack_from):
    """totp.hotp as a number, and as fast as this interpreter gets: a year takes half a million of them."""
    mac = hmac(secret, pack(">Q", step))
    return (unpack(">I", mac, mac[19] & 15)[0] & 0x7FFFFFFF) % 1000000
