"""A request and all that belongs to it, as the pages show it; what both sides of the desk have in common."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from host_tools.cloud.accounts.errors import NotTheirsError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.help import states
from host_tools.cloud.store.help_models import HelpFile, HelpMessage, HelpReport, HelpRequest


class Written(NamedTuple):
    message: HelpMessage
    files: list[HelpFile]  # without their content
    reports: list[HelpReport]  # of routers; their files are none of the others


class Correspondence(NamedTuple):
    request: HelpRequest
    messages: list[Written]  # the oldest first


async def correspondence(
    session: AsyncSession, request: HelpRequest, *, by_person: bool = True
) -> Correspondence:
    """`by_person`: or by support, which sees no drafts."""
    of_it = select(HelpMessage).where(HelpMessage.request_id == request.id).order_by(HelpMessage.id)
    reports = list(await session.scalars(select(HelpReport).where(HelpReport.request_id == request.id)))
    reported = {report.file_id for report in reports}
    found = await session.scalars(select(HelpFile).where(HelpFile.request_id == request.id))
    files = [file for file in found if file.id not in reported]
    messages = [
        Written(
            message,
            [file for file in files if file.message_id == message.id],
            [each for each in reports if each.message_id == message.id and (by_person or not each.draft)],
        )
        for message in await session.scalars(of_it)
    ]
    return Correspondence(request, messages)


async def theirs(session: AsyncSession, request_id: str, visit: Visit) -> HelpRequest:
    """The person's own. Raises NotTheirsError."""
    which = (HelpRequest.id == request_id, HelpRequest.account_id == visit.signed_in.id)
    request = await session.scalar(select(HelpRequest).where(*which))
    if request is None:
        raise NotTheirsError
    return request


async def reported(
    session: AsyncSession, request: HelpRequest, report_id: str, *, by_person: bool = True
) -> tuple[HelpReport, HelpFile | None]:
    """The report, and its file with its content once there is one. Raises NotTheirsError, so to support of a
    draft."""
    its_own = (HelpReport.id == report_id, HelpReport.request_id == request.id)
    report = await session.scalar(select(HelpReport).where(*its_own))
    if report is None or (report.draft and not by_person):
        raise NotTheirsError
    return report, await attached(session, request, report.file_id) if report.file_id else None


async def attached(
    session: AsyncSession, request: HelpRequest, file_id: str, *, by_person: bool = True
) -> HelpFile:
    """With its content. Raises NotTheirsError where the request has no such file. Support has no drafts'."""
    its_own = select(HelpFile).where(HelpFile.id == file_id, HelpFile.request_id == request.id)
    file = await session.scalar(its_own.options(undefer(HelpFile.content)))
    if file is None or not (by_person or await _is_attached(session, file)):
        raise NotTheirsError
    return file


async def _is_attached(session: AsyncSession, file: HelpFile) -> bool:
    draft = select(HelpReport.id).where(HelpReport.file_id == file.id, HelpReport.draft)
    return await session.scalar(draft) is None


async def write(
    session: AsyncSession, request: HelpRequest, text: str, now: float, *, by_support: bool
) -> HelpMessage:
    """Add a message. Raises RefusedError where the request does not take one now."""
    change(request, states.ANSWER if by_support else states.WRITE, now)
    message = HelpMessage(request_id=request.id, account_id=request.account_id, by_support=by_support)
    message.text, message.written_at = text, now
    session.add(message)
    await session.flush()
    return message


def change(request: HelpRequest, deed: str, now: float) -> None:
    """Raises RefusedError where that cannot be done now."""
    request.state = states.after(request.state, deed)
    request.changed_at = now
