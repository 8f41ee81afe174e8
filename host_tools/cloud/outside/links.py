"""Which account of a provider opens which account of ours. Connecting one asks for the password (K7)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import trusted
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.sessions import begin_session
from host_tools.cloud.accounts.sign_up import TERMS_VERSION
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.zones import zone_of
from host_tools.cloud.languages.text import N_, reader
from host_tools.cloud.outside.identity import Identity
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.outside_models import OutsideLink
from host_tools.cloud.store.secret_box import new_id

LINKS_MAX = 5
TAKEN = N_("That account opens another account here. Disconnect it there first.")
TOO_MANY = N_("At most %(count)s accounts can be connected. Disconnect one first.")
HAS_ACCOUNT = N_("There is an account with this e-mail already. Sign in to it, and connect the two there.")
UNVERIFIED = N_(
    "The other side does not vouch for your e-mail. Sign up with it here, and connect the two then."
)


class Links:
    def __init__(self, database: Database, factors: Factors, changes: Changes):
        self._database = database
        self._factors = factors
        self._changes = changes

    async def of(self, account_id: str) -> list[OutsideLink]:
        mine = select(OutsideLink).where(OutsideLink.account_id == account_id)
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(OutsideLink.created_at, OutsideLink.id)))

    async def account_id(self, identity: Identity, visit: Visit) -> str | None:
        """Whose it is; that it was used is written down."""
        async with self._database.write() as session:
            row = await _find(session, identity)
            if row is None:
                return None
            row.used_at = visit.now
            return row.account_id

    async def prove(self, password: str, visit: Visit) -> None:
        """Before one is connected. Raises RefusedError on the field `password`."""
        await self._factors.again.check("connect an account elsewhere", password, visit)

    async def add(self, identity: Identity, name: str, visit: Visit) -> None:
        """Connect it to the account that is signed in. Raises RefusedError."""
        async with self._database.write() as session:
            row = await _find(session, identity)
            if row is not None and row.account_id != visit.signed_in.id:
                raise RefusedError("", TAKEN)
            held = await session.scalars(
                select(OutsideLink.id).where(OutsideLink.account_id == visit.signed_in.id)
            )
            if row is None:
                if len(list(held)) >= LINKS_MAX:
                    raise RefusedError("", TOO_MANY, count=LINKS_MAX)
                session.add(_new(identity, visit.signed_in.id, visit.now))
                await self._changes.tell(session, "outside_added", name, visit)
        self._changes.wake()

    async def remove(self, link_id: str, password: str, names: dict[str, str], visit: Visit) -> None:
        """Raises RefusedError, NotTheirsError."""
        await self._factors.again.check("disconnect an account elsewhere", password, visit)
        async with self._database.write() as session:
            row = await session.get(OutsideLink, link_id)
            if row is None or row.account_id != visit.signed_in.id:
                raise NotTheirsError
            await session.delete(row)
            name = names.get(row.provider, row.provider)
            await self._changes.tell(session, "outside_removed", name, visit)
        self._changes.wake()

    async def sign_up(
        self, identity: Identity, first: str, last: str, country: str, visit: Visit, zone: str = ""
    ) -> str:
        """A new account without the mail step: the provider vouches for the e-mail. Returns a session token.

        It has no password until its person asks for one by mail. Raises RefusedError.
        zone: what the browser says of its time zone.
        """
        if not identity.verified:
            raise RefusedError("", UNVERIFIED)
        async with self._database.write() as session:
            held = await session.scalar(select(Account.id).where(Account.email == identity.email))
            if held is not None or await _find(session, identity) is not None:
                raise RefusedError("", HAS_ACCOUNT)
            account = Account(id=new_id(), email=identity.email, first_name=first, last_name=last)
            account.country, account.password_hash = country, ""
            account.terms_version, account.created_at = TERMS_VERSION, visit.now
            account.language, account.time_zone = reader().tag, zone_of(zone, country)
            session.add(account)
            await session.flush()
            session.add(_new(identity, account.id, visit.now))
            note(session, account.id, "account_made", visit, identity.provider)
            await trusted.trust(session, account.id, visit)
            return await begin_session(session, account.id, visit)


async def _find(session: AsyncSession, identity: Identity) -> OutsideLink | None:
    its = (OutsideLink.provider == identity.provider, OutsideLink.subject == identity.subject)
    return await session.scalar(select(OutsideLink).where(*its))


def _new(identity: Identity, account_id: str, now: float) -> OutsideLink:
    row = OutsideLink(id=new_id(), account_id=account_id, created_at=now, used_at=now)
    row.provider, row.subject, row.email = identity.provider, identity.subject, identity.email
    return row
