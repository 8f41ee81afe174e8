"""Sessions of the help centre at its own address: begun and ended by what the portal says, and by time."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from host_tools.cloud.accounts.sessions import NOTED_EVERY_S
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.help_models import HelpSession
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.passkey_models import SpentChallenge
from host_tools.cloud.store.secret_box import new_token, token_hash

IDLE_S = 2 * 3600  # then the portal is asked again, in silence where its own session lives
WHOLE_S = 12 * 3600


class HelpSessions:
    def __init__(self, database: Database):
        self._database = database

    async def find(self, token: str, now: float, *, acting: bool) -> tuple[None, Account] | None:
        """Whose it is, as the portal's sessions tell it, but for the portal's own session."""
        mine = select(HelpSession, Account).join(Account, Account.id == HelpSession.account_id)
        # Whoever was disabled is out before the portal has told so.
        which = (HelpSession.token_hash == token_hash(token), Account.disabled_at.is_(None))
        async with self._database.read() as session:
            row = (await session.execute(mine.where(*which))).first()
        if row is None or now >= min(row[0].expires_at, row[0].acted_at + IDLE_S):
            return None
        if acting and now - row[0].acted_at >= NOTED_EVERY_S:
            own = HelpSession.token_hash == row[0].token_hash
            async with self._database.write() as session:
                await session.execute(update(HelpSession).where(own).values(acted_at=now))
        return None, row[1]

    async def begin(self, account_id: str, portal_session: str, now: float) -> str | None:
        """The new session's token; None where the account is gone. portal_session: the claim sid."""
        token = new_token()
        async with self._database.write() as session:
            if await session.get(Account, account_id) is None:
                return None
            row = HelpSession(token_hash=token_hash(token), account_id=account_id)
            row.portal_session, row.acted_at, row.expires_at = portal_session, now, now + WHOLE_S
            session.add(row)
        return token

    async def end(self, token: str) -> None:
        async with self._database.write() as session:
            await session.execute(delete(HelpSession).where(HelpSession.token_hash == token_hash(token)))

    async def end_of(self, portal_session: str, account_id: str, token_id: str, until: float) -> bool:
        """The portal's session is over. False where this logout token was used before (its jti)."""
        spent = token_hash("logout token " + token_id)
        of_it = (HelpSession.portal_session == portal_session, HelpSession.account_id == account_id)
        async with self._database.write() as session:
            if await session.get(SpentChallenge, spent) is not None:
                return False
            session.add(SpentChallenge(challenge_hash=spent, expires_at=until))
            await session.execute(delete(HelpSession).where(*of_it))
        return True

    async def prune(self, now: float) -> None:
        over = (HelpSession.expires_at < now) | (HelpSession.acted_at < now - IDLE_S)
        async with self._database.write() as session:
            await session.execute(delete(HelpSession).where(over))
