"""The applications that are known: registered by the operator, each proved by its key, its secret, or by PKCE
alone.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import delete, select

from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc import assertions
from host_tools.cloud.oidc.requests import SCOPES, Known, fault_of_address
from host_tools.cloud.oidc.signed import Unproved
from host_tools.cloud.oidc.spent import Spent
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient
from host_tools.cloud.store.secret_box import new_token, token_hash

CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,38}")
NAME_MAX = 80
# How a client may come to tokens, and what one may that is registered without a word about it.
CODE, REFRESH, DEVICE = "authorization_code", "refresh_token", "device_code"
GRANTS = (CODE, REFRESH, DEVICE)
USUAL_GRANTS = (CODE, REFRESH)
SECRET_PREFIX = "glc_"  # so that a scanner of repositories finds one that was left there


class WrongClient(ValueError):  # noqa: N818
    """What is wrong with an application's description, as a sentence."""


class Described(NamedTuple):
    """An application as its operator describes it.

    Addresses are absolute URLs. jwks: its public keys (RFC 7517), in JSON; with some it gets no secret.
    """

    id: str
    name: str
    redirect_uris: Sequence[str]
    after_logout_uris: Sequence[str] = ()
    logout_uri: str = ""
    scope: Sequence[str] = SCOPES
    public: bool = False
    ours: bool = False
    jwks: str = ""
    grants: Sequence[str] = USUAL_GRANTS
    dpop_bound: bool = False
    pushed_only: bool = False


class Changed(NamedTuple):
    """What becomes of a client; None stays."""

    jwks: str | None = None
    grants: Sequence[str] | None = None
    dpop_bound: bool | None = None
    pushed_only: bool | None = None


class Clients:
    def __init__(self, database: Database, clock: Clock, spent: Spent | None = None):
        self._database = database
        self._clock = clock
        self._spent = spent or Spent(database)

    async def find(self, client_id: str) -> OidcClient | None:
        if not CLIENT_ID.fullmatch(client_id):
            return None
        async with self._database.read() as session:
            return await session.get(OidcClient, client_id)

    async def all(self) -> list[OidcClient]:
        async with self._database.read() as session:
            return list(await session.scalars(select(OidcClient).order_by(OidcClient.id)))

    async def proved(self, client_id: str, secret: str) -> OidcClient | None:
        """The client, if the secret is its own; a public one comes without, and is held by PKCE alone."""
        client = await self.find(client_id)
        wanted = client.secret_hash if client else token_hash("")
        given = token_hash(secret) if secret else ""
        right = hmac.compare_digest(given, wanted)
        return client if right and client and not client.jwks else None

    async def asserted(self, assertion: str, client_id: str, audiences: Collection[str]) -> OidcClient:
        """The client whose key has signed this, for the first time. client_id: whom the form names, or "".

        Raises Unproved.
        """
        named = assertions.subject(assertion)
        client = await self.find(named) if client_id in ("", named) else None
        if client is None or not client.jwks:
            raise Unproved("it names no client that has a key here")
        now = self._clock()
        taken = assertions.check(assertion, client.id, client.jwks, audiences, now)
        if not await self._spent.first_time("assertion", client.id, taken.jti, taken.until, now):
            raise Unproved("it came before: sign a new one each time")
        return client

    async def add(self, described: Described) -> str:
        """Register it. Returns its secret, which is stored nowhere; "" for a public one.

        Raises WrongClient.
        """
        check(described)
        secret = "" if described.public or described.jwks else self.secret()
        async with self._database.write() as session:
            if await session.get(OidcClient, described.id) is not None:
                raise WrongClient(f"there is a client {described.id} already")
            session.add(self._row(described, secret))
        return secret

    def secret(self) -> str:
        return SECRET_PREFIX + new_token()

    async def ensure(self, described: Described, secret: str) -> None:
        """A client of our own, as it is described now. Raises WrongClient where an operator's has its id."""
        check(described)
        async with self._database.write() as session:
            found = await session.get(OidcClient, described.id)
            if found is not None and not found.ours:
                raise WrongClient(f"the id {described.id} is taken: remove that client, or keep its place")
            row = self._row(described, secret)
            if found is not None:
                row.created_at = found.created_at
            await session.merge(row)

    async def change(self, client_id: str, changed: Changed) -> None:
        """Raises WrongClient. A client that gets a key has its secret no more."""
        async with self._database.write() as session:
            client = await session.get(OidcClient, client_id)
            if client is None:
                raise WrongClient(f"there is no client {client_id}")
            if changed.jwks is not None:
                client.jwks, client.secret_hash = _keys(changed.jwks), ""
            if changed.grants is not None:
                client.grants = _grants(changed.grants)
            if changed.dpop_bound is not None:
                client.dpop_bound = changed.dpop_bound
            if changed.pushed_only is not None:
                client.pushed_only = changed.pushed_only

    async def remove(self, client_id: str) -> bool:
        """Its tokens and consents go with it."""
        gone = delete(OidcClient).where(OidcClient.id == client_id).returning(OidcClient.id)
        async with self._database.write() as session:
            return await session.scalar(gone) is not None

    async def new_secret(self, client_id: str) -> str:
        """Raises WrongClient where there is none, or it keeps no secret."""
        async with self._database.write() as session:
            client = await session.get(OidcClient, client_id)
            if client is None or not client.secret_hash:
                raise WrongClient(f"there is no client {client_id} with a secret")
            secret = SECRET_PREFIX + new_token()
            client.secret_hash = token_hash(secret)
        return secret

    def _row(self, described: Described, secret: str) -> OidcClient:
        return OidcClient(
            id=described.id,
            name=described.name,
            secret_hash=token_hash(secret) if secret else "",
            jwks=_keys(described.jwks) if described.jwks else "",
            grants=_grants(described.grants),
            dpop_bound=described.dpop_bound,
            pushed_only=described.pushed_only,
            redirect_uris="\n".join(described.redirect_uris),
            after_logout_uris="\n".join(described.after_logout_uris),
            logout_uri=described.logout_uri,
            scope=" ".join(scope for scope in SCOPES if scope in described.scope),
            ours=described.ours,
            created_at=self._clock(),
        )


