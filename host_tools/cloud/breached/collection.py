"""Whether a new password is one that was stolen somewhere, by whichever driver the operator has chosen."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from host_tools.cloud.accounts.passwords import normalised
from host_tools.cloud.breached.away import AwayError
from host_tools.cloud.breached.breaker import Breaker
from host_tools.cloud.breached.digest_file import DigestFile
from host_tools.cloud.breached.range_service import RangeService
from host_tools.cloud.languages.text import N_

STOLEN = N_("That password is among those that were stolen elsewhere. Choose one that you use nowhere else.")

TOLD_EVERY_S = 3600

log = logging.getLogger("cloud.breached")


class Driver(Protocol):
    async def knows(self, digest: str) -> bool:
        """Whether the SHA-1 (40 hexadecimal digits, upper case) is of a stolen password. Raises AwayError."""


class BreachedPasswords:
    """Without an answer a password is let through: passwords.py has refused the commonest, and whoever signs
    up or lost a password is not kept out by what is away. Nor is anybody made to wait for it: it is asked now
    and then (breaker.py). The log says when that begins and ends, every hour between, and of how many.
    """

    def __init__(self, driver: Driver | None, clock: Callable[[], float] = time.monotonic):
        self._driver = driver
        self._clock = clock
        self._breaker = Breaker()
        self._let_through = 0  # since it is away
        self._told_at = 0.0

    async def fault(self, password: str) -> str | None:
        """Why this password is refused, as passwords.fault says it; None where it is not known."""
        if self._driver is None:
            return None
        if not self._breaker.allows(self._clock()):
            self._let_through += 1
            return None
        digest = hashlib.sha1(normalised(password).encode(), usedforsecurity=False).hexdigest().upper()
        try:
            known = await self._driver.knows(digest)
        except AwayError as error:
            self._away(error)
            return None
        self._here()
        return STOLEN if known else None

    def _away(self, error: AwayError) -> None:
        now = self._clock()
        self._breaker.failed(now)
        self._let_through += 1
        if self._let_through == 1 or now - self._told_at >= TOLD_EVERY_S:
            log.warning("new passwords are not looked up (%d so far): %s", self._let_through, error)
            self._told_at = now

    def _here(self) -> None:
        self._breaker.answered()
        if self._let_through:
            log.warning("new passwords are looked up again; %d were not", self._let_through)
        self._let_through = 0


def driver_of(place: str) -> Driver | None:
    """place: the service's address, a file, or "" for neither. Raises ToolError where the file is damaged."""
    if not place:
        return None
    return RangeService(place) if "://" in place else DigestFile(Path(place))
