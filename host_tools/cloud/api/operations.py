"""Every operation of the API, one row each: what answers it, what it asks for, and how it is described."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sqlalchemy import select

from host_tools.cloud.accounts.events import KINDS
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.api import answers
from host_tools.cloud.api.parameters import AFTER, BEFORE, LIMIT, RESTART_ID, SERIAL_NUMBER, Parameter
from host_tools.cloud.api.problems import ProblemError
from host_tools.cloud.api.scopes import ACCOUNT_READ, ROUTERS_READ, ROUTERS_WRITE
from host_tools.cloud.parts import Parts
from host_tools.cloud.routers.ownership import REBOOT
from host_tools.cloud.store.models import Command, Event

ROOT = "/api/v1"
DESCRIPTION = "/api/openapi.json"


class Asked(NamedTuple):
    """visit: the token's account, without a session. values: the parameters, read and checked."""

    parts: Parts
    visit: Visit
    values: dict[str, Any]

    @property
    def account_id(self) -> str:
        return self.visit.signed_in.id


async def account(asked: Asked) -> answers.Answer:
    return answers.account(asked.visit.signed_in)


async def sessions(asked: Asked) -> answers.Answer:
    rows = await asked.parts.sessions.of(asked.account_id, asked.visit.now)
    return {"items": [answers.browser_session(row) for row in rows]}


async def authenticators(asked: Asked) -> answers.Answer:
    rows = await asked.parts.factors.authenticators(asked.account_id)
    return {"items": [answers.authenticator(row) for row in rows]}


async def events(asked: Asked) -> answers.Answer:
    limit, before = asked.values["limit"], asked.values["before"]
    mine = select(Event).where(Event.account_id == asked.account_id, Event.kind.in_(KINDS))
    if before is not None:
        mine = mine.where(Event.id < before)
    async with asked.parts.database.read() as session:
        rows = list(await session.scalars(mine.order_by(Event.id.desc()).limit(limit + 1)))
    shown = rows[:limit]
    return {
        "items": [answers.event(row) for row in shown],
        "next": shown[-1].id if len(rows) > limit else None,
    }


async def routers(asked: Asked) -> answers.Answer:
    """By serial number, so that a page begins where the last ended, whatever was registered between."""
    limit, after = asked.values["limit"], asked.values["after"] or ""
    views = await asked.parts.ownership.page(asked.account_id, after, limit + 1)
    shown = views[:limit]
    return {
        "items": [answers.router(view) for view in shown],
        "next": shown[-1].router.serial_number if len(views) > limit else None,
    }


async def router(asked: Asked) -> answers.Answer:
    view = await asked.parts.ownership.router(asked.values["serial_number"], asked.account_id)
    if view is None:
        raise ProblemError(404)
    return answers.router(view)


async def restart(asked: Asked) -> answers.Answer:
    return answers.restart(await asked.parts.ownership.reboot(asked.values["serial_number"], asked.visit))


async def restart_result(asked: Asked) -> answers.Answer:
    mine = (Command.account_id == asked.account_id, Command.serial_number == asked.values["serial_number"])
    found = select(Command).where(Command.id == asked.values["id"], Command.name == REBOOT, *mine)
    async with asked.parts.database.read() as session:
        row = await session.scalar(found)
    if row is None:
        raise ProblemError(404)
    return answers.restart(row)


class Operation(NamedTuple):
    """`reply`: a shape of shapes.py. `refuses`: beside what every one may answer (openapi.EVERYWHERE)."""

    method: str
    path: str
    answer: Callable[[Asked], Awaitable[answers.Answer]]
    scope: str
    summary: str
    reply: str
    in_path: tuple[Parameter, ...] = ()
    in_query: tuple[Parameter, ...] = ()
    status: int = 200
    refuses: tuple[int, ...] = ()


ROUTER = ROOT + "/routers/{serial_number}"
OPERATIONS = (
    Operation("GET", ROOT + "/account", account, ACCOUNT_READ, "The account's details", "Account"),
    Operation("GET", ROOT + "/sessions", sessions, ACCOUNT_READ, "Browsers that are signed in", "Sessions"),
    Operation(
        "GET", ROOT + "/authenticators", authenticators, ACCOUNT_READ,
        "Authenticators that give second factors", "Authenticators",
    ),
    Operation(
        "GET", ROOT + "/events", events, ACCOUNT_READ, "What happened to the account's safety, newest first",
        "Events", in_query=(LIMIT, BEFORE),
    ),
    Operation(
        "GET", ROOT + "/routers", routers, ROUTERS_READ, "The account's routers, by serial number",
        "Routers", in_query=(LIMIT, AFTER),
    ),
    Operation(
        "GET", ROUTER, router, ROUTERS_READ, "One router", "Router",
        in_path=(SERIAL_NUMBER,), refuses=(404,),
    ),
    Operation(
        "POST", ROUTER + "/restarts", restart, ROUTERS_WRITE,
        "Restart a router; Location leads to how it ended", "Restart",
        in_path=(SERIAL_NUMBER,), status=202, refuses=(404,),
    ),
    Operation(
        "GET", ROUTER + "/restarts/{id}", restart_result, ROUTERS_READ, "How a restart ended", "Restart",
        in_path=(SERIAL_NUMBER, RESTART_ID), refuses=(404,),
    ),
)  # fmt: skip