def known(client: OidcClient | None) -> Known | None:
    """What its questions are checked against. Who may not refresh can do nothing while its person is away."""
    if client is None:
        return None
    scope = tuple(one for one in client.scope.split() if one != "offline_access" or may(client, REFRESH))
    return Known(client.id, tuple(client.redirect_uris.split("\n")), scope)


def may(client: OidcClient, grant: str) -> bool:
    return grant in client.grants.split()


def check(described: Described) -> None:
    """Raises WrongClient."""
    if not CLIENT_ID.fullmatch(described.id):
        raise WrongClient("a client's id has 2 to 39 small letters, digits, dots, hyphens and underscores")
    if not 0 < len(described.name.strip()) <= NAME_MAX or not described.name.isprintable():
        raise WrongClient(f"a client has a name of at most {NAME_MAX} characters: people read it")
    if unknown := set(described.scope) - set(SCOPES):
        raise WrongClient(f"there is no scope {sorted(unknown)[0]}: choose among {', '.join(SCOPES)}")
    if described.public and described.jwks:
        raise WrongClient("a public client keeps no key: leave out one of the two")
    if "openid" not in described.scope:
        raise WrongClient("the scope openid is what every client asks for")
    if not described.redirect_uris:
        raise WrongClient("a client has at least one address that is told the answer")
    addresses = [*described.redirect_uris, *described.after_logout_uris]
    for uri in [*addresses, *filter(None, [described.logout_uri])]:
        if fault := fault_of_address(uri):
            raise WrongClient(f"{uri} cannot be registered: {fault}")
    if described.logout_uri and not described.logout_uri.startswith(("https:", "http:")):
        raise WrongClient(f"{described.logout_uri} cannot be told of a logout: it must be https")


def _grants(grants: Sequence[str]) -> str:
    if unknown := set(grants) - set(GRANTS):
        raise WrongClient(f"there is no grant {sorted(unknown)[0]}: choose among {', '.join(GRANTS)}")
    if not set(grants) - {REFRESH}:
        raise WrongClient(f"a client has {CODE} or {DEVICE}, or nothing to refresh")
    return " ".join(grant for grant in GRANTS if grant in grants)


def _keys(text: str) -> str:
    try:
        return assertions.read_keys(text)
    except assertions.WrongKeys as error:
        raise WrongClient(str(error)) from error
