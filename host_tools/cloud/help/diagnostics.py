"""Diagnostics of a router, attached to a help request by its owner's tick: asked for, sent, kept, removed.

The row is there before the router is asked, so a command outlives a restart of the cloud, and goes by its id
again until its result is durable here. It is for the owner of then: before it is sent, and again before it is
kept, the database is asked whose the router is; the router itself compares the account as well. Whoever wants
to look at it first gets a draft (drafts.py).
"""

from __future__ import annotations

import logging
from typing import Any

from gatelodge.contract.diagnostics import COMMAND
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.help import drafts, records
from host_tools.cloud.help.attachments import ACCOUNT_MAX
from host_tools.cloud.help.report import Arriving
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.help_models import HelpFile, HelpMessage, HelpReport
from host_tools.cloud.store.models import Router
from host_tools.cloud.store.secret_box import new_id
from host_tools.cloud.tasks import Tasks

ASKED, KEPT, FAILED, STOPPED = "asked", drafts.KEPT, drafts.FAILED, "stopped"
# What a message wants of them.
NOT, AT_ONCE, LOOK_FIRST = "not", "at once", "look first"
FIELD = "diagnostics"
WAITS_S = 24 * 3600  # for a router that is offline
TRIES_MAX = 3  # where the line broke in the middle of it
# What a form can offer.
ONLINE, OFFLINE, OLD, ON_THE_WAY, NO_ROUTER = "online", "offline", "old", "on the way", "no router"

# Why there are none, as the person reads it.
NO_ANSWER = N_("The router was not online within a day.")
TOO_OLD = N_(
    "The router's firmware is too old to send them. Update the router, then attach them to a message."
)
NOT_YOURS = N_("The router is not yours any more.")
NO_ROOM = N_("There is no room left for your attachments.")
BROKE = N_("The router could not send them. Attach them to a message again.")

log = logging.getLogger("cloud.help")


class Diagnostics:
    def __init__(self, database: Database, bus: Bus, tasks: Tasks, clock: Clock):
        self._database = database
        self._bus = bus
        self._tasks = tasks
        self._clock = clock
        self._arriving: dict[str, Arriving] = {}  # by the command that was sent by this process
        self.hub: DeviceHub | None = None  # joined by the service, as for the claims

    # --- the person ---

    def offer(self, serial_number: str) -> str:
        """What a router of the person's could do now."""
        status = self.hub.online(serial_number) if self.hub else None
        if status is None:
            return OFFLINE
        return ONLINE if knows(status) else OLD

    async def offer_for(self, request_id: str, visit: Visit) -> str:
        """What the form of this request of the person's can offer."""
        async with self._database.read() as session:
            request = await records.theirs(session, request_id, visit)
            serial_number = request.serial_number or ""
            if not await _owns(session, visit.signed_in.id, serial_number):
                return NO_ROUTER
            if await _under_way(session, serial_number, visit.signed_in.id):
                return ON_THE_WAY
        return self.offer(serial_number)

    async def add(
        self, session: AsyncSession, message: HelpMessage, serial_number: str, wanted: str, visit: Visit
    ) -> str:
        """Ask for them with this message, once the transaction is done: `send` of the id that is returned, ""
        where they are not wanted. Raises RefusedError."""
        if wanted == NOT:
            return ""
        account_id = visit.signed_in.id
        if not await _owns(session, account_id, serial_number):
            raise RefusedError(FIELD, "Choose the router whose diagnostics you attach.")
        if await _under_way(session, serial_number, account_id):
            raise RefusedError(FIELD, "They are on their way already. Leave this unticked.")
        row = HelpReport(id=new_id(), command_id=new_id(), request_id=message.request_id)
        row.message_id, row.account_id, row.serial_number = message.id, account_id, serial_number
        row.state, row.text, row.tries, row.draft = ASKED, "", 1, wanted == LOOK_FIRST
        row.asked_at, row.ends_at = visit.now, visit.now + WAITS_S
        session.add(row)
        return row.id

    async def read(self, request_id: str, report_id: str, visit: Visit) -> tuple[HelpReport, HelpFile | None]:
        """One of the person's, with its file once there is one. Raises NotTheirsError."""
        async with self._database.read() as session:
            request = await records.theirs(session, request_id, visit)
            return await records.reported(session, request, report_id)

    async def attach(self, request_id: str, report_id: str, visit: Visit) -> bool:
        """Whether there is a draft: support sees it from now on. Raises NotTheirsError."""
        async with self._database.write() as session:
            request = await records.theirs(session, request_id, visit)
            report, _file = await records.reported(session, request, report_id)
            attached = drafts.attach(request, report, visit.now)
        self._bus.publish(f"help:{request_id}")
        return attached

    async def remove(self, request_id: str, report_id: str, visit: Visit) -> None:
        """For both sides of the desk, for good; or it is not waited for any more. Raises NotTheirsError."""
        async with self._database.write() as session:
            request = await records.theirs(session, request_id, visit)
            report, _file = await records.reported(session, request, report_id)
            self._arriving.pop(report.command_id, None)
            await drafts.drop_file(session, report)
            if report.state in (ASKED, KEPT):
                report.state = STOPPED
        self._bus.publish(f"help:{request_id}")

    # --- the router ---

    def send(self, report_id: str) -> None:
        self._tasks.start(self._send(HelpReport.id == report_id), "ask a router for its diagnostics")

    async def linked(self, serial_number: str) -> None:
        """The router is here (again): it hears what waits for it; by an id that it knows, it runs nothing."""
        await self._send(HelpReport.serial_number == serial_number)

    async def _send(self, which: Any) -> None:
        async with self._database.read() as session:
            waiting = select(HelpReport).where(which, HelpReport.state == ASKED)
            reports = list(await session.scalars(waiting.where(HelpReport.ends_at > self._clock())))
            owned = [await _owns(session, each.account_id, each.serial_number) for each in reports]
        for report, is_owned in zip(reports, owned, strict=True):
            await self._ask(report, is_owned)

    async def _ask(self, report: HelpReport, is_owned: bool) -> None:
        status = self.hub.online(report.serial_number) if self.hub else None
        if not is_owned:
            await self._fail(report, NOT_YOURS)
        elif status is not None and not knows(status):
            await self._fail(report, TOO_OLD)
        elif status is not None and self.hub is not None:
            new = Arriving(report.serial_number, report.account_id)
            self._arriving.setdefault(report.command_id, new)
            args = {"report_id": report.command_id, "account_id": report.account_id}
            await self.hub.ask(report.serial_number, report.command_id, COMMAND, args)

    async def _fail(self, report: HelpReport, text: str) -> None:
        which = (HelpReport.id == report.id, HelpReport.state == ASKED)
        async with self._database.write() as session:
            await session.execute(update(HelpReport).where(*which).values(state=FAILED, text=text))
        self._bus.publish(f"help:{report.request_id}")

    async def arrived(self, serial_number: str, message: dict[str, Any]) -> None:
        """A part of a report that this process has asked this router for; another one is dropped."""
        arriving = self._arriving.get(message["report_id"])
        if arriving is not None and arriving.serial_number == serial_number:
            arriving.add(message)

    async def ended(self, serial_number: str, result: dict[str, Any]) -> None:
        """The command's result: when this returns, what came of it is durable. Told again, it changes
        nothing."""
        which = (HelpReport.command_id == result["id"], HelpReport.serial_number == serial_number)
        async with self._database.write() as session:
            report = await session.scalar(select(HelpReport).where(*which, HelpReport.state == ASKED))
            if report is None:
                return
            arriving = self._arriving.get(result["id"])
            if not await _owns(session, report.account_id, serial_number):
                report.state, report.text = FAILED, NOT_YOURS
            elif arriving is not None and arriving.is_whole(result):
                await self._keep(session, report, arriving)
            elif report.tries < TRIES_MAX:
                report.command_id, report.tries = new_id(), report.tries + 1
            else:
                report.state, report.text = FAILED, BROKE
                log.warning("%s sent no diagnostics: %s", serial_number, result["error"])
        self._arriving.pop(result["id"], None)
        self._bus.publish(f"help:{report.request_id}")
        if report.state == ASKED:
            self.send(report.id)

    async def _keep(self, session: AsyncSession, report: HelpReport, arriving: Arriving) -> None:
        content = arriving.document(self._clock())
        held = select(func.sum(HelpFile.size)).where(HelpFile.account_id == report.account_id)
        if (await session.scalar(held) or 0) + len(content) > ACCOUNT_MAX:
            report.state, report.text = FAILED, NO_ROOM
            return
        file = HelpFile(id=new_id(), request_id=report.request_id, message_id=report.message_id)
        file.account_id, file.name = report.account_id, f"diagnostics-{report.serial_number}"[:75] + ".json"
        file.size, file.content = len(content), content
        session.add(file)
        await session.flush()
        report.state, report.file_id = KEPT, file.id
        if report.draft:
            report.ends_at = self._clock() + drafts.LASTS_S

    async def prune(self, now: float) -> None:
        over = (HelpReport.state == ASKED, HelpReport.ends_at <= now)
        async with self._database.write() as session:
            ended = list(await session.scalars(select(HelpReport).where(*over)))
            for report in ended:
                report.state, report.text = FAILED, NO_ANSWER
            ended += await drafts.forget(session, now)
        for report in ended:
            self._arriving.pop(report.command_id, None)
            self._bus.publish(f"help:{report.request_id}")


def knows(status: dict[str, Any]) -> bool:
    """Whether the router's hello told that it knows the command."""
    return bool((status.get("takes") or {}).get(COMMAND))


async def _owns(session: AsyncSession, account_id: str, serial_number: str) -> bool:
    which = (Router.serial_number == serial_number, Router.owner_id == account_id)
    return await session.scalar(select(Router.serial_number).where(*which)) is not None


async def _under_way(session: AsyncSession, serial_number: str, account_id: str) -> bool:
    which = (HelpReport.serial_number == serial_number, HelpReport.account_id == account_id)
    return await session.scalar(select(HelpReport.id).where(*which, HelpReport.state == ASKED)) is not None
