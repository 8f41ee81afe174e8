"""Who is signed in where, and telling the applications when a session is over.

A session ends in many ways: at sign-out, from another browser, by a new password, by time. The row of a
login outlives it; a login whose session is gone is one that its application has not heard of. So nothing that
ends a session needs to know of applications (OpenID Connect Back-Channel Logout 1.0).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from typing import Any

import aiohttp
from aiohttp import TCPConnector
from sqlalchemy import delete, exists, select, update

from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc.keys import Keys
from host_tools.cloud.public_addresses import PublicResolver, names_public
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Session
from host_tools.cloud.store.oidc_models import OidcClient, OidcLogin, OidcToken
from host_tools.cloud.store.secret_box import new_id

LOOK_S = 10  # between two looks for sessions that are over; a sign-out wakes us
BATCH = 20
TELL_TIMEOUT_S = 10
TELL_AGAIN_S = (10, 60, 600, 3600, 6 * 3600)  # then the application is away, and its own sessions end by time
LOGOUT_TOKEN_S = 120
EVENT = "http://schemas.openid.net/event/backchannel-logout"

log = logging.getLogger("cloud.oidc")


def session_name(session_id: str, client_id: str) -> str:
    """The claim sid: another one for each application, so that two cannot compare.

    Without a key, so that none is rotated under a session: nobody guesses the 120 bits of a session's id.
    """
    return hashlib.sha256(f"oidc sid\0{session_id}\0{client_id}".encode()).hexdigest()[:32]


class Logins:
    def __init__(self, database: Database, keys: Keys, clock: Clock, issuer: str):
        self._database = database
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """A session has ended just now."""
        self._wanted.set()

    async def run(self, trusted: ssl.SSLContext) -> None:
        """Tell what is due, look again soon, for ever. `trusted`: who may sign for an application."""
        timeout = aiohttp.ClientTimeout(total=TELL_TIMEOUT_S)
        public = TCPConnector(ssl=trusted, resolver=PublicResolver())
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=TCPConnector(ssl=trusted)) as anywhere,
            aiohttp.ClientSession(timeout=timeout, connector=public) as outside,
        ):
            while True:
                self._wanted.clear()
                await self.tell(anywhere, outside)
                try:
                    await asyncio.wait_for(self._wanted.wait(), LOOK_S)
                except TimeoutError:
                    continue  # it is time to look

    async def tell(self, anywhere: aiohttp.ClientSession, outside: aiohttp.ClientSession) -> None:
        """Tell the applications of the logins that are over. Tokens that lived with them go too.

        outside: calls the internet alone, for who was registered by staff.
        """
        over = ~exists().where(Session.id == OidcLogin.session_id)
        joined = select(OidcLogin, OidcClient).join(OidcClient, OidcClient.id == OidcLogin.client_id)
        due = joined.where(over, OidcLogin.due_at <= self._clock()).limit(BATCH)
        async with self._database.read() as session:
            rows = [(row[0], row[1]) for row in await session.execute(due)]
        told = ((outside if client.public_only else anywhere, login, client) for login, client in rows)
        await asyncio.gather(*(self._tell_one(*each) for each in told))

    async def _tell_one(self, http: aiohttp.ClientSession, login: OidcLogin, client: OidcClient) -> None:
        if client.logout_uri and not await self._told(http, login, client):
            if login.attempts < len(TELL_AGAIN_S):
                later = {
                    "attempts": login.attempts + 1,
                    "due_at": self._clock() + TELL_AGAIN_S[login.attempts],
                }
                async with self._database.write() as session:
                    await session.execute(update(OidcLogin).where(*_is(login)).values(later))
                return
            log.warning("client %s was not told of a logout", client.id)
        async with self._database.write() as session:
            await session.execute(delete(OidcLogin).where(*_is(login)))
            await session.execute(delete(OidcToken).where(OidcToken.session_id == login.session_id))

    async def _told(self, http: aiohttp.ClientSession, login: OidcLogin, client: OidcClient) -> bool:
        """Section 2.5. Redirects are not followed: the token is for one address."""
        if client.public_only and not names_public(client.logout_uri):
            return False
        token = await self._keys.sign(self._claims(login), "logout+jwt")
        fields = {"logout_token": token}
        try:
            async with http.post(client.logout_uri, data=fields, allow_redirects=False) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("client %s did not take a logout: %s", client.id, type(error).__name__)
            return False

    def _claims(self, login: OidcLogin) -> dict[str, Any]:
        """Section 2.4."""
        now = int(self._clock())
        return {
            "iss": self._issuer,
            "aud": login.client_id,
            "sub": login.account_id,
            "sid": session_name(login.session_id, login.client_id),
            "iat": now,
            "exp": now + LOGOUT_TOKEN_S,
            "jti": new_id(),
            "events": {EVENT: {}},
        }


def _is(login: OidcLogin):
    return OidcLogin.session_id == login.session_id, OidcLogin.client_id == login.client_id
