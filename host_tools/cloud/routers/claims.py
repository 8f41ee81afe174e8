"""Registering a router: the code, the router's own link, and its owner's approval on the router's page.

A wrong code, a used one and an unknown one are answered as a right one is: with a number, and a wait. Only
the owner's approval tells them apart. A refusal looks like waiting too, until the five minutes are over.

A claim belongs to one account and one router, and ends once:

    waiting --approved--> approved        the router is the account's: in the database, then on the router
    waiting --refused--> refused          on the router's page
    waiting --superseded--> superseded    by a newer claim of the same account, or by another approval
    waiting --too late--> waiting         but over: `expires_at` decides
"""

from __future__ import annotations

import logging
import secrets
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.letters import to
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import texts
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.devices.commands import HubError
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.routers import typed_code
from host_tools.cloud.routers.invitations import Invitations
from host_tools.cloud.routers.registry import RouterRegistry, service_code_hash
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance
from host_tools.cloud.store.models import Account, Claim, Router
from host_tools.cloud.store.secret_box import new_id
from host_tools.cloud.tasks import Tasks

CLAIM_S = 300  # presence: somebody who stands by the router signs in to its page within five minutes
KEPT_S = 30 * 24 * 3600  # for whoever asks how a router came to its owner
WAITING, APPROVED, REFUSED, SUPERSEDED, OVER = "waiting", "approved", "refused", "superseded", "over"

log = logging.getLogger("cloud.claims")


OF_ACCOUNT = Glance(
    select(Claim).where(Claim.account_id == bindparam("account_id"), Claim.expires_at > bindparam("now"))
)


class ClaimView(NamedTuple):
    """What the account may know: the state is WAITING, APPROVED or OVER, never which code was wrong."""

    id: str
    number: str
    state: str
    expires_at: float
    serial_number: str | None  # only of an approved claim


