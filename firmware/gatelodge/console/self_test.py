"""What a router measures about itself before it may be locked: one row per check.

A check is a number with a limit, so that a bench can keep the numbers and see a batch of flash
chips drift long before one of them fails.
"""

from collections import namedtuple

from gatelodge import compat, log, store_keys
from gatelodge.core import csr, p256

# key: the private key, a number. entropy: callable(n) -> bytes.
Parts = namedtuple("Parts", "store clock router key entropy")

_MESSAGE = b"Gatelodge self-test"


def run(parts):
    """Return the checks as contract/provisioning.py describes them. A check that raises has failed."""
    return [_run_one(parts, *row) for row in CHECKS]


def _run_one(parts, name, measure, unit, lowest, highest):
    try:
        value = measure(parts)
    except Exception as error:
        log.exception("bench", "self-test %s" % name, error)
        value = None
    ok = value is not None and (lowest is None or value >= lowest) and (highest is None or value <= highest)
    limit = "at least %d" % lowest if highest is None else "at most %d" % highest
    return {"name": name, "value": -1 if value is None else value, "unit": unit, "limit": limit, "ok": ok}


def _signing_ms(parts):
    """The key signs, and its signature verifies: the time both take."""
    start = compat.monotonic_ms()
    signature = csr.signature(parts.key, _MESSAGE)
    if not csr.signature_is_valid(p256.public_key(parts.key), _MESSAGE, signature):
        return None
    return compat.monotonic_ms() - start


def _flash_write_ms(parts):
    start = compat.monotonic_ms()
    parts.store.put(store_keys.CLOCK_FLOOR, parts.store.get(store_keys.CLOCK_FLOOR))
    return compat.monotonic_ms() - start


def _flash_free_kb(parts):
    storage = parts.router.facts()["storage"]
    return storage and storage["free_kb"]


def _memory_kb(parts):
    return parts.router.facts()["memory"]["available_kb"]


def _clock_is_set(parts):
    return 1 if parts.clock.is_set else 0


def _different_bytes(parts):
    return len(set(parts.entropy(256)))


def _interfaces(parts):
    return len([1 for interface in parts.router.interfaces() if interface["role"] in ("lan", "wan")])


# name, measure, unit, lowest or None, highest or None. Limits leave a good router a factor of four at least.
CHECKS = (
    ("device key signs", _signing_ms, "ms", None, 5000),  # 400 ms on the reference board
    ("flash write", _flash_write_ms, "ms", None, 1000),
    ("flash free", _flash_free_kb, "KB", 1024, None),
    ("memory available", _memory_kb, "KB", 8192, None),
    ("clock set", _clock_is_set, "", 1, None),
    ("network ports", _interfaces, "", 1, None),
    # 256 random bytes hold about 162 different values, 5 more or less; under 120 the source is broken.
    ("entropy", _different_bytes, "", 120, None),
)
