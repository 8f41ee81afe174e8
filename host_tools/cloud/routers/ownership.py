"""What an owner sees of a router and may ask of it.

Every question begins in the database, never in a cache.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.letters import to
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import texts
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.devices.commands import CommandTimeout, HubError
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.languages.text import N_
from host_tools.cloud.routers.registry import OFFLINE, ONLINE
from host_tools.cloud.routers.undos import RELEASED, offered
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance
from host_tools.cloud.store.models import Account, Claim, Command, Router
from host_tools.cloud.store.secret_box import new_id
from host_tools.cloud.tasks import Tasks

REBOOT = "reboot"
REBOOT_TIMEOUT_S = 180  # a slow board boots in a minute; then its first reconnect is drawn from a window
ASKED, DONE, FAILED, UNKNOWN = "asked", "done", "failed", "unknown"
COMMANDS_SHOWN = 5
OWNED = Glance(
    select(Router)
    .where(Router.owner_id == bindparam("account_id"))
    .order_by(Router.owned_at, Router.serial_number)
)
NOT_BACK = N_("The router has not come back in time. Look at its lights, then at its plug.")
NOBODY_WAITED = N_("The cloud restarted before the result came. Look at the router's uptime.")

log = logging.getLogger("cloud.routers")


@dataclass(frozen=True)
class RouterView:
    """A router as its owner sees it.

    `status` is the live link's (devices/hub.py), None when there is none.
    """

    router: Router
    status: dict[str, Any] | None

    @property
    def online(self) -> bool:
        return self.status is not None


class Ownership:
    def __init__(
        self,
        database: Database,
        turnstile: Turnstile,
        post: Post,
        bus: Bus,
        tasks: Tasks,
        clock: Clock,
        public_url: str,
        account_url: str,
    ):
        self._database = database
        self._turnstile = turnstile
        self._post = post
        self._bus = bus
        self._tasks = tasks
        self._clock = clock
        self._public_url = public_url  # of the routers' pages
        self._account_url = account_url
        self.hub: DeviceHub | None = None  # joined by the service, as for the claims

    async def routers(self, account_id: str) -> list[RouterView]:
        return [self._view(router) for (router,) in await self._database.glance(OWNED, account_id=account_id)]

    async def page(self, account_id: str, after: str, limit: int) -> list[RouterView]:
        """By serial number: at most `limit` of those that follow `after`."""
        mine = select(Router).where(Router.owner_id == account_id, Router.serial_number > after)
        async with self._database.read() as session:
            found = await session.scalars(mine.order_by(Router.serial_number).limit(limit))
            return [self._view(router) for router in found]

    async def router(self, serial_number: str, account_id: str) -> RouterView | None:
        """The router, or None: somebody else's router is as absent as one that never was."""
        async with self._database.read() as session:
            router = await session.scalar(_owned(serial_number, account_id))
        return self._view(router) if router else None

    async def commands(self, serial_number: str, account_id: str) -> list[Command]:
        """The newest that this account asked of it."""
        asked = select(Command).where(
            Command.serial_number == serial_number, Command.account_id == account_id
        )
        async with self._database.read() as session:
            newest = asked.order_by(Command.asked_at.desc(), Command.id).limit(COMMANDS_SHOWN)
            return list(await session.scalars(newest))

    async def reboot(self, serial_number: str, visit: Visit) -> Command:
        """Ask the router to restart; the result comes to its page. Raises RefusedError, NotTheirsError."""
        await self._turnstile.take("command", account=visit.signed_in.id, address=visit.address)
        async with self._database.write() as session:
            await self._require_owner(session, serial_number, visit)
            running = select(Command.id).where(Command.serial_number == serial_number, Command.state == ASKED)
            if await session.scalar(running):
                raise RefusedError("", "A restart is under way already. Wait for its result.")
            if self.hub is None or self.hub.online(serial_number) is None:
                raise RefusedError(
                    "", "The router is offline, so it cannot be asked. Restart it at its plug."
                )
            command = _new_command(serial_number, visit, REBOOT)
            session.add(command)
        self._tasks.start(self._run(command), f"{REBOOT} of {serial_number}")
        return command

    async def release(self, serial_number: str, visit: Visit) -> None:
        """Give the router back: it has no owner, and what was its owner's is wiped. Raises NotTheirsError."""
        async with self._database.write() as session:
            router = await self._require_owner(session, serial_number, visit)
            await wipe(session, router)
            with to(visit.signed_in):
                text = texts.router_released(serial_number, self._public_url)
            await self._post.add(session, visit.signed_in.email, text, visit.now)
        self._post.wake()
        if self.hub is not None:
            await self.hub.set_owner(serial_number, None)
        log.info("%s was released by its owner", serial_number)

    async def released_there(self, serial_number: str, account_id: str, undo_id: str | None = None) -> None:
        """Its owner released it on the router's own page. Told again, it changes nothing.

        undo_id: by which the router takes back what was changed before and after that (routers/undos.py)."""
        async with self._database.write() as session:
            router = await session.get(Router, serial_number)
            if router is None or router.owner_id != account_id:
                return
            owner = await session.get_one(Account, account_id)
            await wipe(session, router)
            now, link = self._clock(), ""
            if undo_id is not None:
                change = {"undo": undo_id, "kind": RELEASED, "at": None, "address": "", "browser": ""}
                link = self._account_url + await offered(session, serial_number, owner.id, change, now)
            with to(owner):
                text = texts.router_released_there(serial_number, self._public_url, link)
            await self._post.add(session, owner.email, text, now)
        self._post.wake()
        if self.hub is not None:
            await self.hub.set_owner(serial_number, None)
        self._bus.publish(f"router:{serial_number}")
        log.info("%s was released on its own page", serial_number)

    async def reset(self, serial_number: str) -> None:
        """The router was reset, as its own link says: it is nobody's, and its owner gets a notice of it."""
        async with self._database.write() as session:
            router = await session.get(Router, serial_number)
            if router is None or router.owner_id is None:
                return
            owner = await session.get_one(Account, router.owner_id)
            await wipe(session, router)
            with to(owner):
                text = texts.router_reset(serial_number, self._public_url)
            await self._post.add(session, owner.email, text, self._clock())
        self._post.wake()
        self._bus.publish(f"router:{serial_number}")
        log.info("%s was reset, and is its owner's no more", serial_number)

    async def let_go(self, serial_numbers: list[str]) -> None:
        """Routers whose account is gone: those that are connected hear it now, the others at their hello."""
        for serial_number in serial_numbers:
            if self.hub is not None:
                await self.hub.set_owner(serial_number, None)
            self._bus.publish(f"router:{serial_number}")

    async def edge(self, serial_number: str, state: str, status: dict[str, Any]) -> None:
        """A router came, went or changed: only these edges are stored."""
        known = {
            "state": OFFLINE if state == OFFLINE else ONLINE,
            "heard_at": status.get("heard", self._clock()),
        }
        if status.get("firmware"):
            known["firmware"] = str(status["firmware"])[:64]
        async with self._database.write() as session:
            await session.execute(update(Router).where(Router.serial_number == serial_number).values(**known))
        self._bus.publish(f"router:{serial_number}")

    async def forget_commands(self) -> None:
        """At the start: nobody waits any more for what the last process asked."""
        lost = {"state": UNKNOWN, "text": NOBODY_WAITED, "ended_at": self._clock()}
        async with self._database.write() as session:
            await session.execute(update(Command).where(Command.state == ASKED).values(**lost))

    async def _run(self, command: Command) -> None:
        """Wait for the router's result and write it down."""
        assert self.hub is not None  # reboot() has asked it
        try:
            await self.hub.command(command.serial_number, command.name, {}, REBOOT_TIMEOUT_S)
            state, text = DONE, ""
        except CommandTimeout:
            state, text = UNKNOWN, NOT_BACK
        except HubError as error:
            state, text = FAILED, str(error)
        ended = {"state": state, "text": text[:300], "ended_at": self._clock()}
        async with self._database.write() as session:
            await session.execute(update(Command).where(Command.id == command.id).values(**ended))
        log.info("%s of %s: %s", command.name, command.serial_number, state)
        self._bus.publish(f"router:{command.serial_number}")

    async def _require_owner(self, session: AsyncSession, serial_number: str, visit: Visit) -> Router:
        router = await session.scalar(_owned(serial_number, visit.signed_in.id))
        if router is None:
            raise NotTheirsError
        return router

    def _view(self, router: Router) -> RouterView:
        return RouterView(router, self.hub.online(router.serial_number) if self.hub else None)


async def wipe(session: AsyncSession, router: Router) -> None:
    """The router has no owner, and nothing of one is left here."""
    router.owner_id = router.owned_at = None
    await session.execute(delete(Command).where(Command.serial_number == router.serial_number))
    await session.execute(delete(Claim).where(Claim.serial_number == router.serial_number))


def _owned(serial_number: str, account_id: str):
    return select(Router).where(Router.serial_number == serial_number, Router.owner_id == account_id)


def _new_command(serial_number: str, visit: Visit, name: str) -> Command:
    command = Command(id=new_id(), serial_number=serial_number, account_id=visit.signed_in.id, name=name)
    command.state, command.text, command.asked_at = ASKED, "", visit.now
    return command
