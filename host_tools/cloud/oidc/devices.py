"""Sign-in on something without a keyboard: it shows a short code, its owner enters that elsewhere (RFC 8628).

waiting ──approved──> approved ──token──> gone
waiting ──denied──> denied            waiting, too late ──> gone
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from sqlalchemy import delete, select

from host_tools.cloud.accounts.errors import NotTheirsError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.oidc.consents import connect
from host_tools.cloud.oidc.grants import Given, GrantError, Grants
from host_tools.cloud.oidc.tokens import Binding, Origin
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient, OidcDevice
from host_tools.cloud.store.secret_box import SecretBox, new_id, new_token, token_hash

# Section 6.1: no vowels, so that no word appears; 20 letters, 8 places: 34 bits, and attempts are throttled.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LETTERS = 8
LASTS_S = 600
INTERVAL_S = 5
SLOWER_S = 5  # section 3.5: whoever asks too often waits longer from then on
WAITING, APPROVED, DENIED = "waiting", "approved", "denied"


class Begun(NamedTuple):
    device_code: str
    user_code: str  # BCDF-GHJK


class Devices:
    def __init__(self, database: Database, box: SecretBox, turnstile: Turnstile, grants: Grants):
        self._database = database
        self._box = box
        self._turnstile = turnstile
        self._grants = grants

    async def begin(self, client: OidcClient, scope: tuple[str, ...], address: str, now: float) -> Begun:
        device_code, letters = new_token(), "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
        row = OidcDevice(device_hash=token_hash(device_code), user_code_hash=self._hash(letters))
        row.client_id, row.scope, row.state, row.address = client.id, " ".join(scope), WAITING, address[:64]
        row.signed_in_at, row.asked_at, row.interval_s = 0.0, 0.0, INTERVAL_S
        row.expires_at = now + LASTS_S
        async with self._database.write() as session:
            session.add(row)
        return Begun(device_code, f"{letters[:4]}-{letters[4:]}")

    async def look(self, user_code: str, visit: Visit) -> tuple[OidcDevice, OidcClient] | None:
        """Who waits for this code. Counts an attempt. Raises ThrottledError."""
        await self._turnstile.take("device", account=visit.signed_in.id, address=visit.address)
        found = select(OidcDevice, OidcClient).join(OidcClient, OidcClient.id == OidcDevice.client_id)
        hashes = self._box.keyed_hashes("oidc user code", letters_of(user_code))
        waiting = (OidcDevice.state == WAITING, OidcDevice.expires_at > visit.now)
        mine = found.where(OidcDevice.user_code_hash.in_(hashes), *waiting)
        async with self._database.read() as session:
            row = (await session.execute(mine)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def answer(self, device_hash: str, agrees: bool, visit: Visit) -> None:
        """Raises NotTheirsError where nobody waits any more."""
        async with self._database.write() as session:
            row = await session.get(OidcDevice, device_hash)
            if row is None or row.state != WAITING or visit.now >= row.expires_at:
                raise NotTheirsError
            row.state = APPROVED if agrees else DENIED
            row.account_id, row.signed_in_at = visit.signed_in.id, visit.open_session.created_at
            client = await session.get_one(OidcClient, row.client_id)
            if agrees:
                await connect(session, client, tuple(row.scope.split()), visit)
            note(
                session, visit.signed_in.id, "device_added" if agrees else "device_denied", visit, client.name
            )

    async def token(self, client: OidcClient, device_code: str, now: float, jkt: str = "") -> Given:
        """jkt: of the key that whoever asks has proved.

        Raises GrantError, also to say that the person has not answered yet.
        """
        async with self._database.write() as session:
            row = await session.get(OidcDevice, token_hash(device_code))
            if row is None or row.client_id != client.id or now >= row.expires_at:
                raise GrantError("expired_token", "the code is over: begin again")
            too_early = now < row.asked_at + row.interval_s
            row.asked_at, row.interval_s = now, row.interval_s + (SLOWER_S if too_early else 0)
            state = row.state
            given = None
            if state == APPROVED and not too_early:
                family = Origin(client.id, row.account_id or "", "", new_id(), row.scope, row.signed_in_at)
                given = await self._grants.give(session, family, now, Binding.to(jkt, client))
            if given or state == DENIED:
                await session.delete(row)
        if given:
            return given
        raise _not_yet(state, too_early)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(OidcDevice).where(OidcDevice.expires_at < now))

    def _hash(self, letters: str) -> str:
        return self._box.keyed_hash("oidc user code", letters)


def letters_of(user_code: str) -> str:
    """As people type it: any case, with or without the hyphen."""
    return "".join(letter for letter in user_code.upper() if letter in LETTERS)


def _not_yet(state: str, too_early: bool) -> GrantError:
    if state == DENIED:
        return GrantError("access_denied", "the person said no")
    if too_early:
        return GrantError("slow_down", f"wait {SLOWER_S} seconds more between two questions")
    if state == APPROVED:
        return GrantError("expired_token", "the account is gone")
    return GrantError("authorization_pending", "the person has not answered yet")
