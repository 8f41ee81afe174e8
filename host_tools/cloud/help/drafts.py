"""Diagnostics that their person looks at first: a draft that nobody else sees, then attached or forgotten."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.help import records, states
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.help_models import HelpFile, HelpReport, HelpRequest

KEPT, FAILED = "kept", "failed"  # of a report's states, all in diagnostics.py
LASTS_S = 24 * 3600  # from when it came
FORGOTTEN = N_("You did not attach them within a day: they are forgotten.")


def attach(request: HelpRequest, report: HelpReport, now: float) -> bool:
    """Support sees it from now on, and is waited for. False where there is no draft, or none any more."""
    if not (report.draft and report.state == KEPT):
        return False
    report.draft = False
    records.change(request, states.WRITE, now)
    return True


async def forget(session: AsyncSession, now: float) -> list[HelpReport]:
    """Those whose time is over, without their content."""
    over = (HelpReport.draft, HelpReport.state == KEPT, HelpReport.ends_at <= now)
    ended = list(await session.scalars(select(HelpReport).where(*over)))
    for report in ended:
        await drop_file(session, report)
        report.state, report.text = FAILED, FORGOTTEN
    return ended


async def drop_file(session: AsyncSession, report: HelpReport) -> None:
    """What the router has sent, for good."""
    if report.file_id is not None:
        file_id, report.file_id = report.file_id, None
        await session.flush()
        await session.execute(delete(HelpFile).where(HelpFile.id == file_id))