class Claims:
    def __init__(
        self,
        database: Database,
        registry: RouterRegistry,
        turnstile: Turnstile,
        post: Post,
        bus: Bus,
        tasks: Tasks,
        clock: Clock,
        code_key: bytes,
        public_url: str,
        invitations: Invitations,
    ):
        self._database = database
        self._registry = registry
        self._turnstile = turnstile
        self._post = post
        self._bus = bus
        self._tasks = tasks
        self._clock = clock
        self._code_key = code_key
        self._public_url = public_url
        self._invitations = invitations
        self.hub: DeviceHub | None = None  # the hub calls back into claims: the service joins them

    async def begin(self, typed: str, visit: Visit) -> str:
        """Start a claim and return its id. Raises RefusedError for a typing error, ThrottledError."""
        code = typed_code.parsed(typed)
        await self._turnstile.take("claim", account=visit.signed_in.id, address=visit.address)
        await self._registry.refresh()  # the factory may have made it a moment ago
        return await self._begin(Router.service_code_hash == service_code_hash(self._code_key, code), visit)

    async def begin_invited(self, code: str, visit: Visit) -> str:
        """The same by the link that the router's own page showed. It is over, whatever comes of this."""
        await self._turnstile.take("claim", account=visit.signed_in.id, address=visit.address)
        serial_number = await self._invitations.spend(code, visit.now)
        if serial_number is None:
            raise RefusedError("", "Nobody can use this link any more.")
        return await self._begin(Router.serial_number == serial_number, visit)

    async def _begin(self, which: ColumnElement[bool], visit: Visit) -> str:
        async with self._database.write() as session:
            replaced = await self._supersede(session, Claim.account_id == visit.signed_in.id)
            serial_number = await self._open_to(session, which, visit.now)
            claim = _new_claim(visit.signed_in.id, serial_number, visit.now)
            session.add(claim)
        self._tasks.start(self._deliver(claim, visit.signed_in), "deliver a claim")
        for old in replaced:
            if old.serial_number != serial_number:  # the same router is shown the newer one
                self._tasks.start(self._take_back(old), "take back a claim")
        return claim.id

    async def view(self, claim_id: str, account_id: str, now: float) -> ClaimView | None:
        """The claim, if it is this account's."""
        async with self._database.read() as session:
            claim = await session.scalar(
                select(Claim).where(Claim.id == claim_id, Claim.account_id == account_id)
            )
        if claim is None:
            return None
        state = shown_state(claim, now)
        serial_number = claim.serial_number if state == APPROVED else None
        return ClaimView(claim.id, claim.number, state, claim.expires_at, serial_number)

    async def waiting(self, account_id: str, now: float) -> Claim | None:
        """The one that this account's person waits for: a newer one replaces it."""
        found = await self._database.glance(OF_ACCOUNT, account_id=account_id, now=now)
        return next((claim for (claim,) in found if shown_state(claim, now) == WAITING), None)

    async def linked(self, serial_number: str) -> None:
        """The router has a link now: show it the claim that waits for it."""
        joined = select(Claim, Account).join(Account, Account.id == Claim.account_id)
        async with self._database.read() as session:
            waiting = _waiting_for(serial_number, self._clock())
            row = (await session.execute(joined.where(*waiting))).first()
        if row is not None:
            await self._deliver(row.Claim, row.Account)

    async def answered(self, serial_number: str, claim_id: str, approved: bool) -> None:
        """The owner's answer on the router's page. A repeated answer changes nothing more."""
        async with self._database.write() as session:
            claim = await session.get(Claim, claim_id)
            state = await self._settle(session, claim, serial_number, approved)
        # The database first. Then the router is told whose it is, also after an answer that came too late.
        if self.hub is not None:
            await self.hub.set_owner(serial_number, await self._registry.owner_of(serial_number))
        log.info("claim on %s: %s", serial_number, state)
        self._bus.publish(f"claim:{claim_id}")
        self._post.wake()

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(Claim).where(Claim.expires_at < now - KEPT_S))

    async def _settle(
        self, session: AsyncSession, claim: Claim | None, serial_number: str, approved: bool
    ) -> str:
        """What the claim becomes. A router answers for itself only."""
        if claim is None or claim.serial_number != serial_number:
            return "unknown"
        if shown_state(claim, self._clock()) != WAITING or claim.state != WAITING:
            return f"{claim.state}, answered again or too late"
        claim.state = REFUSED
        if approved and await self._give(session, claim):
            claim.state = APPROVED
        return claim.state

    async def _give(self, session: AsyncSession, claim: Claim) -> bool:
        """Make the router the account's. A router that has an owner does not move."""
        free = (Router.serial_number == claim.serial_number, Router.owner_id.is_(None))
        now = self._clock()
        owned = {"owned_at": now, "first_owned_at": func.coalesce(Router.first_owned_at, now)}
        given = update(Router).where(*free).values(owner_id=claim.account_id, **owned)
        if await session.scalar(given.returning(Router.serial_number)) is None:
            return False
        await self._supersede(session, Claim.serial_number == claim.serial_number, Claim.id != claim.id)
        account = await session.get_one(Account, claim.account_id)
        with to(account):
            text = texts.router_registered(claim.serial_number or "", self._public_url)
        await self._post.add(session, account.email, text, self._clock())
        return True

    async def _open_to(self, session: AsyncSession, which: ColumnElement[bool], now: float) -> str | None:
        """The serial number of a router that may be asked: it has no owner, and nobody else is asking."""
        router = await session.scalar(select(Router).where(which))
        serial_number = router.serial_number if router else ""
        asked = await session.scalar(select(Claim.id).where(*_waiting_for(serial_number, now)))
        return serial_number if router and router.owner_id is None and asked is None else None

    async def _supersede(self, session: AsyncSession, *which) -> list[Claim]:
        ended = update(Claim).where(Claim.state == WAITING, *which).values(state=SUPERSEDED).returning(Claim)
        return list(await session.scalars(ended))

    async def _take_back(self, claim: Claim) -> None:
        """Off the router's page, where it is on one."""
        if claim.serial_number is None or self.hub is None or not self.hub.online(claim.serial_number):
            return
        try:
            await self.hub.cancel_claim(claim.serial_number, claim.id)
        except HubError as error:
            log.warning("%s was not told that a claim is over: %s", claim.serial_number, error)

    async def _deliver(self, claim: Claim, account: Account) -> None:
        if claim.serial_number is None or self.hub is None or not self.hub.online(claim.serial_number):
            return
        remaining_s = max(1, int(claim.expires_at - self._clock()))
        asked = {"claim_id": claim.id, "number": claim.number, "expires_s": remaining_s}
        try:
            await self.hub.start_claim(
                claim.serial_number, {**asked, "account": {"name": account.name, "email": account.email}}
            )
        except HubError as error:
            log.warning("%s was not shown a claim: %s", claim.serial_number, error)


def shown_state(claim: Claim, now: float) -> str:
    """A refused claim waits like a wrong one: else the answer would prove that the code was right."""
    if claim.state == APPROVED:
        return APPROVED
    if claim.state == SUPERSEDED or now >= claim.expires_at:
        return OVER
    return WAITING


def spaced(number: str) -> str:
    return number[:3] + " " + number[3:]


def _new_claim(account_id: str, serial_number: str | None, now: float) -> Claim:
    number = f"{secrets.randbelow(10**6):06d}"
    claim = Claim(id=new_id(), account_id=account_id, serial_number=serial_number, number=number)
    claim.state, claim.created_at, claim.expires_at = WAITING, now, now + CLAIM_S
    return claim


def _waiting_for(serial_number: str, now: float) -> tuple:
    return (Claim.serial_number == serial_number, Claim.state == WAITING, Claim.expires_at > now)
