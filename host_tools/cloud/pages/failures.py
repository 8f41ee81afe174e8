"""What went wrong while a request was answered: whether it passes, is over with its account, or is ours."""

from __future__ import annotations

import logging

from aiohttp import web
from sqlalchemy import select

from host_tools.cloud.accounts.errors import BusyError
from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.database import is_held_up
from host_tools.cloud.store.models import Account, Session

BUSY, FAILED, SIGN_IN = 503, 500, 303
RETRY_AFTER_S = 5  # as long as a transaction waits for another

log = logging.getLogger("cloud.pages")


async def judge(request: web.Request, route: str, error: Exception) -> int:
    """The status to answer with. What we did not foresee is logged with its trace, without its body.

    Call it where the error is being handled. SIGN_IN: its session or account is over.
    """
    if isinstance(error, BusyError):
        return BUSY
    if is_held_up(error):
        log.warning("%s %s waited too long for the database", request.method, route)
        return BUSY
    if await _is_over(request):
        log.info("%s %s: its session or account was over meanwhile", request.method, route)
        return SIGN_IN
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
