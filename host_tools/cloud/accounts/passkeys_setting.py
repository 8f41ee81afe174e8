"""Switching on and off that only passkeys sign in."""

from __future__ import annotations

from sqlalchemy import delete

from host_tools.cloud.accounts import passkeys_only, passkeys_rule, undo
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.account_models import Undo
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account

RULED = N_("Whoever runs this cloud has decided that only passkeys sign in to your account.")
NO_PASSWORD = N_("Set a password first: only with it can the link in the mail take this back.")


class PasskeysSetting:
    def __init__(self, database: Database, factors: Factors, changes: Changes, rule: str):
        self._database = database
        self._factors = factors
        self._changes = changes
        self._rule = rule

    def binds(self, account: Account) -> bool:
        return passkeys_rule.binds(self._rule, account)

    def is_due(self, account: Account) -> bool:
        return passkeys_rule.is_due(self._rule, account)

    async def usable(self, account_id: str) -> int:
        """How many passkeys it has that count."""
        async with self._database.read() as session:
            return await passkeys_only.usable(session, account_id)

    async def switch_on(self, password: str, visit: Visit) -> None:
        """Raises RefusedError."""
        await self._factors.again.check("sign in with passkeys only", password, visit)
        account = visit.signed_in
        if account.passkeys_only_at is not None:
            return
        if not account.password_hash and not self.binds(account):
            raise RefusedError("", NO_PASSWORD)  # a thief could switch it on, and nobody take it back
        async with self._database.write() as session:
            await passkeys_only.switch_on(session, visit)
            steps = undo.setting(passkeys_only_at=None)
            if self.binds(account):  # nobody takes back what the operator has decided: support is there
                steps = []
                await session.execute(delete(Undo).where(Undo.account_id == account.id))
            await self._changes.tell(session, "passkeys_only_on", "", visit, account, steps)
        self._changes.wake()

    async def switch_off(self, visit: Visit) -> None:
        """Raises RefusedError."""
        await self._factors.again.check("sign in in any way", "", visit)
        account = visit.signed_in
        if self.binds(account):
            raise RefusedError("", RULED)
        if account.passkeys_only_at is None:
            return
        async with self._database.write() as session:
            await passkeys_only.switch_off(session, visit)
            await self._changes.tell(session, "passkeys_only_off", "", visit, account)
        self._changes.wake()
