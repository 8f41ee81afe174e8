"""Templates, and what they may call: sentences, times and amounts as the reader has them.

In a template, `_("…")` and `{% trans %}` hold the sentence itself. It may have tags: its values are escaped.
What was marked elsewhere goes through the filter `said`, and is escaped as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from host_tools.cloud.accounts import numbers, proof
from host_tools.cloud.accounts.again import proved_in
from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.help.roles import may
from host_tools.cloud.languages import figures, text
from host_tools.cloud.languages.countries import countries
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages.assets import ASSETS, LOGO
from host_tools.cloud.pages.form_page import form_page
from host_tools.cloud.pages.site import SITE, ends_at
from host_tools.cloud.routers.claims import spaced
from host_tools.cloud.store.models import SignIn

VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
CSRF: web.RequestKey[str] = web.RequestKey("csrf", str)
# A new browser that this one, because it is trusted, may let in (accounts/approvals.py).
APPROVAL: web.RequestKey[SignIn | None] = web.RequestKey("approval", SignIn)

FIGURES = ("local", "day", "duration", "within", "ago", "number", "kilobytes", "megabytes")

# What a page says after something was done: the address carries the key, never the text.
NOTICES = {
    "welcome": N_("Your e-mail is confirmed, and you are signed in."),
    "resent": N_("A new message is on its way. Only its code and its link are valid."),
    "signed-out": N_("You are signed out."),
    "clock-learned": N_("Your phone's clock is off. From now on we allow for it: Security says by how much."),
    "over": N_("Your session is over, and its page was cleared. Sign in to go on."),
    "invited": N_("Sign in to register the router, or sign up first. This goes on by itself."),
    "released": N_("The router is released. Whoever has its service code can register it."),
    "agreed": N_("The other browser is signed in. You can end its session under Security."),
    "not-me": N_("That sign-in is over. Whoever it was knows your password: choose a new one now."),
    "texted": N_("Three calls did not arrive. A text message is on its way instead."),
    "push-on": N_("From now on this browser is told when a new one asks, also while no page is open."),
    "push-off": N_("This browser is told nothing any more while no page is open."),
    "telegram-removed": N_("The Telegram chat is unlinked."),
    "phone-removed": N_("The phone number is removed."),
    "going": N_("Sign in, or sign up first. Then you are led on."),
    "connect": N_("Sign in, and the two accounts are connected next."),
    "outside-added": N_("The account is connected. You can sign in with it from now on."),
    "outside-removed": N_("The account is disconnected, and opens nothing here any more."),
    "application-removed": N_("The application is disconnected, and all that it was given is void."),
    "client-changed": N_("The application is changed."),
    "client-disabled": N_("The application is disabled, and all that it was given is void."),
    "client-enabled": N_("The application is enabled. People sign in with it again."),
    "client-removed": N_("The application is removed, and all that it was given is void."),
    "token-revoked": N_("The token is revoked. Whatever used it is refused from now on."),
    "browser-removed": N_("The browser is signed out, and must verify again."),
    "session-ended": N_("That session is over."),
    "sessions-ended": N_("Every other session is over."),
    "password-changed": N_("Your password is changed. Every other session is over."),
    "undone": N_("The change is undone, and every session has ended. Sign in, then choose a new password."),
    "profile-saved": N_("Your details are saved."),
    "email-asked": N_("Two messages are on their way. The e-mail changes when both addresses have agreed."),
    "email-cancelled": N_("Your e-mail stays as it is."),
    "deletion-asked": N_("The account will be deleted in 14 days. A mail holds the link that stops it."),
    "help-asked": N_("Your request is with support. The answer comes here and by mail."),
    "help-written": N_("Your message is with support."),
    "help-closed": N_("The request is closed. Write in it again to reopen it."),
    "report-attached": N_("The diagnostics are attached. Support sees them from now on."),
    "report-removed": N_("The diagnostics are removed, for support as well."),
    "desk-answered": N_("The answer is on its way."),
    "desk-closed": N_("The request is closed."),
    "desk-removed": N_("The request is removed."),
    "stopped": N_("It is stopped. Your account stays as it is."),
    "passkey-renamed": N_("The passkey is renamed."),
    "passkey-removed": N_("The passkey is removed. Delete it on your device too."),
    "passkeys-only": N_("From now on only your passkeys sign in. Every other session is over."),
    "every-way": N_("Every way to sign in that you have set up is open again. Every other session is over."),
    "authenticator-removed": N_("The authenticator is removed."),
}
# What a sensitive form asks for (templates/_proof.html).
ASK_PASSWORD, ASK_PROOF, ASK_BOTH, ASK_PASSKEY = "password", "prove", "both", "passkey"
PROVED = "proved"
REFUSED = 400  # the first status that says so


class Asking(NamedTuple):
    """The action that a page is for (accounts/proof.py), and whether its person has two-factor on."""

    action: str
    two_factor: bool


ASKING: web.RequestKey[Asking] = web.RequestKey("asking", Asking)


def page(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    visit = request.get(VISIT)
    body = ENVIRONMENT.get_template(template).render(
        account=visit.account if visit else None,
        csrf=request.get(CSRF, ""),
        now=visit.now if visit else 0.0,
        notice=NOTICES.get(request.query.get("done", "")),
        path=request.path,
        at=request.app[SITE].at,
        ends_at=_ends_at(visit),
        approval=request.get(APPROVAL),
        asked_again=asked_again(request),
        form_page=form_page(request) if status >= REFUSED else "",
        **context,
    )
    return web.Response(text=body, content_type="text/html", status=status)


def _ends_at(visit: Visit | None) -> int:
    """When this page has to be gone (over.py), if it is the last that its person opens; 0 for a stranger."""
    held = visit and (visit.session or visit.at_site)
    return int(ends_at(held, visit.now)) if visit and held else 0


def asked_again(request: web.Request) -> str:
    visit, asking = request.get(VISIT), request.get(ASKING)
    if visit is None or asking is None or visit.account is None:
        return ASK_PASSWORD
    missing = proof.missing(asking.action, asking.two_factor, proved_in(visit), visit.now)
    if not missing:
        return PROVED
    if visit.session is not None and visit.account.passkeys_only_at is not None:
        return ASK_PASSKEY
    if proof.SECOND in missing and visit.session is not None:
        return ASK_BOTH
    return ASK_PASSWORD if visit.takes_password else ASK_PROOF


def moment_tag(moment: float | None, now: float) -> Markup:
    """A <time> that reads relative, and holds the exact time in the person's zone."""
    if moment is None:
        return escape(figures.ago(None, now))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        figures.exact(moment), figures.local(moment), figures.ago(moment, now)
    )


def linked(sentence: Markup, *addresses: str, **attributes: str) -> Markup:
    """The sentence with its <a> made links, in their order. attributes: of all of them."""
    more = Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in attributes.items())
    for address in addresses:
        begin = Markup('<a href="{}"').format(address) + more + Markup(">")
        sentence = Markup(sentence.replace("<a>", begin, 1))
    return sentence


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # templates change with a release: no page asks the disk
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    _let_speak(made)
    made.globals.update(asset=ASSETS.address, logo=Markup(LOGO), reader=text.reader, languages=text.NAMES)
    made.globals.update(moment=moment_tag, linked=linked, countries=countries)
    made.globals.update({name: getattr(figures, name) for name in FIGURES})
    made.globals.update(may=may)
    made.filters.update(said=text.find)
    made.filters.update(spaced=spaced, browser_words=browser_words, readable=numbers.readable)
    return made


def _let_speak(made: Environment) -> None:
    """One compiled template speaks every language: what a sentence says is looked up where it is said."""
    install: Any = made.install_gettext_callables  # type: ignore[attr-defined]
    install(text.find, text.find_counted, newstyle=True)
    made.globals["_"] = made.globals["gettext"]  # without the detour that Jinja's own alias takes


ENVIRONMENT = _environment()
