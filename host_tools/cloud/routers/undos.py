"""Changes of a router's password and factors, undone from the account (G5): offered by mail, asked for here.

What comes back is on the router, and only the router decides: this cloud names what the router told of, and
the account that was told. So its operator, or whoever took it over, could bring back what the owner had there
within the last days, and nothing else. An account may ask for what it was told while the router was its own,
also where somebody has released the router since: that is what a thief would do first.

It takes a second factor in the account, and proof like everything sensitive: who only reads the mail can
undo nothing. The row is there before the router is asked, so a command outlives a restart of the cloud, and
goes by its id again until its result is durable here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.letters import to
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import texts
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Router
from host_tools.cloud.store.secret_box import new_id
from host_tools.cloud.store.undo_models import RouterChange, RouterUndo
from host_tools.cloud.tasks import Tasks

COMMAND = "undo"
UNDO_S = 3 * 24 * 3600  # as long as the router keeps it
KEPT_S = 30 * 24 * 3600
CHANGES_MAX = 50  # of one run that are listed: a thief may make many
TRIES_MAX = 3  # where the router was busy, or restarted at that moment
RELEASED, UNDONE = "released", "changes_undone"  # kinds: of ours beside the contract's, and one of those

OPEN, ASKED, DONE = "open", "asked", "done"
OVER, LATE, FAILED = "over", "late", "failed"  # nothing is kept there, it took too long, it did not work

log = logging.getLogger("cloud.routers")


@dataclass(frozen=True)
class UndoView:
    undo: RouterUndo
    changes: list[RouterChange]  # the newest first
    state: str
    is_online: bool
    is_theirs: bool  # whether the router is in the account still
    is_open: bool  # whether the account has what it takes: a second factor


async def offered(
    session: AsyncSession, serial_number: str, account_id: str, change: Mapping[str, Any], now: float
) -> str:
    """Add a change that the router told of to its run, in the caller's transaction; return the path of the
    page that undoes it, below the account's address.

    change: {undo, kind, at, address, browser} as in a notice."""
    which = (RouterUndo.serial_number == serial_number, RouterUndo.account_id == account_id)
    row = await session.scalar(select(RouterUndo).where(*which, RouterUndo.undo_id == change["undo"]))
    if row is None:
        row = RouterUndo(id=new_id(), account_id=account_id, serial_number=serial_number)
        row.undo_id, row.state, row.tries = change["undo"], OPEN, 0
        session.add(row)
    row.ends_at = now + UNDO_S
    await session.flush()
    listed = select(func.count()).where(RouterChange.undo == row.id)
    if (await session.scalar(listed) or 0) < CHANGES_MAX:
        told = RouterChange(id=new_id(), undo=row.id, account_id=account_id, kind=change["kind"])
        told.address, told.browser = change["address"], change["browser"]
        told.at = now if change["at"] is None else float(change["at"])
        session.add(told)
    return f"/security/routers/{row.id}"


class RouterUndos:
    def __init__(
        self,
        database: Database,
        factors: Factors,
        turnstile: Turnstile,
        post: Post,
        bus: Bus,
        tasks: Tasks,
        clock: Clock,
    ):
        self._database = database
        self._factors = factors
        self._turnstile = turnstile
        self._post = post
        self._bus = bus
        self._tasks = tasks
        self._clock = clock
        self.hub: DeviceHub | None = None  # joined by the service, as for the claims

    # --- the person ---

    async def view(self, id: str, visit: Visit) -> UndoView:
        """Raises NotTheirsError."""
        async with self._database.read() as session:
            row = await _theirs(session, id, visit.signed_in.id)
            order = select(RouterChange).where(RouterChange.undo == id).order_by(RouterChange.at.desc())
            changes = list(await session.scalars(order))
            is_theirs = await _owns(session, row)
            is_open = signin.two_factor(await holdings(session, row.account_id, visit))
        is_online = self._status(row) is not None
        return UndoView(row, changes, _state(row, visit.now), is_online, is_theirs, is_open)

    async def of_router(self, serial_number: str, visit: Visit) -> list[tuple[RouterUndo, RouterChange]]:
        """What the account can undo on it now, each with its first change."""
        which = (RouterUndo.serial_number == serial_number, RouterUndo.account_id == visit.signed_in.id)
        open_ones = select(RouterUndo).where(*which, RouterUndo.state.in_((OPEN, ASKED, FAILED)))
        first = select(RouterChange).order_by(RouterChange.at)
        async with self._database.read() as session:
            rows = await session.scalars(open_ones.where(RouterUndo.ends_at > visit.now))
            found = [(row, await session.scalar(first.where(RouterChange.undo == row.id))) for row in rows]
        return [(row, change) for row, change in found if change is not None]

    async def ask(self, id: str, password: str, visit: Visit) -> None:
        """Have the router undo it, now or once it is back. Asked again, nothing changes. Raises RefusedError,
        NotTheirsError."""
        found = await self.view(id, visit)
        if not found.is_open:
            raise RefusedError("", "Add a second factor to your account first.")
        await self._turnstile.take("command", account=visit.signed_in.id, address=visit.address)
        await self._factors.again.check("undo a router's change", password, visit)
        async with self._database.write() as session:
            row = await _theirs(session, id, visit.signed_in.id)
            if _state(row, visit.now) not in (OPEN, FAILED):
                return
            row.state, row.command_id, row.tries = ASKED, new_id(), 1
            note(session, row.account_id, "router_undo", visit, row.serial_number)
        self._send_later(RouterUndo.id == id)

    # --- the router ---

    def _send_later(self, which: Any) -> None:
        self._tasks.start(self._send(which), "ask a router to undo changes")

    async def linked(self, serial_number: str) -> None:
        """The router is here (again): it hears what waits for it; by an id that it knows, it runs nothing."""
        await self._send(RouterUndo.serial_number == serial_number)

    async def _send(self, which: Any) -> None:
        waiting = select(RouterUndo).where(which, RouterUndo.state == ASKED)
        async with self._database.read() as session:
            rows = list(await session.scalars(waiting.where(RouterUndo.ends_at > self._clock())))
        for row in rows:
            status = self._status(row)
            if status is not None and not (status.get("takes") or {}).get(COMMAND):
                await self._end(row, FAILED)  # an older firmware was put on it since
            elif status is not None and self.hub is not None and row.command_id is not None:
                args = {"undo_id": row.undo_id, "account_id": row.account_id}
                await self.hub.ask(row.serial_number, row.command_id, COMMAND, args)

    async def ended(self, serial_number: str, result: dict[str, Any]) -> None:
        """The command's result: when this returns, what came of it is durable. Told again, it changes
        nothing."""
        which = (RouterUndo.command_id == result["id"], RouterUndo.serial_number == serial_number)
        async with self._database.write() as session:
            row = await session.scalar(select(RouterUndo).where(*which, RouterUndo.state == ASKED))
            if row is None:
                return
            if result["ok"]:
                row.state = DONE if (result["value"] or {}).get("undone") is True else OVER
            elif row.tries < TRIES_MAX:
                row.command_id, row.tries = new_id(), row.tries + 1
            else:
                row.state = FAILED
                log.warning("%s could not undo changes: %s", serial_number, result["error"])
            if row.state == DONE and not await _owns(session, row):
                await self._tell(session, row)
        self._post.wake()
        log.info("%s was asked to undo changes: %s", serial_number, row.state)
        self._changed(row)
        if row.state == ASKED:
            self._send_later(RouterUndo.id == row.id)

    async def _tell(self, session: AsyncSession, row: RouterUndo) -> None:
        """The router tells its owner, and the account that asked is not its owner any more."""
        owner, now = await session.get_one(Account, row.account_id), self._clock()
        told = {"kind": UNDONE, "at": int(now), "address": "cloud", "browser": "", "dropped": 0}
        with to(owner):
            text = texts.router_notice(row.serial_number, told)
        await self._post.add(session, owner.email, text, now)

    async def _end(self, row: RouterUndo, state: str) -> None:
        which = (RouterUndo.id == row.id, RouterUndo.state == ASKED)
        async with self._database.write() as session:
            await session.execute(update(RouterUndo).where(*which).values(state=state))
        self._changed(row)

    def _changed(self, row: RouterUndo) -> None:
        self._bus.publish(topic(row.id))

    def _status(self, row: RouterUndo) -> dict[str, Any] | None:
        return self.hub.online(row.serial_number) if self.hub else None

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(RouterUndo).where(RouterUndo.ends_at < now - KEPT_S))


def topic(id: str) -> str:
    return f"undo:{id}"


def _state(row: RouterUndo, now: float) -> str:
    is_late = row.state in (OPEN, ASKED, FAILED) and row.ends_at <= now
    return LATE if is_late else row.state


async def _theirs(session: AsyncSession, id: str, account_id: str) -> RouterUndo:
    row = await session.get(RouterUndo, id)
    if row is None or row.account_id != account_id:
        raise NotTheirsError
    return row


async def _owns(session: AsyncSession, row: RouterUndo) -> bool:
    which = (Router.serial_number == row.serial_number, Router.owner_id == row.account_id)
    return await session.scalar(select(Router.serial_number).where(*which)) is not None
