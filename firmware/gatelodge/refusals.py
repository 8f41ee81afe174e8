"""What the owner is told when something is refused: one row for each reason."""

from gatelodge.contract.errors import TheirError
from gatelodge.core import password as passwords
from gatelodge.text import _


class SigninError(TheirError):
    """What the page shows.

    field: the form field it is tied to ("service_code", "password", "code", "next_code", "recovery_code"), or
    "form".
    text: the sentence. wait_s: whole seconds until a new try is judged, or None.
    offer: "recovery" where another way in fits, "start" where the visitor has to begin again, "prove" where a
    code is asked for before what was asked is done, "presence" where somebody has to be at the router,
    "reload" where the page is out of date, or None.
    """

    def __init__(self, field, text, wait_s=None, offer=None):
        super().__init__(text)
        self.field = field
        self.text = text
        self.wait_s = wait_s
        self.offer = offer


# name: (field, offer, text). A % in a text takes the values given to `refusal`.
REFUSALS = {
    "not_provisioned": (
        "form",
        None,
        _("This router has not been provisioned. Return it to where it was bought."),
    ),
    "has_owner": ("form", "start", _("This router has an owner already. Sign in.")),
    "no_owner": ("form", "start", _("This router has no owner yet. Set it up first.")),
    "setup_over": ("form", "start", _("The 15 minutes for setting up are over. Start again.")),
    "setup_outdated": ("form", "start", _("This page is out of date. Start again.")),
    "signin_over": ("form", "start", _("This sign-in has ended. Enter the password again.")),
    "trust_over": ("form", None, _("That browser is not trusted any more.")),
    "service_code_typing": ("service_code", None, "%s"),
    "service_code_wrong": (
        "service_code",
        None,
        _("This is not the service code of this router. Check the label."),
    ),
    passwords.TOO_SHORT: ("password", None, _("Use at least %d characters.") % passwords.SHORTEST),
    passwords.TOO_LONG: ("password", None, _("Use at most %d characters.") % passwords.LONGEST),
    passwords.CONTROL: ("password", None, _("A password has no control characters. Type it again.")),
    passwords.COMMON: (
        "password",
        None,
        _("This password is among the first that are tried. Add words that do not belong together."),
    ),
    "password_on_label": (
        "password",
        None,
        _("This is printed on the label. Choose something that only you know."),
    ),
    "password_same": ("password", None, _("This is the password already. Choose another one.")),
    "enrolment_over": ("form", None, _("The 15 minutes for adding it are over. Begin again.")),
    "authenticators_full": ("form", None, _("There are eight authenticators. Remove one first.")),
    "no_such_authenticator": ("form", None, _("That authenticator has been removed. Load the page again.")),
    "last_authenticator": (
        "form",
        None,
        _("This is the last authenticator. Add another one first, or switch two-factor off."),
    ),
    "undo_over": ("form", None, _("The 10 minutes are over. Add the authenticator again.")),
    "two_factor_is_off": ("form", None, _("Two-factor is off. Add an authenticator to switch it on.")),
    "nothing_to_recover": ("form", None, _("Two-factor is off: the password alone signs you in.")),
    "session_over": ("form", None, _("That session has ended already.")),
    "password_wrong": ("password", None, _("This is not the password. Try again.")),
    "proof_needed": (
        "code",
        "prove",
        _("Enter a code from your authenticator app to do this."),
    ),
    "code_form": ("code", None, _("A code has six digits. Enter the one shown in your authenticator app.")),
    "code_unproved": (
        "code",
        None,
        _("This is not the code shown now. Enter the newest one, and check the phone's clock."),
    ),
    "code_wrong": ("code", "recovery", _("This is not the code shown now. Enter the newest one.")),
    "phone_ahead": (
        "code",
        "recovery",
        _(
            "Your phone is about %s ahead of the router. Turn on automatic time in the phone's settings for "
            "date and time, then enter the code shown."
        ),
    ),
    "phone_behind": (
        "code",
        "recovery",
        _(
            "Your phone is about %s behind the router. Turn on automatic time in the phone's settings for "
            "date and time, then enter the code shown."
        ),
    ),
    "two_codes_same": (
        "next_code",
        None,
        _("That is the first code again. Wait until the app shows another one."),
    ),
    "two_codes_wrong": (
        "code",
        "recovery",
        _("These are no two new codes in a row. Enter the code shown now, then the one that follows it."),
    ),
    "clock_known": ("code", "reload", _("The router knows the time now. Enter the code shown now.")),
    "search_busy": ("form", None, _("The router is busy with another sign-in. Try again in a few seconds.")),
    "search_over": ("form", None, _("That search has ended. Enter two codes again.")),
    "code_used": ("code", None, _("That code has been used. Wait for the next one (%d s).")),
    "code_used_before": ("code", None, _("That code has been used. Enter the one shown now.")),
    "clock_unset_at_setup": (
        "code",
        None,
        _(
            "The router does not know the time yet, so it cannot check a code. "
            "Connect it to the internet, wait for the time, then finish here."
        ),
    ),
    "clock_unset": (
        "code",
        "recovery",
        _(
            "The router does not know the time yet, so it cannot check a code. "
            "Use a recovery code, or connect the router to the internet and wait."
        ),
    ),
    "recovery_code_form": (
        "recovery_code",
        None,
        _("A recovery code has ten letters and digits. Check your list."),
    ),
    "recovery_code_wrong": (
        "recovery_code",
        None,
        _("This code is not on the list, or has been used. Try another one."),
    ),
}

_INSTEAD = {"code": "recovery"}  # what to offer who has to wait for a factor


def refusal(name, *values, wait_s=None):
    """Return the SigninError of a row of REFUSALS."""
    field, offer, text = REFUSALS[name]
    return SigninError(field, text % values if values else text, wait_s, offer)


def too_early(factor, wait_s):
    """Return the SigninError for who tries a factor before its wait is over."""
    text = _("Too many wrong tries. Wait %s, then try again.") % span(wait_s)
    return SigninError(factor, text, wait_s, _INSTEAD.get(factor))


def closed(factor):
    """Return the SigninError for a factor that was failed so often that somebody has to be at the router."""
    text = _(
        "Too many wrong tries. Press the button on the router, or type unlock on its serial console, then "
        "try again within 5 minutes."
    )
    return SigninError(factor, text, None, _INSTEAD.get(factor, "presence"))


def span(seconds):
    """Return a wait in the unit that fits, rounded up."""
    if seconds < 120:
        return _("%d s") % seconds
    if seconds < 7200:
        return _("%d minutes") % -(-seconds // 60)
    return _("%d hours") % -(-seconds // 3600)
