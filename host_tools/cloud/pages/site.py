"""Our origins: the portal, and the help centre where it has an address of its own. Each has its cookies."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from aiohttp import web

from host_tools.cloud.store.models import Account, Session


class Finder(Protocol):
    """The sessions of a site: accounts/sessions.py, help/sessions.py."""

    async def find(
        self, token: str, now: float, *, acting: bool
    ) -> tuple[Session | None, Account] | None: ...


class Site(NamedTuple):
    """One of our origins. portal: where the account's own pages are, "" here."""

    host: str
    session_cookie: str
    browser_cookie: str
    known_cookie: str  # "": nobody signs in here with a password
    sessions: Finder
    portal: str = ""


SITE: web.AppKey[Site] = web.AppKey("site", Site)
