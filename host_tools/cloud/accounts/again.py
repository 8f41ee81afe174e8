"""Asking again before a sensitive action: what is missing (proof.py), and the password that its form holds.

Whoever proves who they are gets another token for the session (OWASP ASVS 5, 7.2.4).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import proof, signin
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.proof import FIRST, SECOND, Proved
from host_tools.cloud.accounts.sessions import renew
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Session

WRONG_PASSWORD = N_("That is not your password. Try again.")
PROVE_FIRST = N_("Prove first that it is you: your account has no password.")
PROVE_BY_PASSKEY = N_("Prove first that it is you, with a passkey.")
PROVE_FULLY = N_("Prove first that it is you, by your second factor too.")


class Again:
    def __init__(self, database: Database, hasher: Hasher, turnstile: Turnstile):
        self._database = database
        self._hasher = hasher
        self._turnstile = turnstile

    async def two_factor(self, visit: Visit) -> bool:
        async with self._database.read() as session:
            return signin.two_factor(await holdings(session, visit.signed_in.id, visit))

    async def check(self, action: str, password: str, visit: Visit) -> None:
        """However young the session, unless it was proved just now. Raises RefusedError."""
        missing = proof.missing(action, await self.two_factor(visit), proved_in(visit), visit.now)
        if not missing:
            return
        if visit.session is not None and visit.signed_in.passkeys_only_at is not None:
            raise RefusedError("password", PROVE_BY_PASSKEY)
        if SECOND in missing and visit.session is not None:
            raise RefusedError("password", PROVE_FULLY)
        if not visit.takes_password:
            raise RefusedError("password", PROVE_FIRST)
        await self.check_password(password, visit)
        async with self._database.write() as session:
            token = await settle(session, (FIRST,), visit)
        visit.renewed_token = token

    async def check_password(self, password: str, visit: Visit) -> None:
        """Raises RefusedError."""
        about = self._turnstile.about(visit.signed_in.email, visit)
        await self._turnstile.take("sign_in", **about)
        if not await self._hasher.matches(visit.signed_in.password_hash, password):
            raise RefusedError("password", WRONG_PASSWORD)
        await self._turnstile.give_back("sign_in", **about)


def proved_in(visit: Visit) -> Proved:
    """What the visit's session has proved.

    At another site of ours the account has asked its person again, for all that its sign-in takes there.
    """
    if visit.at_site is not None:
        return Proved(visit.at_site.proved_at, visit.at_site.proved_at)
    if visit.session is None:
        return Proved()
    return Proved(visit.session.proved_at, visit.session.second_proved_at)


async def settle(session: AsyncSession, parts: Sequence[str], visit: Visit) -> str | None:
    """Write down what was proved, in the caller's transaction.

    Returns the session's new token: the visit's `renewed_token`, once the transaction has ended.
    """
    await count(session, parts, visit)
    return await renew(session, visit)


async def count(session: AsyncSession, parts: Sequence[str], visit: Visit) -> None:
    """The same where no token is due: a factor was just set up, by whoever has proved the rest."""
    row = await session.get(Session, visit.open_session.id)
    for held in filter(None, (row, visit.session)):
        if FIRST in parts:
            held.proved_at = visit.now
        if SECOND in parts:
            held.second_proved_at = visit.now
    await session.flush()
