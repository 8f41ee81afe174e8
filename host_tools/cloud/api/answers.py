"""Rows of the database as the API tells them: the fields of shapes.py."""

from __future__ import annotations

import datetime
from typing import Any

from host_tools.cloud.accounts.events import KINDS
from host_tools.cloud.accounts.sessions import expires_at
from host_tools.cloud.routers.ownership import RouterView
from host_tools.cloud.routers.registry import NEVER, OFFLINE, ONLINE
from host_tools.cloud.routers.results import said
from host_tools.cloud.store.models import Account, Authenticator, Command, Event, Session
from host_tools.cloud.warranty.routers import warranty

Answer = dict[str, Any]


def moment(seconds: float) -> str:
    """RFC 3339 section 5.6, to the second."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)


def account(row: Account) -> Answer:
    names = ("id", "email", "first_name", "last_name", "country", "language", "time_zone")
    more = {"passkeys_only": row.passkeys_only_at is not None, "created_at": moment(row.created_at)}
    return {**{name: getattr(row, name) for name in names}, **more}


def browser_session(row: Session) -> Answer:
    names = {name: getattr(row, name) for name in ("id", "browser", "address")}
    times = {"created_at": row.created_at, "acted_at": row.acted_at, "expires_at": expires_at(row)}
    return {**names, **{name: moment(seconds) for name, seconds in times.items()}}


def authenticator(row: Authenticator) -> Answer:
    """As its owner reads it: how it is called and made, never its key."""
    names = {name: getattr(row, name) for name in ("id", "name", "algorithm")}
    return {**names, "created_at": moment(row.created_at), "used_at": moment(row.used_at)}


def event(row: Event) -> Answer:
    names = {name: getattr(row, name) for name in ("id", "kind", "about", "address", "browser")}
    return {**names, "at": moment(row.at), "text": KINDS[row.kind]}


def router(view: RouterView) -> Answer:
    """The link tells whether it is online; the row, what it was when it was last heard."""
    row, status = view.router, view.status or {}
    term = warranty(row)
    offline = NEVER if row.state == NEVER else OFFLINE
    return {
        "serial_number": row.serial_number,
        "model": row.model,
        "state": ONLINE if view.online else offline,
        "firmware": status.get("firmware") or row.firmware or None,
        "heard_at": moment_or_none(status.get("heard") or row.heard_at),
        "owned_at": moment(row.owned_at or 0.0),
        "warranty": {"begins": term.begins.isoformat(), "ends": term.ends.isoformat()} if term else None,
    }


def restart(row: Command) -> Answer:
    names = {name: getattr(row, name) for name in ("id", "serial_number", "state")}
    times = {"asked_at": moment(row.asked_at), "ended_at": moment_or_none(row.ended_at)}
    return {**names, "text": said(row), **times}
