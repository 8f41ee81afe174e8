"""Changing the password by whoever is signed in and knows it (K6)."""

from __future__ import annotations

from sqlalchemy import delete

from host_tools.cloud.accounts import applications, trusted, undo
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.passwords import Hasher, fault
from host_tools.cloud.accounts.sessions import outlive_others
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.breached.collection import BreachedPasswords
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, SignIn

SAME = N_("That is the password you have. Choose another.")


def personal_words(email: str, first_name: str, last_name: str) -> tuple[str, ...]:
    """What a password must not hold."""
    return (email.partition("@")[0], first_name, last_name, "gatelodge")


class OwnPassword:
    def __init__(
        self,
        database: Database,
        hasher: Hasher,
        breached: BreachedPasswords,
        factors: Factors,
        changes: Changes,
    ):
        self._database = database
        self._hasher = hasher
        self._breached = breached
        self._factors = factors
        self._changes = changes

    async def change(self, old: str, new: str, visit: Visit) -> None:
        """Every other session and every sign-in between its steps ends, applications are out, every other
        browser verifies again.

        Raises RefusedError.
        """
        account = visit.signed_in
        await self._factors.again.check("change the password", old, visit)
        wrong = fault(new, personal_words(account.email, account.first_name, account.last_name))
        if old == new:
            raise RefusedError("new_password", SAME)
        wrong = wrong or await self._breached.fault(new)
        if wrong:
            raise RefusedError("new_password", wrong)
        password_hash = await self._hasher.hash(new)
        async with self._database.write() as session:
            row = await session.get_one(Account, account.id)
            row.password_hash = password_hash
            known = await trusted.is_trusted(session, account.id, visit)
            await trusted.forget_all(session, account.id)
            await applications.shut_out(session, account.id)
            if known:
                await trusted.trust(session, account.id, visit)
            await outlive_others(session, visit)
            await session.execute(delete(SignIn).where(SignIn.account_id == account.id))
            steps = undo.setting(password_hash=account.password_hash)
            await self._changes.tell(session, "password_changed", "", visit, account, steps)
        self._changes.wake()
