"""The page that asks for the second factor: a code, two where the time is not known, or a recovery code."""

from gatelodge.core.totp import STEP_S
from gatelodge.core.two_codes import WINDOW_STEPS
from gatelodge.refusals import span
from gatelodge.text import _
from gatelodge.web import words
from gatelodge.web.html import fill
from gatelodge.web.pages.shell import code_field, field, form_error

_PAGE = """<div class="card narrow"><h1>{title}</h1>{lead!}{form!}
{doubt!}<details data-offer="recovery"><summary>{none}</summary>
<form data-post="/api/sign-in/recovery" novalidate>{recovery!}<button>{go_recovery}</button></form>
{button!}<p class="hint">{help}</p></details>
<p class="after"><a href="/signin">{back}</a></p></div>
"""

_ONE_CODE = """<form data-post="/api/sign-in/code" novalidate>{code!}{trust!}{error!}
<button class="primary">{go}</button></form>
"""

_TWO_CODES = """<form data-post="/api/sign-in/two-codes" novalidate>
<input type="hidden" name="browser_time">{code!}{next_code!}{trust!}{error!}
<div class="search" data-search role="status" hidden>
<progress max="100" value="0" aria-hidden="true"></progress><span></span></div>
<button class="primary">{go}</button></form>
"""

_BUTTON = """<form data-post="/api/sign-in/button" novalidate>
<p class="note" data-wait role="status" hidden></p>
{error!}<button>{go}</button></form>
"""

_DOUBT = """<details data-offer="recovery"><summary>{title}</summary><p class="hint">{text}</p>
<p><a href="/signin/code?codes=two">{go}</a></p></details>
"""

_TRUST = '<label class="tick"><input type="checkbox" name="trust" value="yes"> {text}</label>'

_LEAD = '<p class="note" data-state="waiting">{text}</p>'


def one_code(has_button, doubtful_time="", takes_trust=True):
    """doubtful_time: what the clock shows, where nobody has proved it; or ""."""
    form = fill(
        _ONE_CODE,
        code=code_field(
            _("Six-digit code"),
            _("From your authenticator app. It changes every 30 seconds."),
            autofocus="",
        ),
        trust=_trust() if takes_trust else "",
        error=form_error(),
        go=_("Sign in"),
    )
    return _page(_("Enter the code"), "", form, has_button, _doubt(doubtful_time) if doubtful_time else "")


def two_codes(has_button, doubtful_time=""):
    """doubtful_time: as in `one_code`; "" where the clock is unset."""
    lead = _(
        "The router was off and has lost the time. Two codes in a row tell it the time, and sign you in: "
        "enter the code shown now, wait for the next one, and enter that."
    )
    if doubtful_time:
        lead = _(
            "Two codes in a row put the router's time right, and sign you in: enter the code shown now, wait "
            "for the next one, and enter that. The router has %s, which nobody has proved to it."
        )
        lead = lead % doubtful_time
    form = fill(
        _TWO_CODES,
        code=code_field(_("Code shown now"), _("From your authenticator app."), autofocus=""),
        next_code=code_field(_("Next code"), _("It comes within 30 seconds."), "next_code"),
        trust="" if doubtful_time else _trust(),
        error=form_error(),
        go=_("Sign in"),
    )
    return _page(_("Enter two codes"), fill(_LEAD, text=lead), form, has_button)


def how_far(searched_s):
    """{text, percent} for who waits while two codes are searched for. searched_s: SigningIn.searched_s."""
    text = _("Searching near the time of this browser.")
    if searched_s:
        text = _("Searching further: %s after the last time the router knew.") % words.span(searched_s)
    return {"text": text, "percent": 100 * searched_s // (WINDOW_STEPS * STEP_S)}


def waits(rest_s):
    """What to do while the button has not been pressed. rest_s: until a press counts again."""
    if rest_s:
        return _("The button was pressed a moment ago. Press it again in %s.") % span(rest_s)
    return _("Press the button on the router now. This page goes on by itself.")


def _page(title, lead, form, has_button, doubt=""):
    return fill(
        _PAGE,
        title=title,
        lead=lead,
        form=form,
        doubt=doubt,
        none=_("Don't have a code?"),
        recovery=_recovery_field(),
        go_recovery=_("Sign in with a recovery code"),
        button=_button() if has_button else "",
        help=_(
            "No recovery code either? Type recover at the router's serial console: after the password it "
            "makes ten new ones. Too many tries? Press the router's button, and there is one more."
        ),
        back=_("Back to the password"),
    )


def _doubt(time):
    text = _(
        "The router has %s, which nobody has proved to it. Where that is wrong, right codes are refused, and "
        "two in a row put the time right."
    )
    return fill(_DOUBT, title=_("Is the router's time wrong?"), text=text % time, go=_("Enter two codes"))


def _button():
    return fill(_BUTTON, error=form_error(), go=_("Sign in with the router's button"))


def _recovery_field():
    return field(
        "recovery_code",
        _("Recovery code"),
        _("One of the ten on your list. Each works once."),
        type="text",
        autocomplete="off",
        autocapitalize="characters",
        spellcheck="false",
        required="",
    )


def _trust():
    return fill(_TRUST, text=_("Trust this browser for 30 days. It then needs the password only."))
