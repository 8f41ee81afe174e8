"""The first run: service code, password, authenticator, recovery codes. Nothing is kept before the last
proof."""

from gatelodge.refusals import SigninError
from gatelodge.text import _
from gatelodge.web import guard, reply
from gatelodge.web.html import fill
from gatelodge.web.pages import enrolment, parts
from gatelodge.web.pages.shell import code_field, field, form_error
from gatelodge.web.routes import NEWCOMER, api, get, post

SETUP_S = 900  # as long as Owner keeps the token

STEPS = ("service_code", "password", "authenticator", "recovery")

_WIZARD = """<div class="card wizard" data-wizard data-first="{first}">
<p class="steps" data-steps="{steps}" aria-live="polite"></p>
<progress class="steps-bar" max="4" value="1" aria-hidden="true"></progress>
{sections!}</div>
"""

_SERVICE_CODE = """<section data-step="service_code" hidden><h1 tabindex="-1">{title}</h1><p>{lead}</p>
<form data-post="/api/setup/service-code" data-then="password" novalidate>{field!}{error!}
<button class="primary">{go}</button></form></section>
"""

_PASSWORD = """<section data-step="password" hidden><h1 tabindex="-1">{title}</h1><p>{lead}</p>
<form data-post="/api/setup/password" data-then="authenticator" novalidate>{fields!}{error!}
<button class="primary">{go}</button></form></section>
"""

_AUTHENTICATOR = """<section data-step="authenticator" hidden><h1 tabindex="-1">{title}</h1><p>{lead}</p>
{enrol!}<form data-post="/api/setup/finish" data-then="recovery" data-auto="6" novalidate>
{name!}{code!}{error!}<button class="primary">{go}</button></form></section>
"""

_RECOVERY = """<section data-step="recovery" hidden><h1 tabindex="-1">{title}</h1><p>{lead}</p>
{codes!}</section>
"""


class SetupPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        return [
            get("/setup", NEWCOMER, self.page),
            post(
                "/api/setup/service-code",
                NEWCOMER,
                self.service_code,
                {"service_code": 64},
                about=api("Prove by the label that the router is here"),
            ),
            post("/api/setup/strength", NEWCOMER, self.strength, {"password": 256}),
            post(
                "/api/setup/password",
                NEWCOMER,
                self.password,
                {"password": 256},
                about=api("Ask whether a password will do"),
            ),
            post(
                "/api/setup/authenticator",
                NEWCOMER,
                self.authenticator,
                about=api("A secret for an authenticator", "NewAuthenticator"),
            ),
            post(
                "/api/setup/finish",
                NEWCOMER,
                self.finish,
                {"password": 256, "secret": 64, "code": 16, "name": 64},
                about=api("Take the router", "RecoveryCodes"),
            ),
        ]

    def page(self, visit, _values):
        first = "password" if self._has_begun(visit) else "service_code"
        sections = _service_code_step() + _password_step() + _authenticator_step() + _recovery_step()
        body = fill(_WIZARD, first=first, steps=_("Step %d of %d"), sections=sections)
        return reply.page(self._site.shell.alone(_("Set up your router"), body))

    def _has_begun(self, visit):
        try:
            self._site.owner.setup.check_token(visit.cookie(guard.SETUP))
        except SigninError:
            return False
        return True

    def service_code(self, visit, values):
        token = self._site.owner.setup.check_service_code(values["service_code"], visit.visitor)
        return reply.data({}, cookies=[guard.cookie(guard.SETUP, token, SETUP_S)])

    def strength(self, visit, values):
        """For the meter, while typing."""
        self._site.owner.setup.check_token(visit.cookie(guard.SETUP))
        strength = self._site.owner.password_strength(values["password"])
        return reply.data(enrolment.strength_told(strength))

    def password(self, visit, values):
        self._site.owner.setup.check_token(visit.cookie(guard.SETUP))
        self._site.owner.check_new_password(values["password"])
        return reply.data({})

    def authenticator(self, visit, _values):
        new = self._site.owner.setup.begin_authenticator(visit.cookie(guard.SETUP))
        return reply.data({"secret": new.secret, "qr": parts.qr_drawing(new.uri)})

    def finish(self, visit, values):
        done = self._site.owner.setup.finish(
            visit.cookie(guard.SETUP),
            values["password"],
            values["secret"],
            values["code"],
            values["name"],
            visit.visitor,
        )
        cookies = [guard.cookie(guard.SESSION, done.session_token), guard.no_cookie(guard.SETUP)]
        return reply.data({"recovery_codes": list(done.recovery_codes)}, cookies=cookies)


def _service_code_step():
    return fill(
        _SERVICE_CODE,
        title=_("Set up your router"),
        lead=_("The service code proves that this router is in your hands. It is printed on the label."),
        field=field(
            "service_code",
            _("Service code"),
            _("17 letters and digits. Case, spaces and hyphens do not matter."),
            type="text",
            autocomplete="off",
            autocapitalize="characters",
            spellcheck="false",
            required="",
        ),
        error=form_error(),
        go=_("Continue"),
    )


def _password_step():
    return fill(
        _PASSWORD,
        title=_("Choose a password"),
        lead=_("It opens this page, together with a code from your phone."),
        fields=enrolment.new_password("/api/setup/strength"),
        error=form_error(),
        go=_("Continue"),
    )


def _authenticator_step():
    return fill(
        _AUTHENTICATOR,
        title=_("Connect an authenticator"),
        lead=_(
            "Scan the picture with an authenticator app on your phone, then enter the code that it shows."
        ),
        enrol=enrolment.authenticator(),
        code=code_field(_("Six-digit code"), _("From the app. It changes every 30 seconds.")),
        name=enrolment.authenticator_name(_("My phone")),
        error=form_error(),
        go=_("Finish"),
    )


def _recovery_step():
    return fill(
        _RECOVERY,
        title=_(enrolment.CODES_TITLE),
        lead=_(enrolment.CODES_LEAD),
        codes=enrolment.recovery_codes("/", _("Open the overview")),
    )
