"""What the wizard and the security page share: a new password, a new authenticator, and recovery codes shown
once."""

from gatelodge.text import N_, _
from gatelodge.web.html import fill
from gatelodge.web.pages.shell import USERNAME, field

STRENGTHS = (
    N_("Too easy to guess"),
    N_("Weak"),
    N_("Fair"),
    N_("Good"),
    N_("Strong"),
)

_NEW_PASSWORD = """{username!}{before!}{field!}{after!}
<div class="strength" data-strength="{path}"><meter min="0" max="4" value="0" aria-label="{meter}"></meter>
<span aria-live="polite"></span></div>
<label class="tick"><input type="checkbox" data-reveal="{name}"> {show}</label>
"""

_ENROL = """<div class="enrol"><figure class="qr" data-qr role="img" aria-label="{qr}"></figure>
<div><p class="hint">{typed}</p><p class="key" data-secret></p>
<button type="button" class="quiet" data-copy="[data-secret]" data-done="{copied}">{copy}</button>
<details><summary>{manual}</summary><dl class="facts small">{rows!}</dl></details></div></div>
"""

_CODES = """<ol class="codes" data-codes aria-label="{title}"></ol>
<div class="row"><button type="button" data-print>{print}</button>
<button type="button" data-save="gatelodge-recovery-codes.txt" data-heading="{heading}">{save}</button></div>
<label class="tick"><input type="checkbox" data-enables="enter"> {kept}</label>
<button type="button" class="primary" id="enter" data-go="{path}" disabled>{go}</button>
"""

# What an authenticator app asks when the key is typed (RFC 6238; the defaults of every app).
_MANUAL = (
    (N_("Type"), N_("time-based")),
    (N_("Algorithm"), "SHA1"),
    (N_("Digits"), "6"),
    (N_("Period"), N_("30 seconds")),
)

CODES_TITLE = N_("Keep your recovery codes")
CODES_LEAD = N_(
    "If the phone is lost, one of these signs you in instead of a code. Each works once. "
    "They are shown now and never again."
)


def new_password(strength_path, name="password", before="", after=""):
    """The fields of a new password. before, after: markup of what is asked first, and right after it."""
    return fill(
        _NEW_PASSWORD,
        username=USERNAME,
        before=before,
        after=after,
        path=strength_path,
        name=name,
        field=field(
            "password",
            _("New password"),
            _("At least 8 characters. A few words that do not belong together are strong."),
            id=name,
            type="password",
            autocomplete="new-password",
            required="",
        ),
        meter=_("Strength of the password"),
        show=_("Show the password"),
    )


def authenticator():
    """The picture to scan and the key to type; the script fills both."""
    row = "<dt>{name}</dt><dd>{value}</dd>"
    return fill(
        _ENROL,
        qr=_("QR code for the authenticator app"),
        typed=_("Cannot scan? Type this key into the app:"),
        copy=_("Copy the key"),
        copied=_("Copied"),
        manual=_("What the app may ask"),
        rows="".join([fill(row, name=_(name), value=_(value)) for name, value in _MANUAL]),
    )


def authenticator_name(text, name="name"):
    """A field with a name that may stay. name: its id."""
    label = _("Name of this authenticator")
    return field("name", label, id=name, type="text", value=text, maxlength="64", autocomplete="off")


def recovery_codes(path, go):
    """The list that the script fills, and the way on, to `path`, once it is kept."""
    return fill(
        _CODES,
        title=_(CODES_TITLE),
        print=_("Print"),
        save=_("Save as a file"),
        heading=_("Gatelodge recovery codes. Each works once."),
        kept=_("I have put the recovery codes in a safe place"),
        path=path,
        go=go,
    )


def strength_told(strength):
    """What the meter is told: {strength, text}."""
    return {"strength": strength, "text": _(STRENGTHS[strength])}
