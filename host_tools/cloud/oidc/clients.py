"""The applications that are known: registered by the operator, each proved by its secret or by PKCE alone."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, select

from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc.requests import SCOPES, Known, fault_of_address
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient
from host_tools.cloud.store.secret_box import new_token, token_hash

CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,38}")
NAME_MAX = 80
SECRET_PREFIX = "glc_"  # so that a scanner of repositories finds one that was left there


class WrongClient(ValueError):  # noqa: N818
    """What is wrong with an application's description, as a sentence."""


class Described(NamedTuple):
    """An application as its operator describes it. Addresses are absolute URLs."""

    id: str
    name: str
    redirect_uris: Sequence[str]
    after_logout_uris: Sequence[str] = ()
    logout_uri: str = ""
    scope: Sequence[str] = SCOPES
    public: bool = False
    ours: bool = False


class Clients:
    def __init__(self, database: Database, clock: Clock):
        self._database = database
        self._clock = clock

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
        return client if hmac.compare_digest(given, wanted) and client else None

    async def add(self, described: Described) -> str:
        """Register it. Returns its secret, which is stored nowhere; "" for a public one.

        Raises WrongClient.
        """
        check(described)
        secret = "" if described.public else self.secret()
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
            redirect_uris="\n".join(described.redirect_uris),
            after_logout_uris="\n".join(described.after_logout_uris),
            logout_uri=described.logout_uri,
            scope=" ".join(scope for scope in SCOPES if scope in described.scope),
            ours=described.ours,
            created_at=self._clock(),
        )


def assured(client: OidcClient, redirect_uri: str) -> bool:
    """Whether nobody else can be at that address in this client's name (RFC 8252 section 8.6).

    Of an app that keeps no secret, any program of the same computer may open the port or take the scheme.
    """
    return bool(client.secret_hash) or redirect_uri.startswith("https:")


def known(client: OidcClient | None) -> Known | None:
    if client is None:
        return None
    return Known(client.id, tuple(client.redirect_uris.split("\n")), tuple(client.scope.split()))


def check(described: Described) -> None:
    """Raises WrongClient."""
    if not CLIENT_ID.fullmatch(described.id):
        raise WrongClient("a client's id has 2 to 39 small letters, digits, dots, hyphens and underscores")
    if not 0 < len(described.name.strip()) <= NAME_MAX or not described.name.isprintable():
        raise WrongClient(f"a client has a name of at most {NAME_MAX} characters: people read it")
    if unknown := set(described.scope) - set(SCOPES):
        raise WrongClient(f"there is no scope {sorted(unknown)[0]}: choose among {', '.join(SCOPES)}")
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
