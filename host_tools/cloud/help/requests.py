"""The person's side of the help centre: ask, read what was answered, write again, close."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.help import diagnostics, records, states
from host_tools.cloud.help.attachments import ACCOUNT_MAX, FIELD, Attachment
from host_tools.cloud.help.bell import Bell
from host_tools.cloud.help.diagnostics import Diagnostics
from host_tools.cloud.help.records import Correspondence
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.help_models import HelpFile, HelpMessage, HelpRequest
from host_tools.cloud.store.models import Account, Router
from host_tools.cloud.store.secret_box import new_id

OPEN_MAX = 20  # requests of one account
MESSAGES_MAX = 200  # of one request, by its person
KEPT_S = 3 * 366 * 24 * 3600  # after it was closed: as long as a warranty
SHOWN_MAX = 100


class HelpCentre:
    def __init__(self, database: Database, turnstile: Turnstile, diagnostics: Diagnostics, bell: Bell):
        self._database = database
        self._turnstile = turnstile
        self._bell = bell
        self.diagnostics = diagnostics

    async def of(self, account_id: str) -> list[HelpRequest]:
        """The ones that changed last first."""
        mine = select(HelpRequest).where(HelpRequest.account_id == account_id)
        async with self._database.read() as session:
            newest = mine.order_by(HelpRequest.changed_at.desc(), HelpRequest.id).limit(SHOWN_MAX)
            return list(await session.scalars(newest))

    async def read(self, request_id: str, visit: Visit) -> Correspondence:
        """Raises NotTheirsError."""
        async with self._database.read() as session:
            return await records.correspondence(session, await records.theirs(session, request_id, visit))

    async def file(self, request_id: str, file_id: str, visit: Visit) -> HelpFile:
        """Raises NotTheirsError."""
        async with self._database.read() as session:
            return await records.attached(session, await records.theirs(session, request_id, visit), file_id)

    async def open(
        self,
        subject: str,
        text: str,
        serial_number: str,
        files: Sequence[Attachment],
        visit: Visit,
        wanted: str = diagnostics.NOT,
    ) -> str:
        """The new request's id. `serial_number`: one of the person's routers, or "". `wanted`: of its
        diagnostics. Raises RefusedError."""
        await self._take(visit)
        request = HelpRequest(id=new_id(), account_id=visit.signed_in.id, subject=subject)
        request.state, request.opened_at, request.changed_at = states.WAITING, visit.now, visit.now
        async with self._database.write() as session:
            still_open = (HelpRequest.account_id == request.account_id, HelpRequest.state != states.CLOSED)
            if await _count(session, *still_open) >= OPEN_MAX:
                raise RefusedError(
                    "", "You have %(count)s open requests. Close one, or write in it.", count=OPEN_MAX
                )
            if serial_number:
                request.serial_number = await _own_router(session, serial_number, visit)
            session.add(request)
            await session.flush()
            message = await _write(session, request, text, files, visit)
            report_id = await self.diagnostics.add(session, message, serial_number, wanted, visit)
            await self._bell.ring(session, request, visit)
        self._bell.wake()
        if report_id:
            self.diagnostics.send(report_id)
        return request.id

    async def write(
        self,
        request_id: str,
        text: str,
        files: Sequence[Attachment],
        visit: Visit,
        wanted: str = diagnostics.NOT,
    ) -> None:
        """Raises NotTheirsError, RefusedError."""
        await self._take(visit)
        async with self._database.write() as session:
            request = await records.theirs(session, request_id, visit)
            by_person = (HelpMessage.request_id == request.id, HelpMessage.by_support.is_(False))
            if await _count(session, *by_person) >= MESSAGES_MAX:
                raise RefusedError("", "This request is full. Begin a new one.")
            message = await _write(session, request, text, files, visit)
            router = request.serial_number or ""
            report_id = await self.diagnostics.add(session, message, router, wanted, visit)
        if report_id:
            self.diagnostics.send(report_id)

    async def close(self, request_id: str, visit: Visit) -> None:
        """Raises NotTheirsError; closed already, it stays so."""
        async with self._database.write() as session:
            request = await records.theirs(session, request_id, visit)
            if request.state != states.CLOSED:
                records.change(request, states.CLOSE, visit.now)

    async def prune(self, now: float) -> None:
        over = (HelpRequest.state == states.CLOSED, HelpRequest.changed_at < now - KEPT_S)
        async with self._database.write() as session:
            await session.execute(delete(HelpRequest).where(*over))

    async def _take(self, visit: Visit) -> None:
        await self._turnstile.take("help", account=visit.signed_in.id, address=visit.address)


async def exported(session: AsyncSession, account: Account) -> list[tuple[str, bytes]]:
    """What the person has attached: (name in the archive, content)."""
    theirs = select(HelpFile).where(HelpFile.account_id == account.id).options(undefer(HelpFile.content))
    found = await session.scalars(theirs)
    return [(f"attachments/{file.id}-{file.name}", file.content) for file in found]


async def _own_router(session: AsyncSession, serial_number: str, visit: Visit) -> str:
    which = (Router.serial_number == serial_number, Router.owner_id == visit.signed_in.id)
    if await session.scalar(select(Router.serial_number).where(*which)) is None:
        raise RefusedError("router", "Choose one of your routers, or none.")
    return serial_number


async def _write(
    session: AsyncSession, request: HelpRequest, text: str, files: Sequence[Attachment], visit: Visit
) -> HelpMessage:
    if files:
        held = select(func.sum(HelpFile.size)).where(HelpFile.account_id == request.account_id)
        size = (await session.scalar(held) or 0) + sum(len(file.content) for file in files)
        if size > ACCOUNT_MAX:
            wrong = N_("All that you attach may have %(megabytes)s MB together. Attach less.")
            raise RefusedError(FIELD, wrong, megabytes=ACCOUNT_MAX >> 20)
    message = await records.write(session, request, text, visit.now, by_support=False)
    for name, content in files:
        row = HelpFile(id=new_id(), request_id=request.id, message_id=message.id, name=name)
        row.account_id, row.size, row.content = request.account_id, len(content), content
        session.add(row)
    return message


async def _count(session: AsyncSession, *which) -> int:
    return await session.scalar(select(func.count()).where(*which)) or 0
