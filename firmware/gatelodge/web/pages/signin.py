"""Sign-in: the password on one page, the code on the next, and the recovery code for whoever has none."""

from gatelodge.refusals import SigninError
from gatelodge.text import _
from gatelodge.web import guard, reply
from gatelodge.web.html import fill
from gatelodge.web.pages.shell import code_field, field, form_error
from gatelodge.web.routes import OWNER, VISITOR, get, post

SIGNIN_S = 300  # as long as Owner keeps the token

# Why somebody is on this page, by the query's `because`. Anything else says nothing.
BECAUSE = {
    "out": _("You are signed out."),
    "ended": _("Your session ended. Sessions end after 10 minutes without an action. Sign in again."),
    "restarted": _("The router restarted, which ends every session. Sign in again."),
    "start": _("That took longer than 5 minutes. Begin again with the password."),
}

_PASSWORD = """<div class="card narrow"><h1>{title}</h1>{because!}
<form data-post="/api/sign-in/password" novalidate>
<input class="unseen" type="text" autocomplete="username" value="owner" readonly tabindex="-1"
aria-hidden="true">
{password!}{error!}<button class="primary">{go}</button></form>
<details><summary>{forgotten}</summary><p>{forgotten_how}</p></details></div>
"""

_CODE = """<div class="card narrow"><h1>{title}</h1>{unset!}
<form data-post="/api/sign-in/code" data-auto="6" novalidate>{code!}{error!}<button
class="primary">{go}</button></form>
<details data-offer="recovery"{open!}><summary>{none}</summary>
<form data-post="/api/sign-in/recovery" novalidate>{recovery!}<button>{go_recovery}</button></form>
<p class="hint">{help}</p></details>
<p class="after"><a href="/signin">{back}</a></p></div>
"""


class SigninPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        return [
            get("/signin", VISITOR, self.password_page),
            get("/signin/code", VISITOR, self.code_page),
            post("/api/sign-in/password", VISITOR, self.password, {"password": 256}),
            post("/api/sign-in/code", VISITOR, self.code, {"code": 16}),
            post("/api/sign-in/recovery", VISITOR, self.recovery, {"recovery_code": 64}),
            post("/api/sign-out", OWNER, self.sign_out),
            post("/api/prove", OWNER, self.prove, {"proof": 256}),
        ]

    def password_page(self, visit, values):
        why = BECAUSE.get(values.get("because"))
        body = fill(
            _PASSWORD,
            title=_("Sign in to your router"),
            because=fill('<p class="note">{why}</p>', why=why) if why else "",
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

    def code_page(self, visit, _values):
        try:
            self._site.owner.signing_in.check_token(visit.cookie(guard.SIGNIN), visit.visitor)
        except SigninError:
            return reply.see_other("/signin?because=start")
        unset = not self._site.clock.is_set
        body = fill(
            _CODE,
            title=_("Enter the code"),
            unset=fill('<p class="note" data-state="waiting">{text}</p>', text=_UNSET) if unset else "",
            open=" open" if unset else "",
            code=self._code_field(),
            error=form_error(),
            go=_("Sign in"),
            none=_("Don't have a code?"),
            recovery=field(
                "recovery_code",
                _("Recovery code"),
                _("One of the ten from when this router was set up. Each works once."),
                type="text",
                autocomplete="off",
                autocapitalize="characters",
                spellcheck="false",
                required="",
            ),
            go_recovery=_("Sign in with a recovery code"),
            help=_(
                "No recovery code either? The router's serial console helps its owner after the password."
            ),
            back=_("Back to the password"),
        )
        return reply.page(self._site.shell.alone(_("Enter the code"), body))

    def _code_field(self):
        return code_field(
            _("Six-digit code"), _("From your authenticator app. It changes every 30 seconds."), autofocus=""
        )

    def password(self, visit, values):
        token = self._site.owner.signing_in.password(values["password"], visit.visitor)
        return reply.data({"go": "/signin/code"}, cookies=[guard.cookie(guard.SIGNIN, token, SIGNIN_S)])

    def code(self, visit, values):
        token = visit.cookie(guard.SIGNIN)
        return self._signed_in(self._site.owner.signing_in.code(token, values["code"], visit.visitor))

    def recovery(self, visit, values):
        token = visit.cookie(guard.SIGNIN)
        return self._signed_in(
            self._site.owner.signing_in.recovery_code(token, values["recovery_code"], visit.visitor)
        )

    def _signed_in(self, session_token):
        cookies = [guard.cookie(guard.SESSION, session_token), guard.no_cookie(guard.SIGNIN)]
        return reply.data({"go": "/"}, cookies=cookies)

    def sign_out(self, visit, _values):
        self._site.owner.sign_out(visit.session_token)
        return reply.data({"go": "/signin?because=out"}, cookies=[guard.no_cookie(guard.SESSION)])

    def prove(self, visit, values):
        """Before something sensitive: a code, or a recovery code, for the dialog of shell.py."""
        try:
            self._site.owner.prove(visit.session_token, values["proof"], visit.visitor)
        except SigninError as error:
            error.field = "proof"
            raise
        return reply.data({})


_UNSET = _("The router's clock is not set yet, so it cannot judge a code. A recovery code works now.")
