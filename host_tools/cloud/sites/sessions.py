"""Sessions of a site at its own address: begun and ended by what the account says, and by time."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from host_tools.cloud.accounts.passkeys_rule import not_due
from host_tools.cloud.accounts.sessions import NOTED_EVERY_S
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.passkey_models import SpentChallenge
from host_tools.cloud.store.secret_box import new_token, token_hash
from host_tools.cloud.store.site_models import SiteSession

IDLE_S = 2 * 3600  # then the account is asked again, in silence where its own session lives
WHOLE_S = 12 * 3600


class SiteSessions:
    """Those of one site: a token of another one opens nothing."""

    def __init__(self, database: Database, client_id: str, rule: str):
        """rule: of passkeys_rule.py."""
        self._database = database
        self._open = (Account.disabled_at.is_(None), *not_due(rule))
        self._client_id = client_id

    async def find(self, token: str, now: float, *, acting: bool) -> tuple[SiteSession, Account] | None:
        """The live session of a cookie, and whose it is."""
        mine = select(SiteSession, Account).join(Account, Account.id == SiteSession.account_id)
        # Whoever was disabled is out before the account has told so.
        which = (*self._with(token), *self._open)
        async with self._database.read() as session:
            row = (await session.execute(mine.where(*which))).first()
        if row is None or now >= min(row[0].expires_at, row[0].acted_at + IDLE_S):
            return None
        if acting and now - row[0].acted_at >= NOTED_EVERY_S:
            async with self._database.write() as session:
                await session.execute(update(SiteSession).where(*self._with(token)).values(acted_at=now))
        return row[0], row[1]

    async def begin(
        self, account_id: str, account_session: str, visit: Visit, proved_at: float | None
    ) -> str | None:
        """The new session's token; the browser's old one is over. None where the account is gone, or its
        session: whoever asks for many at the moment of a sign-out must not get one that outlives it.

        account_session: the claim sid.
        """
        token, now = new_token(), visit.now
        async with self._database.write() as session:
            over = await session.get(SpentChallenge, self._over(account_session)) is not None
            if over or await session.get(Account, account_id) is None:
                return None
            await session.execute(delete(SiteSession).where(*self._with(visit.session_token or "")))
            row = SiteSession(token_hash=token_hash(token), client_id=self._client_id, account_id=account_id)
            row.account_session, row.proved_at = account_session, proved_at
            row.acted_at, row.expires_at = now, now + WHOLE_S
            session.add(row)
        return token

    async def end(self, token: str) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SiteSession).where(*self._with(token)))

    async def end_of(self, account_session: str, account_id: str, token_id: str, until: float) -> bool:
        """The account's session is over. False where this logout token was used before (its jti)."""
        spent, over = token_hash("logout token " + token_id), self._over(account_session)
        of_it = (SiteSession.account_session == account_session, SiteSession.account_id == account_id)
        async with self._database.write() as session:
            if await session.get(SpentChallenge, spent) is not None:
                return False
            session.add(SpentChallenge(challenge_hash=spent, expires_at=until))
            await session.merge(SpentChallenge(challenge_hash=over, expires_at=until))
            await session.execute(delete(SiteSession).where(*of_it, SiteSession.client_id == self._client_id))
        return True

    async def prune(self, now: float) -> None:
        over = (SiteSession.expires_at < now) | (SiteSession.acted_at < now - IDLE_S)
        async with self._database.write() as session:
            await session.execute(delete(SiteSession).where(SiteSession.client_id == self._client_id, over))

    def _over(self, account_session: str) -> str:
        """The mark of an account's session that has ended. It stays longer than a sign-in is under way."""
        return token_hash(f"over {self._client_id} {account_session}")

    def _with(self, token: str):
        return SiteSession.token_hash == token_hash(token), SiteSession.client_id == self._client_id
