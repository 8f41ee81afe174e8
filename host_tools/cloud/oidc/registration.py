"""Registering applications, changing and removing them, each in the transaction of who asks: the console
(clients.py), or staff on their page, where it is proved and told (registrar.py).
"""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.languages.text import N_
from host_tools.cloud.oidc.described import Changed, Described, WrongClient, checked
from host_tools.cloud.oidc.tokens import ACCESS
from host_tools.cloud.store.oidc_models import OidcClient, OidcCode, OidcDevice, OidcPushed, OidcToken
from host_tools.cloud.store.secret_box import new_token, token_hash

SECRET_PREFIX = "glc_"  # so that a scanner of repositories finds one that was left there
HAS_IT = N_("There is an application %(id)s already.")
NO_SECRET = N_("This application has no secret.")


async def register(session: AsyncSession, described: Described, now: float) -> str:
    """Returns its secret, which is stored nowhere; "" for one that has none. Raises WrongClient."""
    described = checked(described)
    if await session.get(OidcClient, described.id) is not None:
        raise WrongClient("id", HAS_IT, id=described.id)
    secret = "" if described.public or described.jwks else SECRET_PREFIX + new_token()
    session.add(row_of(described, secret, now))
    return secret


def row_of(described: Described, secret: str, now: float) -> OidcClient:
    """described: as it was checked."""
    row = OidcClient(id=described.id, name=described.name, ours=described.ours, created_at=now)
    row.secret_hash = token_hash(secret) if secret else ""
    row.scope = " ".join(described.scope)
    _write(row, described)
    return row


def description(client: OidcClient) -> Described:
    return Described(
        id=client.id,
        name=client.name,
        redirect_uris=_lines(client.redirect_uris),
        after_logout_uris=_lines(client.after_logout_uris),
        logout_uri=client.logout_uri,
        scope=client.scope.split(),
        public=client.public,
        ours=client.ours,
        jwks=client.jwks,
        grants=client.grants.split(),
        dpop_bound=client.dpop_bound,
        pushed_only=client.pushed_only,
        plain=client.plain,
        public_only=client.public_only,
    )


def altered(client: OidcClient, changed: Changed) -> Described:
    """The client as it would be. Raises WrongClient."""
    said = {name: value for name, value in changed._asdict().items() if value is not None}
    described = description(client)._replace(**said)
    return checked(described._replace(public=described.public and not described.jwks))


async def alter(session: AsyncSession, client: OidcClient, changed: Changed) -> None:
    """One that gets a key has its secret no more. One that becomes strict has no unbound token.

    Raises WrongClient.
    """
    described, was_plain = altered(client, changed), client.plain
    _write(client, described)
    if was_plain and not described.plain:
        unbound = (OidcToken.client_id == client.id, OidcToken.kind == ACCESS, OidcToken.jkt == "")
        await session.execute(delete(OidcToken).where(*unbound))


async def shut(session: AsyncSession, client: OidcClient, now: float) -> None:
    """Until it is enabled it gets nothing, and all that it holds is void. What people agreed to stays."""
    client.disabled_at = now
    for table in (OidcToken, OidcCode, OidcDevice, OidcPushed):
        await session.execute(delete(table).where(table.client_id == client.id))


def renew_secret(client: OidcClient) -> str:
    """Voids the one before. Raises WrongClient."""
    if not client.secret_hash:
        raise WrongClient("", NO_SECRET)
    secret = SECRET_PREFIX + new_token()
    client.secret_hash = token_hash(secret)
    return secret


def _write(row: OidcClient, described: Described) -> None:
    row.redirect_uris = "\n".join(described.redirect_uris)
    row.after_logout_uris = "\n".join(described.after_logout_uris)
    row.logout_uri = described.logout_uri
    row.grants = " ".join(described.grants)
    row.dpop_bound, row.pushed_only, row.plain = described.dpop_bound, described.pushed_only, described.plain
    row.public_only, row.jwks = described.public_only, described.jwks
    if row.jwks:
        row.secret_hash = ""


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []
