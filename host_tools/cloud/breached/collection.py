"""Whether a new password is one that was stolen somewhere, by whichever driver the operator has chosen."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Protocol

from host_tools.cloud.accounts.passwords import normalised
from host_tools.cloud.breached.away import AwayError
from host_tools.cloud.breached.digest_file import DigestFile
from host_tools.cloud.breached.range_service import RangeService
from host_tools.cloud.languages.text import N_

STOLEN = N_("That password is among those that were stolen elsewhere. Choose one that you use nowhere else.")

log = logging.getLogger("cloud.breached")


class Driver(Protocol):
    async def knows(self, digest: str) -> bool:
        """Whether the SHA-1 (40 hexadecimal digits, upper case) is of a stolen password. Raises AwayError."""


class BreachedPasswords:
    """Without an answer a password is let through: passwords.py has refused the commonest, and whoever signs
    up or lost a password is not kept out by what is away. The log says when that begins and ends.
    """

    def __init__(self, driver: Driver | None):
        self._driver = driver
        self._is_away = False

    async def fault(self, password: str) -> str | None:
        """Why this password is refused, as passwords.fault says it; None where it is not known."""
        if self._driver is None:
            return None
        digest = hashlib.sha1(normalised(password).encode(), usedforsecurity=False).hexdigest().upper()
        try:
            known = await self._driver.knows(digest)
        except AwayError as error:
            if not self._is_away:
                log.warning("new passwords are not looked up: %s", error)
            self._is_away = True
            return None
        if self._is_away:
            log.info("new passwords are looked up again")
        self._is_away = False
        return STOLEN if known else None


def driver_of(place: str) -> Driver | None:
    """place: the service's address, a file, or "" for neither. Raises ToolError where the file is damaged."""
    if not place:
        return None
    return RangeService(place) if "://" in place else DigestFile(Path(place))
