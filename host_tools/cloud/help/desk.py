"""Support's side of the help centre. What is seen or done there is in the log of the request's person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.agents import SUPPORT
from host_tools.cloud.accounts.errors import NotTheirsError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.letters import to
from host_tools.cloud.accounts.signin import two_factor
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.help import letters, records, roles, states
from host_tools.cloud.help.records import Correspondence
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.help_models import HelpFile, HelpNote, HelpReport, HelpRequest
from host_tools.cloud.store.models import Account, Router

SHOWN_MAX = 100
# deed -> kind of the event in the person's log
EVENTS = {
    roles.READ: "help_read",
    states.ANSWER: "help_answered",
    states.NOTE: "help_noted",
    states.CLOSE: "help_closed",
    states.REOPEN: "help_reopened",
    roles.REMOVE: "help_removed",
}


class Opened(NamedTuple):
    correspondence: Correspondence
    person: Account
    router: Router | None  # while it is the person's: of another owner support learns nothing here
    notes: list[tuple[HelpNote, str]]  # with the name of who wrote each, "" when that account is gone


class Desk:
    def __init__(self, database: Database, post: Post, url: str):
        self._database = database
        self._post = post
        self._url = url

    async def two_factor_on(self, visit: Visit) -> bool:
        async with self._database.read() as session:
            return two_factor(await holdings(session, visit.signed_in.id, visit))

    async def list(self, state: str) -> list[HelpRequest]:
        """Who waits longest comes first; of the others, what changed last."""
        order = HelpRequest.changed_at if state == states.WAITING else HelpRequest.changed_at.desc()
        which = select(HelpRequest).where(HelpRequest.state == state)
        async with self._database.read() as session:
            return list(await session.scalars(which.order_by(order, HelpRequest.id).limit(SHOWN_MAX)))

    async def read(self, request_id: str, visit: Visit) -> Opened:
        """Raises NotTheirsError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, roles.READ, visit)
            person = await session.get_one(Account, request.account_id)
            its_router = (Router.serial_number == request.serial_number, Router.owner_id == person.id)
            router = await session.scalar(select(Router).where(*its_router))
            found = await records.correspondence(session, request, by_person=False)
            return Opened(found, person, router, await _notes(session, request))

    async def file(self, request_id: str, file_id: str, visit: Visit) -> HelpFile:
        """Raises NotTheirsError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, roles.READ, visit)
            return await records.attached(session, request, file_id, by_person=False)

    async def report(
        self, request_id: str, report_id: str, visit: Visit
    ) -> tuple[HelpRequest, HelpReport, HelpFile | None]:
        """What a router sent. Raises NotTheirsError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, roles.READ, visit)
            return request, *await records.reported(session, request, report_id, by_person=False)

    async def answer(self, request_id: str, text: str, visit: Visit) -> None:
        """The person gets it by mail too. Raises NotTheirsError, RefusedError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, states.ANSWER, visit)
            await records.write(session, request, text, visit.now, by_support=True)
            await self._tell(session, request, lambda link: letters.answered(request.subject, text, link))
        self._post.wake()

    async def note(self, request_id: str, text: str, visit: Visit) -> None:
        """Raises NotTheirsError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, states.NOTE, visit)
            row = HelpNote(request_id=request.id, staff_id=visit.signed_in.id, text=text)
            row.written_at = visit.now
            session.add(row)

    async def close(self, request_id: str, visit: Visit) -> None:
        """Raises NotTheirsError, RefusedError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, states.CLOSE, visit)
            records.change(request, states.CLOSE, visit.now)
            await self._tell(session, request, lambda link: letters.closed(request.subject, link))
        self._post.wake()

    async def reopen(self, request_id: str, visit: Visit) -> None:
        """Raises NotTheirsError, RefusedError."""
        async with self._database.write() as session:
            request = await _request(session, request_id, states.REOPEN, visit)
            records.change(request, states.REOPEN, visit.now)

    async def remove(self, request_id: str, visit: Visit) -> None:
        """For good, with all that is attached: it holds what should not be kept. Raises NotTheirsError."""
        async with self._database.write() as session:
            await session.delete(await _request(session, request_id, roles.REMOVE, visit))

    async def _tell(
        self, session: AsyncSession, request: HelpRequest, text_of: Callable[[str], Text]
    ) -> None:
        """text_of: the mail with a link to the request, in the person's language."""
        person = await session.get_one(Account, request.account_id)
        with to(person):
            text = text_of(f"{self._url}/help/{request.id}")
        await self._post.add(session, person.email, text, request.changed_at)


async def _request(session: AsyncSession, request_id: str, deed: str, visit: Visit) -> HelpRequest:
    """Anybody's request, for a deed that the role allows, and the deed in its person's log."""
    request = await session.get(HelpRequest, request_id)
    if request is None or not roles.may(visit.signed_in.role, deed):
        raise NotTheirsError
    # The person learns who it was, not from where: that concerns the staff member alone.
    staff = replace(visit, address="", user_agent=SUPPORT % {"name": visit.signed_in.first_name})
    note(session, request.account_id, EVENTS[deed], staff, request.subject)
    return request


async def _notes(session: AsyncSession, request: HelpRequest) -> list[tuple[HelpNote, str]]:
    joined = select(HelpNote, Account.first_name).outerjoin(Account, Account.id == HelpNote.staff_id)
    rows = await session.execute(joined.where(HelpNote.request_id == request.id).order_by(HelpNote.id))
    return [(row.HelpNote, row.first_name or "") for row in rows]
