"""Passwords: what is accepted (pure), and argon2id in threads of its own (RFC 9106)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

from argon2 import PasswordHasher, Type, low_level
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from host_tools.cloud.accounts.errors import BusyError
from host_tools.cloud.languages.text import _

LENGTH_MIN = 8
LENGTH_MAX = 128  # bytes of work for us, not a limit on safety
STRENGTH_MIN = 2

# OWASP's second choice for argon2id: 19 MiB, 2 passes, 1 lane.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
ARGON2_VERSION, SALT_BYTES, HASH_BYTES = low_level.ARGON2_VERSION, 16, 32
THREADS = 2  # what two cores can hash at once; more would only take memory
NICE = 10
WAITING_MAX = 64  # at some 20 ms each the last one waits under a second: then say "busy"


def normalised(password: str) -> str:
    """The same password from every keyboard (RFC 8265 section 4.2: NFC, spaces kept)."""
    return unicodedata.normalize("NFC", password)


def common_passwords() -> frozenset[str]:
    text = files("host_tools.cloud.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.split() if line)


COMMON = common_passwords()
# 30,000 of a leak, the commonest first; ours above are also looked for with digits behind them.
LEAKED = frozenset(FREQUENCY_LISTS["passwords"])


def strength(password: str) -> int:
    """0 to 4, an estimate: length counts most, then how many kinds and how many different characters."""
    if bare(password) in COMMON or len(set(password)) <= 3:
        return 0
    kinds = sum(any(test(character) for character in password) for test in _KINDS)
    points = min(len(password), 20) + 2 * (kinds - 1) - 3 * _runs(password)
    return sum(points >= needed for needed in (8, 10, 14, 18))


def bare(password: str) -> str:
    """Lower case, without the digits and signs that people append to a common word."""
    lowered = password.lower()
    return lowered.rstrip("0123456789!?.*#$_-") or lowered


def fault(password: str, personal: tuple[str, ...] = ()) -> str | None:
    """Why this password is refused, to be shown; None when it is fine. `personal`: e-mail, names."""
    lowered = password.lower()
    if len(password) < LENGTH_MIN:
        return _("Use at least %(count)s characters.", count=LENGTH_MIN)
    if len(password) > LENGTH_MAX:
        return _("Use at most %(count)s characters.", count=LENGTH_MAX)
    if bare(password) in COMMON or lowered in COMMON or lowered in LEAKED:
        return _("That password is among the first ones tried. Choose one that nobody else has.")
    if any(len(word) >= 4 and word.lower() in lowered for word in personal):
        return _("Leave your name and your e-mail address out of the password.")
    if strength(password) < STRENGTH_MIN:
        return _("That is easy to guess. Add a few words or other kinds of characters.")
    return None


_KINDS = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())


def _runs(password: str) -> int:
    """How many stretches of three are equal or count up or down: aaa, abc, 321."""
    steps = [ord(b) - ord(a) for a, b in zip(password, password[1:], strict=False)]
    return sum(a == b and a in (-1, 0, 1) for a, b in zip(steps, steps[1:], strict=False))


def step_back() -> None:
    """Pages go first, which take a tenth of a hash: on Linux each thread has a priority of its own."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _salted(text: str, like: str) -> str:
    """like: a hash as a PHC string, or its head: `$argon2id$v=19$m=19456,t=2,p=1$SALT$`."""
    _, _, version, cost, salt, _ = like.split("$")
    memory_kib, passes, lanes = (int(part.partition("=")[2]) for part in cost.split(","))
    salt_bytes = base64.b64decode(salt + "=" * (-len(salt) % 4))
    how = (passes, memory_kib, lanes, HASH_BYTES, Type.ID, int(version.partition("=")[2]))
    return low_level.hash_secret(text.encode(), salt_bytes, *how).decode()


class Hasher:
    """argon2id off the event loop; a flood of sign-ins queues here and nowhere else."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES):
        self._argon2 = PasswordHasher(passes, memory_kib, LANES, type=Type.ID)
        self._threads = ThreadPoolExecutor(THREADS, "argon2", step_back)
        self._waiting = 0
        # Verified against when there is no account: the same work, and never a match.
        self._nobody = self._argon2.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        return await self._run(self._argon2.hash, normalised(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; False, after the same work, where nothing is stored."""
        found = await self._run(self._verify, stored or self._nobody, normalised(password))
        return found and stored is not None

    def salt(self) -> str:
        """A new salt and today's cost, as `salted` takes them."""
        salt = base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode().rstrip("=")
        cost = f"m={self._argon2.memory_cost},t={self._argon2.time_cost},p={self._argon2.parallelism}"
        return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}$"

    async def salted(self, text: str, like: str) -> str:
        """By the salt and the cost of another hash: the same, where that is of the same text."""
        return await self._run(_salted, text, like)

    def outdated(self, stored: str) -> bool:
        """Whether it was hashed at another cost than today's."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work, *arguments):
        if self._waiting >= WAITING_MAX:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1
