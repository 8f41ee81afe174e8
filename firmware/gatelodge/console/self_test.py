"""What a router measures about itself before it may be locked: groups of figures, each with its limit.

A figure is a number with a limit, so that a bench can keep the numbers and see a batch of flash chips drift
long before one of them fails. A station may hold a router to narrower limits than these.
"""

import gc
from binascii import crc32
from collections import namedtuple

from gatelodge import compat, log, store_keys
from gatelodge.core import csr, entropy_health, p256

# key: the private key, a number. entropy: callable(n) -> bytes. directory: on the flash.
Parts = namedtuple("Parts", "store clock router key entropy directory")

_MESSAGE = b"Gatelodge self-test"
_FLASH_BLOCK = 4096
_FLASH_BLOCKS = 64  # 256 KB: half a second on the slowest flash that passes
_MEMORY_PIECE = 32768
_MEMORY_PIECES = 128  # 4 MB, or half of what the heap has free
_PATTERNS = (b"\x55" * 4, b"\xaa" * 4, None)  # each bit both ways, then each piece with its own number
_CLOCK_READS = 2000
_ENTROPY_SAMPLES = 4096  # bytes: eight windows of the adaptive proportion test


def run(parts):
    """Return the checks as contract/provisioning.py describes them. A group that raises has failed."""
    checks = []
    for measure, rows in CHECKS:
        try:
            values = measure(parts)
        except Exception as error:
            log.exception("bench", "self-test %s" % rows[0][0], error)
            values = [None] * len(rows)
        checks += [_check(values[at], *rows[at]) for at in range(len(rows))]
    return checks


def _check(value, name, unit, lowest, highest):
    ok = value is not None and (lowest is None or value >= lowest) and (highest is None or value <= highest)
    limit = "at least %d" % lowest if highest is None else "at most %d" % highest
    return {"name": name, "value": -1 if value is None else value, "unit": unit, "limit": limit, "ok": ok}


# --- measuring: each returns as many values as it has rows, None for what could not be measured ---


def _signing(parts):
    """The key signs, and its signature verifies: the time both take."""
    start = compat.monotonic_ms()
    signature = csr.signature(parts.key, _MESSAGE)
    if not csr.signature_is_valid(p256.public_key(parts.key), _MESSAGE, signature):
        return (None,)
    return (compat.monotonic_ms() - start,)


def _journal(parts):
    start = compat.monotonic_ms()
    parts.store.put(store_keys.CLOCK_FLOOR, parts.store.get(store_keys.CLOCK_FLOOR))
    storage = parts.router.facts()["storage"]
    return compat.monotonic_ms() - start, storage and storage["free_kb"]


def _flash(parts):
    """Write a file, forget it, read it back: the speed of both, and the blocks whose CRC is another."""
    path = parts.directory + "/self-test"
    pattern = parts.entropy(_FLASH_BLOCK)
    try:
        start = compat.monotonic_ms()
        with open(path, "wb") as file:
            for number in range(_FLASH_BLOCKS):
                file.write(_flash_block(pattern, number))
            compat.sync_file(file)
        written = compat.monotonic_ms()
        compat.drop_cached(path)
        faults = 0
        with open(path, "rb") as file:
            read = compat.monotonic_ms()
            for number in range(_FLASH_BLOCKS):
                faults += crc32(file.read(_FLASH_BLOCK)) != crc32(_flash_block(pattern, number))
        return _kb_per_s(start, written), _kb_per_s(read, compat.monotonic_ms()), faults
    finally:
        if compat.exists(path):
            compat.remove(path)


def _flash_block(pattern, number):
    return number.to_bytes(4, "big") + pattern[4:]


def _kb_per_s(start_ms, end_ms):
    return _FLASH_BLOCKS * _FLASH_BLOCK * 1000 // (1024 * max(1, end_ms - start_ms))


def _memory(parts):
    """Fill what is free of the heap with each pattern, then look: KB that were tried, pieces that differ."""
    gc.collect()
    free = gc.mem_free() // 2 if hasattr(gc, "mem_free") else _MEMORY_PIECES * _MEMORY_PIECE
    pieces = [bytearray(_MEMORY_PIECE) for _ in range(min(_MEMORY_PIECES, free // _MEMORY_PIECE))]
    faults = 0
    for pattern in _PATTERNS:
        for number, piece in enumerate(pieces):
            piece[:] = _memory_piece(pattern, number)
        for number, piece in enumerate(pieces):
            faults += piece != _memory_piece(pattern, number)
    available_kb = parts.router.facts()["memory"]["available_kb"]
    return available_kb, len(pieces) * _MEMORY_PIECE // 1024, faults


def _memory_piece(pattern, number):
    return (pattern or number.to_bytes(4, "big")) * (_MEMORY_PIECE // 4)


def _clock(parts):
    """Whether the bench's time was taken, and how often the monotonic clock went back."""
    last, back = compat.monotonic_ms(), 0
    for _ in range(_CLOCK_READS):
        now = compat.monotonic_ms()
        back += now < last
        last = now
    return 1 if parts.clock.is_set else 0, back


def _network(parts):
    ours = [one for one in parts.router.interfaces() if one["role"] in ("lan", "wan")]
    return len(ours), len([one for one in ours if one["up"]])


def _entropy(parts):
    samples = parts.entropy(_ENTROPY_SAMPLES)
    return (
        len(set(samples[:256])),
        entropy_health.longest_run(samples),
        entropy_health.commonest_of_a_window(samples),
    )


# measure -> rows of: name, unit, lowest or None, highest or None. Times leave a good router a wide margin: a
# bench of emulated ones shares a computer, and a station narrows them to what its boards do.
CHECKS = (
    (_signing, (("device key signs", "ms", None, 20000),)),  # 400 ms on the reference board
    (_journal, (("flash write", "ms", None, 1000), ("flash free", "KB", 1024, None))),
    (
        _flash,
        (
            ("flash write speed", "KB/s", 100, None),
            ("flash read speed", "KB/s", 400, None),
            ("flash blocks wrong", "", None, 0),
        ),
    ),
    (
        _memory,
        (
            ("memory available", "KB", 8192, None),
            ("memory tried", "KB", 256, None),
            ("memory pieces wrong", "", None, 0),
        ),
    ),
    (_clock, (("clock set", "", 1, None), ("clock steps back", "", None, 0))),
    (_network, (("network ports", "", 1, None), ("network links", "", 1, None))),
    (
        _entropy,
        (
            # Different values among 256 random bytes: 162, 5 more or less. Under 120 the source is broken.
            ("entropy", "", 120, None),
            ("entropy longest run", "", None, entropy_health.RUN_CUTOFF - 1),
            ("entropy commonest", "", None, entropy_health.PROPORTION_CUTOFF - 1),
        ),
    ),
)
