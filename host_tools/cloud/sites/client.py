"""A site of ours as a client of our own OpenID provider, where it has an address of its own (kinds.py).

It is registered by itself, with a key of its own, signs people in by the code flow with PKCE (outside/), and
ends a session when the provider says so (OpenID Connect Back-Channel Logout 1.0). It is ours: nobody is asked
to agree.

No password is typed there. Before something sensitive the account asks its person again (prompt=login), and
the session counts as proved for a few minutes (accounts/proof.py).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.oidc.decision import FRESH_S
from host_tools.cloud.oidc.described import CODE, Described
from host_tools.cloud.oidc.logins import EVENT
from host_tools.cloud.outside.config import Outside
from host_tools.cloud.outside.flow import AWAY, FAILED, LASTS_S, NOT_AGAIN, PROVE, Flow, Question
from host_tools.cloud.outside.identity import LEEWAY_S, Unbelievable, asked_again, of_claims
from host_tools.cloud.outside.own_key import OwnKey, make_key
from host_tools.cloud.outside.provider import Away, Provider
from host_tools.cloud.parts import Parts
from host_tools.cloud.sites.kinds import Kind
from host_tools.cloud.sites.sessions import SiteSessions
from host_tools.cloud.store.push_models import KeptSecret

ACCOUNT = "account"  # the provider's name in a question
SIGNED_IN, SIGNED_OUT, LOGGED_OUT = "/signed-in", "/signed-out", "/backchannel-logout"


class SiteClient:
    def __init__(self, kind: Kind, parts: Parts, provider: Provider):
        settings = parts.settings
        self.kind = kind
        self._parts = parts
        self._provider = provider
        self.url, self.account_url = settings.origins[kind.name].url, settings.public_url
        self.sessions = SiteSessions(parts.database, kind.client_id, parts.settings.passkeys_for)
        self._flow = Flow({ACCOUNT: provider}, parts.box, parts.turnstile, self.url, back=SIGNED_IN)

    async def begin(self, to: str, visit: Visit) -> tuple[str, str]:
        """The address that asks the account, and the cookie. `to`: where the person was going here. Raises
        RefusedError."""
        return await self._flow.begin(ACCOUNT, self.kind.own_path(to), visit)

    async def prove(self, to: str, visit: Visit) -> tuple[str, str]:
        """As `begin`, but its person is asked again who has been signed in there for a while."""
        return await self._flow.begin(ACCOUNT, PROVE + self.kind.own_path(to), visit)

    async def signed_in(self, cookie: str, given: Mapping[str, str], visit: Visit) -> tuple[str, str]:
        """A new session's token, and where its person was going. Raises RefusedError."""
        question = await self._flow.answered(ACCOUNT, cookie, given, visit)
        try:
            claims = await self._provider.claims(
                given["code"], self.url + SIGNED_IN, question.nonce, question.verifier
            )
        except (Away, Unbelievable) as error:
            raise RefusedError("", AWAY) from error
        account_session = claims.get("sid")
        if not isinstance(account_session, str) or not account_session:
            raise RefusedError("", FAILED)
        proved_at = _proved_at(question, claims, visit.now)
        token = await self.sessions.begin(claims["sub"], account_session, visit, proved_at)
        if token is None:
            raise RefusedError("", FAILED)
        return token, self.kind.own_path(question.purpose.removeprefix(PROVE))

    def logout_address(self) -> str:
        """Where the account asks whether to sign out there too (RP-Initiated Logout 1.0 section 2)."""
        fields = {"client_id": self.kind.client_id, "post_logout_redirect_uri": self.url + SIGNED_OUT}
        return f"{self.account_url}/oidc/logout?{urlencode(fields)}"

    async def logged_out(self, token: str) -> None:
        """The account says that a session is over. Raises Unbelievable, Away."""
        claims = await self._provider.verified(token)
        check_logout(claims, self.account_url, self.kind.client_id, self._parts.clock())
        until = float(claims["exp"]) + LEEWAY_S
        if not await self.sessions.end_of(claims["sid"], claims["sub"], claims["jti"], until):
            raise Unbelievable("it was used before")
        self._parts.bus.publish(f"account:{claims['sub']}")  # its live pages end at once

    async def prune(self, now: float) -> None:
        await self.sessions.prune(now)


def _proved_at(question: Question, claims: Mapping[str, Any], now: float) -> float | None:
    """Now, if that is what was asked for. Whoever has just signed in is not asked twice (oidc/decision.py).
    Raises RefusedError where the account has not asked."""
    if not question.purpose.startswith(PROVE):
        return None
    asked_at = question.until - LASTS_S
    if not asked_again(of_claims(ACCOUNT, claims), asked_at - FRESH_S, now):
        raise RefusedError("", NOT_AGAIN)
    return now


async def make(kind: Kind, parts: Parts, trusted: ssl.SSLContext) -> SiteClient:
    """Register it with the provider, or anew where its address has changed. Raises WrongClient."""
    url = parts.settings.origins[kind.name].url
    back, after = (url + SIGNED_IN,), (url + SIGNED_OUT,)
    key = OwnKey(await _key(kind, parts), kind.client_id, parts.clock)
    described = Described(kind.client_id, kind.title, back, after, url + LOGGED_OUT, ("openid",), ours=True)
    own = described._replace(jwks=key.public, grants=(CODE,))
    await parts.oidc.clients.ensure(own, secret="")
    outside = Outside(ACCOUNT, kind.title, parts.settings.public_url, kind.client_id, client_secret="")
    return SiteClient(kind, parts, Provider(outside, parts.clock, trusted, key))


async def _key(kind: Kind, parts: Parts) -> str:
    """Made once, and kept sealed."""
    async with parts.database.write() as session:
        row = await session.get(KeptSecret, kind.key)
        if row is None:
            row = KeptSecret(name=kind.key, sealed=parts.box.seal(make_key()))
            session.add(row)
    return parts.box.open(row.sealed)


def check_logout(claims: Mapping[str, Any], issuer: str, client_id: str, now: float) -> None:
    """Section 2.6 of Back-Channel Logout. The signature was checked before. Raises Unbelievable."""
    audience, events = claims.get("aud"), claims.get("events")
    expires, issued = claims.get("exp"), claims.get("iat")
    faults = {
        "it is of another issuer": claims.get("iss") != issuer,
        "it is for another client": audience not in (client_id, [client_id]),
        "it has expired": not (isinstance(expires, int | float) and now <= expires + LEEWAY_S),
        "it is of the future": not (isinstance(issued, int | float) and issued <= now + LEEWAY_S),
        "it is no logout token": not isinstance(events, dict) or EVENT not in events,
        "it is an ID token": "nonce" in claims,
        "it names nothing": not all(isinstance(claims.get(name), str) for name in ("sub", "sid", "jti")),
    }
    for text, broken in faults.items():
        if broken:
            raise Unbelievable(text)
