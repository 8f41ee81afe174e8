"""What went wrong while a request was answered: whether it passes, is over with its account, or is ours."""

from __future__ import annotations

import logging
from typing import NamedTuple

from aiohttp import web
from sqlalchemy import select

from host_tools.cloud.accounts.errors import BusyError
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.database import is_held_up
from host_tools.cloud.store.models import Account, Session
from host_tools.cloud.store.outage import is_away

SIGN_IN = 303


class Failure(NamedTuple):
    """What is answered. retry_after_s: when it is worth while to ask again, where that is known."""

    status: int
    what: str
    remedy: str
    retry_after_s: int | None = None


# A transaction waits for another as long as that.
BUSY = Failure(503, N_("Too much is going on right now."), N_("Try again in a few seconds."), 5)
AWAY = Failure(
    503,
    N_("This service cannot reach its records right now."),
    N_("Wait a minute, then load the page again. If you sent a form, look first whether it arrived."),
    30,
)
FAILED = Failure(
    500, N_("Something went wrong on our side."), N_("Try again. If it stays, write to support.")
)
OVER = Failure(SIGN_IN, "", "")  # its session or its account is

log = logging.getLogger("cloud.pages")


async def judge(request: web.Request, route: str, error: Exception) -> Failure:
    """What we did not foresee is logged with its trace, without its body.

    Call it where the error is being handled.
    """
    if isinstance(error, BusyError):
        return BUSY
    if is_held_up(error):
        if request.app[PARTS].database.outage.tells_of_a_wait():
            log.warning("%s %s waited too long for the database", request.method, route)
        return BUSY
    if is_away(error):  # the log has its line already (store/outage.py)
        return AWAY
    if await _is_over(request):
        log.info("%s %s: its session or account was over meanwhile", request.method, route)
        return OVER
    log.exception("%s %s failed", request.method, route)
    return FAILED


async def _is_over(request: web.Request) -> bool:
    """Whether the session or the account that asked is gone: then whatever looked for it failed."""
    visit = request.get(VISIT)
    if visit is None or visit.account is None:
        return False
    try:
        async with request.app[PARTS].database.read() as session:
            found = select(Account.id).where(Account.id == visit.account.id)
            if visit.session is not None:
                found = select(Session.id).where(Session.id == visit.session.id)
            return await session.scalar(found) is None
    except Exception:  # the database is what failed
        return False
