"""The help centre as a client of our own OpenID provider, where it has an address of its own.

It is registered by itself, signs people in by the code flow with PKCE (outside/), and ends a session when the
provider says so (OpenID Connect Back-Channel Logout 1.0). It is ours: nobody is asked to agree.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.help.sessions import HelpSessions
from host_tools.cloud.oidc.clients import Described
from host_tools.cloud.oidc.logins import EVENT
from host_tools.cloud.outside.config import Outside
from host_tools.cloud.outside.flow import AWAY, FAILED, Flow
from host_tools.cloud.outside.identity import LEEWAY_S, Unbelievable
from host_tools.cloud.outside.provider import Away, Provider
from host_tools.cloud.parts import Parts
from host_tools.cloud.store.push_models import KeptSecret

CLIENT_ID = "help-centre"
NAME = "Gatelodge help"
SECRET = "help centre's client secret"  # noqa: S105 - the name that it is kept by
PORTAL = "portal"  # the provider's name in a question
SIGNED_IN, SIGNED_OUT, LOGGED_OUT = "/signed-in", "/signed-out", "/backchannel-logout"
HOME = "/help"
PATH_MAX = 200


class HelpSite:
    def __init__(self, parts: Parts, provider: Provider):
        settings = parts.settings
        self._parts = parts
        self._provider = provider
        self.url, self.portal = settings.help_url, settings.public_url
        self.sessions = HelpSessions(parts.database)
        self._flow = Flow({PORTAL: provider}, parts.box, parts.turnstile, self.url, back=SIGNED_IN)

    async def begin(self, to: str, visit: Visit) -> tuple[str, str]:
        """The address that asks the portal, and the cookie. `to`: where the person was going here. Raises
        RefusedError."""
        return await self._flow.begin(PORTAL, own_path(to), visit)

    async def signed_in(self, cookie: str, given: Mapping[str, str], visit: Visit) -> tuple[str, str]:
        """A new session's token, and where its person was going. Raises RefusedError."""
        question = await self._flow.answered(PORTAL, cookie, given, visit)
        try:
            claims = await self._provider.claims(
                given["code"], self.url + SIGNED_IN, question.nonce, question.verifier
            )
        except (Away, Unbelievable) as error:
            raise RefusedError("", AWAY) from error
        portal_session = claims.get("sid")
        if not isinstance(portal_session, str) or not portal_session:
            raise RefusedError("", FAILED)
        token = await self.sessions.begin(claims["sub"], portal_session, visit.now)
        if token is None:
            raise RefusedError("", FAILED)
        return token, own_path(question.purpose)

    def logout_address(self) -> str:
        """Where the portal asks whether to sign out there too (RP-Initiated Logout 1.0 section 2)."""
        fields = {"client_id": CLIENT_ID, "post_logout_redirect_uri": self.url + SIGNED_OUT}
        return f"{self.portal}/oidc/logout?{urlencode(fields)}"

    async def logged_out(self, token: str) -> None:
        """The portal says that a session is over. Raises Unbelievable, Away."""
        claims = await self._provider.verified(token)
        check_logout(claims, self.portal, self._parts.clock())
        until = float(claims["exp"]) + LEEWAY_S
        if not await self.sessions.end_of(claims["sid"], claims["sub"], claims["jti"], until):
            raise Unbelievable("it was used before")

    async def prune(self, now: float) -> None:
        await self.sessions.prune(now)


async def make(parts: Parts, trusted: ssl.SSLContext) -> HelpSite:
    """Register it with the provider, or anew where its address has changed. Raises WrongClient."""
    url = parts.settings.help_url
    described = Described(
        CLIENT_ID, NAME, (url + SIGNED_IN,), (url + SIGNED_OUT,), url + LOGGED_OUT, ("openid",), ours=True
    )
    secret = await _secret(parts)
    await parts.oidc.clients.ensure(described, secret)
    outside = Outside(PORTAL, NAME, parts.settings.public_url, CLIENT_ID, secret)
    return HelpSite(parts, Provider(outside, parts.clock, trusted))


async def _secret(parts: Parts) -> str:
    """Made once, and kept sealed."""
    async with parts.database.write() as session:
        row = await session.get(KeptSecret, SECRET)
        if row is None:
            row = KeptSecret(name=SECRET, sealed=parts.box.seal(parts.oidc.clients.secret()))
            session.add(row)
    return parts.box.open(row.sealed)


def check_logout(claims: Mapping[str, Any], issuer: str, now: float) -> None:
    """Section 2.6 of Back-Channel Logout. The signature was checked before. Raises Unbelievable."""
    audience, events = claims.get("aud"), claims.get("events")
    expires, issued = claims.get("exp"), claims.get("iat")
    faults = {
        "it is of another issuer": claims.get("iss") != issuer,
        "it is for another client": audience not in (CLIENT_ID, [CLIENT_ID]),
        "it has expired": not (isinstance(expires, int | float) and now <= expires + LEEWAY_S),
        "it is of the future": not (isinstance(issued, int | float) and issued <= now + LEEWAY_S),
        "it is no logout token": not isinstance(events, dict) or EVENT not in events,
        "it is an ID token": "nonce" in claims,
        "it names nothing": not all(isinstance(claims.get(name), str) for name in ("sub", "sid", "jti")),
    }
    for text, broken in faults.items():
        if broken:
            raise Unbelievable(text)


def own_path(to: str) -> str:
    """A path of this site, whatever it was: nobody is led to another one."""
    is_path = to.startswith(("/help", "/desk")) and len(to) <= PATH_MAX and to.isascii() and to.isprintable()
    return to if is_path and not any(each in to for each in "\\?#") else HOME
