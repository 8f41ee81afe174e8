"""Sign-in: the password on one page, the code on the next, and the recovery code for whoever has none."""

import asyncio

from gatelodge import compat
from gatelodge.core import totp
from gatelodge.core.signin import TRUST_LIFETIME_S
from gatelodge.refusals import SigninError
from gatelodge.text import N_, _, speak
from gatelodge.web import guard, language, reply, words
from gatelodge.web.html import fill
from gatelodge.web.pages import code_page
from gatelodge.web.pages.shell import field, form_error
from gatelodge.web.routes import OWNER, VISITOR, api, get, post

SIGNIN_S = 300  # as long as Owner keeps the token
SEARCH_MS = 1000  # of a search for two codes, before the page is told how far it has come

TWO_CODES = {"code": 16, "next_code": 16, "browser_time": 16, "trust?": 8}

# Why somebody is on this page, by the query's `because`. Anything else says nothing.
BECAUSE = {
    "out": N_("You are signed out."),
    "ended": N_("Your session ended. Sessions end after 10 minutes without an action. Sign in again."),
    "restarted": N_("The router restarted, which ends every session. Sign in again."),
    "start": N_("That took longer than 5 minutes. Begin again with the password."),
}

_PASSWORD = """<div class="card narrow"><h1>{title}</h1>{because!}
<form data-post="/api/sign-in/password" novalidate>
<input class="unseen" type="text" autocomplete="username" value="owner" readonly tabindex="-1"
aria-hidden="true">
{password!}{error!}<button class="primary">{go}</button></form>
<details><summary>{forgotten}</summary><p>{forgotten_how}</p></details></div>
"""


SEARCH = "Searched"  # what is answered while two codes are searched for


def step(path, handler, fields, summary, shape="Done"):
    return post("/api/sign-in/" + path, VISITOR, handler, fields, about=api(summary, shape))


class SigninPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        return [
            get("/signin", VISITOR, self.password_page),
            get("/signin/code", VISITOR, self.code_page),
            step("password", self.password, {"password": 256}, "Begin to sign in"),
            step("code", self.code, {"code": 16, "trust?": 8}, "Enter the code: a session begins"),
            step(
                "two-codes", self.two_codes, TWO_CODES, "Two codes in a row, until the time is proved", SEARCH
            ),
            step("search", self.search, {"trust?": 8}, "Go on looking for the two codes", SEARCH),
            step("recovery", self.recovery, {"recovery_code": 64}, "A recovery code instead of a code"),
            step("button", self.button, {}, "The router's button instead: ask each second", "Waited"),
            post("/api/sign-out", OWNER, self.sign_out, about=api("End this session")),
            post(
                "/api/prove",
                OWNER,
                self.prove,
                {"proof": 256},
                about=api("Give a code, or the password without two-factor: good for 5 minutes"),
            ),
        ]

    def password_page(self, visit, values):
        why = BECAUSE.get(values.get("because"))
        body = fill(
            _PASSWORD,
            title=_("Sign in to your router"),
            because=fill('<p class="note">{why}</p>', why=_(why)) if why else "",
            password=field(
                "password",
                _("Password"),
                type="password",
                autocomplete="current-password",
                required="",
                autofocus="",
            ),
            error=form_error(),
            go=_("Continue"),
            forgotten=_("Forgot the password?"),
            forgotten_how=_(
                "The serial console of the router helps its owner, and a factory reset starts over."
            ),
        )
        return reply.page(self._site.shell.alone(_("Sign in"), body))

    def code_page(self, visit, values):
        try:
            self._site.owner.signing_in.check_token(visit.cookie(guard.SIGNIN), visit.visitor)
        except SigninError:
            return reply.see_other("/signin?because=start")
        body = self._code_form(values.get("codes") == "two")
        return reply.page(self._site.shell.alone(_("Enter the code"), body))

    def _code_form(self, asks_for_two):
        """Two codes where the time is not known, and for whoever says that a time which nobody proved is
        wrong."""
        clock, has_button = self._site.clock, self._site.owner.has_button
        told = words.moment(clock.now()) if clock.is_doubtful else ""
        if not clock.is_set or (told and asks_for_two):
            return code_page.two_codes(has_button, told)
        return code_page.one_code(has_button, told, not clock.is_disputed)

    def password(self, visit, values):
        signing_in = self._site.owner.signing_in
        token = signing_in.password(values["password"], visit.visitor)
        session_token = signing_in.without_code(token, visit.visitor)
        if session_token:
            return self._signed_in(visit, session_token)
        return reply.data({"go": "/signin/code"}, cookies=[guard.cookie(guard.SIGNIN, token, SIGNIN_S)])

    def code(self, visit, values):
        token = visit.cookie(guard.SIGNIN)
        session_token = self._site.owner.signing_in.code(token, values["code"], visit.visitor)
        trust = "" if self._site.clock.is_disputed else values["trust"]
        return self._signed_in(visit, session_token, trust, self._phone_ahead())

    def recovery(self, visit, values):
        token = visit.cookie(guard.SIGNIN)
        code = values["recovery_code"]
        return self._signed_in(visit, self._site.owner.signing_in.recovery_code(token, code, visit.visitor))

    def button(self, visit, _values):
        signing_in = self._site.owner.signing_in
        session_token = signing_in.button(visit.cookie(guard.SIGNIN), visit.visitor)
        if session_token:
            return self._signed_in(visit, session_token)
        return reply.data({"wait": code_page.waits(signing_in.button_rests_s())})

    async def two_codes(self, visit, values):
        self._site.owner.signing_in.two_codes(
            visit.cookie(guard.SIGNIN),
            values["code"],
            values["next_code"],
            values["browser_time"],
            visit.visitor,
        )
        return await self.search(visit, values)

    async def search(self, visit, values):
        """Search for a second, between whatever else the router has to do: {search: code_page.how_far} or
        {go} with the session. The page asks again; when it is closed, nothing goes on."""
        signing_in, token = self._site.owner.signing_in, visit.cookie(guard.SIGNIN)
        end_ms = compat.monotonic_ms() + SEARCH_MS
        while compat.monotonic_ms() < end_ms:
            session_token = signing_in.go_on(token, visit.visitor)
            if session_token:
                moment = words.moment(self._site.clock.now())
                say = _("Your two codes have set the router's clock: it is %s.") % moment
                trust = "" if signing_in.is_in_doubt else values["trust"]
                return self._signed_in(visit, session_token, trust, say)
            await asyncio.sleep(0)
            speak(language.of(visit.request))  # others were answered meanwhile
        return reply.data({"search": code_page.how_far(signing_in.searched_s())})

    def _signed_in(self, visit, session_token, trust="", say=""):
        """trust: whether the box is ticked: "yes" or "". A session that this browser has already ends."""
        self._site.owner.sign_out(visit.session_token)
        cookies = [guard.cookie(guard.SESSION, session_token), guard.no_cookie(guard.SIGNIN)]
        if trust:
            trust_token = self._site.owner.trust.remember(session_token, visit.visitor)
            cookies.append(guard.cookie(guard.TRUST, trust_token, TRUST_LIFETIME_S))
        return reply.data({"go": "/", "say": say}, cookies=cookies)

    def _phone_ahead(self):
        """What to say of the authenticator that was used just now. A code may come late for many reasons, and
        early for one only: so a clock that seems behind is told on the security page, not each time."""
        rows = sorted(self._site.owner.status()["authenticators"], key=lambda row: row["last_used_at"])
        if not rows or rows[-1]["drift_steps"] <= 0:
            return ""
        told = _(
            "%s is about %d s ahead of the router. Codes still work. To keep it so, turn on automatic time "
            "in its settings for date and time."
        )
        return told % (rows[-1]["name"], rows[-1]["drift_steps"] * totp.STEP_S)

    def sign_out(self, visit, _values):
        self._site.owner.sign_out(visit.session_token)
        return reply.data({"go": "/signin?because=out"}, cookies=[guard.no_cookie(guard.SESSION)])

    def prove(self, visit, values):
        """Before something sensitive: a code, or a recovery code, for the dialog of shell.py."""
        try:
            token = self._site.owner.prove(visit.session_token, values["proof"], visit.visitor)
        except SigninError as error:
            error.field = "proof"
            raise
        return reply.data({}, cookies=[guard.cookie(guard.SESSION, token)])
