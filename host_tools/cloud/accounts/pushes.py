"""Web Push subscriptions: one for each trusted browser that wants to be told while no page is open."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import trusted
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import PUSH
from host_tools.cloud.delivery.web_push import is_allowed
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import TrustedBrowser
from host_tools.cloud.store.push_models import PushSubscription
from host_tools.cloud.store.secret_box import SecretBox, new_id

ENDPOINT_MAX = 1000
AUTH_BYTES = 16  # RFC 8291 section 3.2
NOT_TRUSTED = N_("Only a browser that you trust can be told. Sign in here again, and trust it.")
NO_SUBSCRIPTION = N_("The browser gave no subscription that can be used. Try again, or another browser.")


class Pushes:
    """services: the push services that may be written to (delivery/web_push.py)."""

    def __init__(self, database: Database, box: SecretBox, services: tuple[str, ...]):
        self._database = database
        self._box = box
        self._services = services

    async def subscribe(self, text: str, visit: Visit) -> None:
        """text: PushSubscription.toJSON() of the browser. Raises RefusedError."""
        found = parsed(text)
        if found is None or PUSH not in visit.channels or not is_allowed(found["endpoint"], self._services):
            raise RefusedError("", NO_SUBSCRIPTION)
        account_id = visit.signed_in.id
        async with self._database.write() as session:
            if not await trusted.is_trusted(session, account_id, visit):
                raise RefusedError("", NOT_TRUSTED)
            await session.execute(_of_browser(visit))
            row = PushSubscription(id=new_id(), account_id=account_id, browser_hash=visit.browser_hash)
            row.sealed, row.created_at = self._box.seal(json.dumps(found)), visit.now
            session.add(row)

    async def unsubscribe(self, visit: Visit) -> None:
        async with self._database.write() as session:
            await session.execute(_of_browser(visit))

    async def state(self, visit: Visit) -> str:
        """Of this browser: "on", "off", or "" where it cannot be told."""
        async with self._database.read() as session:
            if PUSH not in visit.channels or not await trusted.is_trusted(session, visit.signed_in.id, visit):
                return ""
            mine = (
                PushSubscription.account_id == visit.signed_in.id,
                PushSubscription.browser_hash == visit.browser_hash,
            )
            return "on" if await session.scalar(select(PushSubscription.id).where(*mine)) else "off"

    async def opened(self, subscription_id: str) -> dict[str, Any] | None:
        async with self._database.read() as session:
            row = await session.get(PushSubscription, subscription_id)
        return None if row is None else json.loads(self._box.open(row.sealed))

    async def forget(self, subscription_id: str) -> None:
        gone = delete(PushSubscription).where(PushSubscription.id == subscription_id)
        async with self._database.write() as session:
            await session.execute(gone)

    async def prune(self, now: float) -> None:
        """Those of browsers that are trusted no more: they are told nothing anyway."""
        known = select(TrustedBrowser.id).where(
            TrustedBrowser.account_id == PushSubscription.account_id,
            TrustedBrowser.browser_hash == PushSubscription.browser_hash,
            TrustedBrowser.used_at > now - trusted.TRUSTED_S,
        )
        async with self._database.write() as session:
            await session.execute(delete(PushSubscription).where(~known.exists()))


async def told_browsers(session: AsyncSession, account_id: str, visit: Visit) -> list[str]:
    """The subscriptions of the other browsers that are trusted now."""
    return list(await session.scalars(trusted.subscribed(account_id, visit)))


def parsed(text: str) -> dict[str, Any] | None:
    """{"endpoint", "keys"} of a subscription, or None where a message could not be encrypted for it."""
    try:
        given = json.loads(text)
        endpoint, keys = given["endpoint"], given["keys"]
        point, auth = _bytes(keys["p256dh"]), _bytes(keys["auth"])
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(endpoint, str) or len(endpoint) > ENDPOINT_MAX or len(auth) != AUTH_BYTES:
        return None
    return {"endpoint": endpoint, "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]}}


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _of_browser(visit: Visit):
    mine = PushSubscription.account_id == visit.signed_in.id
    return delete(PushSubscription).where(mine, PushSubscription.browser_hash == visit.browser_hash)
