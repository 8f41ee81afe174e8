"""Our origins: the account, and the help centre and the portal where they have addresses of their own.

Each has its cookies.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from aiohttp import web

from host_tools.cloud.accounts import sessions
from host_tools.cloud.settings import Settings
from host_tools.cloud.sites import sessions as site_sessions
from host_tools.cloud.store.models import Account, Session
from host_tools.cloud.store.site_models import SiteSession

ACCOUNT = "account"


class Finder(Protocol):
    """The sessions of a site: accounts/sessions.py, sites/sessions.py."""

    async def find(
        self, token: str, now: float, *, acting: bool
    ) -> tuple[Session | SiteSession, Account] | None: ...


class At(NamedTuple):
    """What the addresses of each one's pages begin with: "" for those that are here."""

    account: str
    portal: str
    help: str

    @classmethod
    def seen_from(cls, site: str, settings: Settings) -> At:
        all_of_them = cls(settings.public_url, settings.portal_base, settings.help_base)
        here = getattr(all_of_them, site)
        return cls(*("" if url == here else url for url in all_of_them))


class Site(NamedTuple):
    """One of our origins."""

    host: str
    session_cookie: str
    browser_cookie: str
    known_cookie: str  # "": nobody signs in here with a password
    sessions: Finder
    at: At


def ends_at(held: Session | SiteSession, acted_at: float) -> float:
    """When a session is over in which nobody acts after that."""
    idle_s = sessions.IDLE_S if isinstance(held, Session) else site_sessions.IDLE_S
    return min(held.expires_at, acted_at + idle_s)


SITE: web.AppKey[Site] = web.AppKey("site", Site)
