"""What an application asks, told us by itself beforehand (RFC 9126): the browser brings a reference alone.

A reference is good for a minute. The first browser that brings it has it to itself while its person signs in
and agrees, and reloads; the answer ends it.

    pushed ──a browser brings it──> that browser's ──answer──> gone          either, too late ──> gone
"""

from __future__ import annotations

from sqlalchemy import delete

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient, OidcPushed
from host_tools.cloud.store.secret_box import new_token, token_hash

PREFIX = "urn:ietf:params:oauth:request_uri:"  # section 2.2
LASTS_S = 60
SIGN_IN_S = 900  # as long as a sign-in may take (accounts/signin.py)


class Pushed:
    def __init__(self, database: Database):
        self._database = database

    async def push(self, client: OidcClient, query: str, now: float) -> str:
        """The reference to a request that was found right. What is over goes: a flood leaves no pile."""
        uri = PREFIX + new_token()
        row = OidcPushed(uri_hash=token_hash(uri), client_id=client.id, query=query, browser_hash="")
        row.expires_at = now + LASTS_S
        async with self._database.write() as session:
            await session.execute(delete(OidcPushed).where(OidcPushed.expires_at < now))
            session.add(row)
        return uri

    async def opened(self, uri: str, client_id: str, browser_hash: str, now: float) -> str | None:
        """The query that it stands for; None: it is over, another client's, or another browser's."""
        async with self._database.write() as session:
            row = await session.get(OidcPushed, token_hash(uri))
            if row is None or row.client_id != client_id or now >= row.expires_at:
                return None
            if not row.browser_hash:
                row.browser_hash, row.expires_at = browser_hash, now + SIGN_IN_S
            return row.query if row.browser_hash == browser_hash else None

    async def answered(self, uri: str) -> bool:
        """It is over. False: it was before, so that one answer alone leaves."""
        gone = delete(OidcPushed).where(OidcPushed.uri_hash == token_hash(uri)).returning(OidcPushed.uri_hash)
        async with self._database.write() as session:
            return await session.scalar(gone) is not None

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(OidcPushed).where(OidcPushed.expires_at < now))
