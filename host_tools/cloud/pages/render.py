"""Templates, and the words for times and amounts that they use."""

from __future__ import annotations

import datetime
import math
import zoneinfo
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from host_tools.cloud.accounts import numbers
from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.pages.assets import ASSETS, LOGO
from host_tools.cloud.routers.claims import spaced
from host_tools.cloud.store.models import SignIn

VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
CSRF: web.RequestKey[str] = web.RequestKey("csrf", str)
# A new browser that this one, because it is trusted, may let in (accounts/approvals.py).
APPROVAL: web.RequestKey[SignIn | None] = web.RequestKey("approval", SignIn)

# What a page says after something was done: the address carries the key, never the text.
NOTICES = {
    "welcome": "Your e-mail is confirmed, and you are signed in.",
    "resent": "A new message is on its way. Only its code and its link are valid.",
    "signed-out": "You are signed out.",
    "invited": "Sign in to register the router, or sign up first. This goes on by itself.",
    "released": "The router is released. Whoever has its service code can register it.",
    "agreed": "The other browser is signed in. You can end its session under Security.",
    "not-me": "That sign-in is over. Whoever it was knows your password: choose a new one now.",
    "texted": "Three calls did not arrive. A text message is on its way instead.",
    "push-on": "From now on this browser is told when a new one asks, also while no page is open.",
    "push-off": "This browser is told nothing any more while no page is open.",
    "telegram-removed": "The Telegram chat is unlinked.",
    "phone-removed": "The phone number is removed.",
    "going": "Sign in, or sign up first. Then you are led on.",
    "connect": "Sign in, and the two accounts are connected next.",
    "outside-added": "The account is connected. You can sign in with it from now on.",
    "outside-removed": "The account is disconnected, and opens nothing here any more.",
    "application-removed": "The application is disconnected, and all that it was given is void.",
    "token-revoked": "The token is revoked. Whatever used it is refused from now on.",
    "browser-removed": "The browser is signed out, and must verify again.",
    "session-ended": "That session is over.",
    "password-changed": "Your password is changed. Every other session is over.",
    "undone": "The change is undone, and every session has ended. Sign in, then choose a new password.",
    "profile-saved": "Your details are saved.",
    "email-asked": "Two messages are on their way. The e-mail changes when both addresses have agreed.",
    "email-cancelled": "Your e-mail stays as it is.",
    "deletion-asked": "The account will be deleted in 14 days. A mail holds the link that stops it.",
    "help-asked": "Your request is with support. The answer comes here and by mail.",
    "help-written": "Your message is with support.",
    "help-closed": "The request is closed. Write in it again to reopen it.",
    "desk-answered": "The answer is on its way.",
    "desk-closed": "The request is closed.",
    "desk-removed": "The request is removed.",
    "stopped": "It is stopped. Your account stays as it is.",
    "passkey-renamed": "The passkey is renamed.",
    "passkey-removed": "The passkey is removed. Delete it on your device too.",
    "authenticator-removed": "The authenticator is removed.",
}
NOW_S = 5


def text(english: str) -> str:
    """The person's language, once there are catalogues."""
    return english


def page(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    visit = request.get(VISIT)
    body = ENVIRONMENT.get_template(template).render(
        account=visit.account if visit else None,
        csrf=request.get(CSRF, ""),
        now=visit.now if visit else 0.0,
        notice=NOTICES.get(request.query.get("done", "")),
        path=request.path,
        approval=request.get(APPROVAL),
        **context,
    )
    return web.Response(text=body, content_type="text/html", status=status)


def ago(moment: float | None, now: float) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return text("never")
    seconds = max(0, now - moment)
    if seconds < NOW_S:
        return text("just now")
    return duration(seconds) + text(" ago")


def duration(seconds: float) -> str:
    """The largest whole unit, as a person says it: 45 seconds, 3 minutes, 5 hours, 2 days."""
    for unit_s, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= unit_s or unit_s == 1:
            count = int(seconds // unit_s)
            return f"{count} {name}" + ("" if count == 1 else "s")
    return ""


def local(moment: float, zone: str) -> str:
    """The time in the person's zone (IANA's name; "" is UTC), for reading."""
    there = datetime.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone or "UTC"))
    return there.strftime("%Y-%m-%d %H:%M:%S %Z")


def exact(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pass_context
def local_time(context: Context, moment: float) -> str:
    account = context.get("account")
    return local(moment, account.time_zone if account else "")


@pass_context
def moment_tag(context: Context, moment: float | None, now: float) -> Markup:
    """A <time> that reads relative, and holds the exact time in the person's zone."""
    if moment is None:
        return Markup(text("never"))
    account = context.get("account")
    spoken = local(moment, account.time_zone if account else "")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact(moment), spoken, ago(moment, now))


def megabytes(kilobytes: float) -> str:
    return f"{math.floor(kilobytes / 1024)} MB"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(_=text, asset=ASSETS.address, logo=Markup(LOGO))
    made.globals.update(moment=moment_tag, local=local_time, duration=duration)
    made.filters.update(spaced=spaced, browser_words=browser_words, readable=numbers.readable)
    return made


ENVIRONMENT = _environment()
