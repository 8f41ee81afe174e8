"""The first run: service code, password, authenticator, recovery codes. Nothing is kept before the last
proof."""

from gatelodge.core import qr
from gatelodge.refusals import SigninError
from gatelodge.text import _
from gatelodge.web import guard, reply
from gatelodge.web.html import fill
from gatelodge.web.pages.shell import code_field, field, form_error
from gatelodge.web.routes import NEWCOMER, get, post

SETUP_S = 900  # as long as Owner keeps the token

STRENGTHS = (
    _("Too easy to guess"),
    _("Weak"),
    _("Fair"),
    _("Good"),
    _("Strong"),
)

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
<form data-post="/api/setup/password" data-then="authenticator" novalidate>
<input class="unseen" type="text" autocomplete="username" value="owner" readonly tabindex="-1"
aria-hidden="true">
{field!}<div class="strength" data-strength data-state="0"><meter min="0" max="4" value="0"
aria-label="{meter}"></meter>
<span aria-live="polite"></span></div>
<label class="tick"><input type="checkbox" data-reveal="password"> {show}</label>{error!}
<button class="primary">{go}</button></form></section>
"""

_AUTHENTICATOR = """<section data-step="authenticator" hidden><h1 tabindex="-1">{title}</h1><p>{lead}</p>
<div class="enrol"><figure class="qr" data-qr role="img" aria-label="{qr}"></figure>
<div><p class="hint">{typed}</p><p class="key" data-secret></p>
<button type="button" class="quiet" data-copy="[data-secret]" data-done="{copied}">{copy}</button>
<details><summary>{manual}</summary><dl class="facts small">{rows!}</dl></details></div></div>
<form data-post="/api/setup/finish" data-then="recovery" data-auto="6" novalidate>
{name!}{code!}{error!}<button class="primary">{go}</button></form></section>
"""

_RECOVERY = """<section data-step="recovery" hidden><h1 tabindex="-1">{title}</h1><p>{lead}</p>
<ol class="codes" data-codes aria-label="{title}"></ol>
<div class="row"><button type="button" data-print>{print}</button>
<button type="button" data-save="gatelodge-recovery-codes.txt" data-heading="{heading}">{save}</button></div>
<label class="tick"><input type="checkbox" data-enables="enter"> {kept}</label>
<button class="primary" id="enter" data-go="/" disabled>{go}</button></section>
"""

# What an authenticator app asks when the key is typed (RFC 6238; the defaults of every app).
_MANUAL = (
    (_("Type"), _("time-based")),
    (_("Algorithm"), "SHA1"),
    (_("Digits"), "6"),
    (_("Period"), _("30 seconds")),
)


class SetupPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        return [
            get("/setup", NEWCOMER, self.page),
            post("/api/setup/service-code", NEWCOMER, self.service_code, {"service_code": 64}),
            post("/api/setup/strength", NEWCOMER, self.strength, {"password": 256}),
            post("/api/setup/password", NEWCOMER, self.password, {"password": 256}),
            post("/api/setup/authenticator", NEWCOMER, self.authenticator),
            post(
                "/api/setup/finish",
                NEWCOMER,
                self.finish,
                {"password": 256, "secret": 64, "code": 16, "name": 64},
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
        return reply.data({"strength": strength, "text": STRENGTHS[strength]})

    def password(self, visit, values):
        self._site.owner.setup.check_token(visit.cookie(guard.SETUP))
        self._site.owner.check_new_password(values["password"])
        return reply.data({})

    def authenticator(self, visit, _values):
        new = self._site.owner.setup.begin_authenticator(visit.cookie(guard.SETUP))
        return reply.data({"secret": new.secret, "qr": qr_drawing(new.uri)})

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
        field=field(
            "password",
            _("New password"),
            _("At least 8 characters. A few words that do not belong together are strong."),
            type="password",
            autocomplete="new-password",
            required="",
        ),
        meter=_("Strength of the password"),
        show=_("Show the password"),
        error=form_error(),
        go=_("Continue"),
    )


def _authenticator_step():
    rows = "".join(
        [fill("<dt>{name}</dt><dd>{value}</dd>", name=name, value=value) for name, value in _MANUAL]
    )
    return fill(
        _AUTHENTICATOR,
        title=_("Connect an authenticator"),
        lead=_(
            "Scan the picture with an authenticator app on your phone, then enter the code that it shows."
        ),
        qr=_("QR code for the authenticator app"),
        typed=_("Cannot scan? Type this key into the app:"),
        copy=_("Copy the key"),
        copied=_("Copied"),
        manual=_("What the app may ask"),
        rows=rows,
        code=code_field(_("Six-digit code"), _("From the app. It changes every 30 seconds.")),
        name=field(
            "name",
            _("Name of this authenticator"),
            type="text",
            value=_("My phone"),
            maxlength="64",
            autocomplete="off",
        ),
        error=form_error(),
        go=_("Finish"),
    )


def _recovery_step():
    return fill(
        _RECOVERY,
        title=_("Keep your recovery codes"),
        lead=_(
            "If the phone is lost, one of these signs you in instead of a code. Each works once. "
            "They are shown now and never again."
        ),
        print=_("Print"),
        save=_("Save as a file"),
        heading=_("Gatelodge recovery codes. Each works once."),
        kept=_("I have put the recovery codes in a safe place"),
        go=_("Open the overview"),
    )


def qr_drawing(text):
    """{view_box, path} of the QR code, for one SVG path."""
    modules = qr.encode(text.encode())
    return {"view_box": qr.view_box(modules), "path": qr.to_svg_path(modules)}
