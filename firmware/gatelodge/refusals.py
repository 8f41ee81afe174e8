"""What the owner is told when something is refused: one row for each reason."""

from gatelodge.contract.errors import TheirError
from gatelodge.core import backup
from gatelodge.core import password as passwords
from gatelodge.text import N_, P_, _, counted


class SigninError(TheirError):
    """What the page shows.

    field: the form field it is tied to ("service_code", "password", "code", "next_code", "recovery_code",
    "backup", "again", "bundle"), or "form".
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


# name: (field, offer, marked text). A % in a text takes the values given to `refusal`, or those of _VALUES.
REFUSALS = {
    "not_provisioned": (
        "form",
        None,
        N_("This router has not been provisioned. Return it to where it was bought."),
    ),
    "has_owner": ("form", "start", N_("This router has an owner already. Sign in.")),
    "no_owner": ("form", "start", N_("This router has no owner yet. Set it up first.")),
    "setup_over": ("form", "start", N_("The 15 minutes for setting up are over. Start again.")),
    "setup_outdated": ("form", "start", N_("This page is out of date. Start again.")),
    "signin_over": ("form", "start", N_("This sign-in has ended. Enter the password again.")),
    "trust_over": ("form", None, N_("That browser is not trusted any more.")),
    "service_code_typing": ("service_code", None, "%s"),
    "service_code_wrong": (
        "service_code",
        None,
        N_("This is not the service code of this router. Check the label."),
    ),
    passwords.TOO_SHORT: ("password", None, N_("Use at least %d characters.")),
    passwords.TOO_LONG: ("password", None, N_("Use at most %d characters.")),
    passwords.CONTROL: ("password", None, N_("A password has no control characters. Type it again.")),
    passwords.COMMON: (
        "password",
        None,
        N_("This password is among the first that are tried. Add words that do not belong together."),
    ),
    "password_on_label": (
        "password",
        None,
        N_("This is printed on the label. Choose something that only you know."),
    ),
    "password_same": ("password", None, N_("This is the password already. Choose another one.")),
    "enrolment_over": ("form", None, N_("The 15 minutes for adding it are over. Begin again.")),
    "authenticators_full": ("form", None, N_("There are eight authenticators. Remove one first.")),
    "no_such_authenticator": ("form", None, N_("That authenticator has been removed. Load the page again.")),
    "last_authenticator": (
        "form",
        None,
        N_("This is the last authenticator. Add another one first, or switch two-factor off."),
    ),
    "undo_over": ("form", None, N_("The 10 minutes are over. Add the authenticator again.")),
    "two_factor_is_off": ("form", None, N_("Two-factor is off. Add an authenticator to switch it on.")),
    "nothing_to_recover": ("form", None, N_("Two-factor is off: the password alone signs you in.")),
    "session_over": ("form", None, N_("That session has ended already.")),
    "token_scopes": ("form", None, N_("Choose at least one thing that the token may do.")),
    "token_lifetime": ("form", None, N_("Choose how long the token is to work.")),
    "token_clock": (
        "form",
        None,
        N_("The router does not know the time yet, so a token could not end. Wait for the time."),
    ),
    "tokens_full": ("form", None, N_("There are sixteen tokens. Revoke one first.")),
    "token_over": ("form", None, N_("That token has been revoked already.")),
    "password_wrong": ("password", None, N_("This is not the password. Try again.")),
    "proof_needed": (
        "code",
        "prove",
        N_("Enter a code from your authenticator app to do this."),
    ),
    backup.NOT_ONE: ("backup", None, N_("This is not a backup of a Gatelodge router. Choose another file.")),
    backup.NEWER: (
        "backup",
        None,
        N_("This backup was made by a newer firmware. Update this router, then restore it."),
    ),
    backup.NOT_GENUINE: (
        "password",
        None,
        N_("This password does not open this file, or the file was changed. Nothing was restored."),
    ),
    "backup_passwords_differ": ("again", None, N_("The two passwords differ. Type the same one twice.")),
    "bundle_not_one": (
        "bundle",
        None,
        N_("This is no firmware for Gatelodge. Choose a gatelodge-*.tar file."),
    ),
    "bundle_unsigned": (
        "bundle",
        None,
        N_("This file is not signed by the maker of this router, or was changed since. Fetch it again."),
    ),
    "bundle_damaged": ("bundle", None, N_("This file is damaged or cut off. Fetch it again.")),
    "bundle_other_router": (
        "bundle",
        None,
        N_("This firmware is for another kind of router. Choose the file for this model."),
    ),
    "update_older": (
        "bundle",
        None,
        N_("Version %s is older than %s, which runs. Tick the box below to install it all the same."),
    ),
    "update_busy": ("form", None, N_("Another update is being installed. Wait until it is done.")),
    "update_room": (
        "form",
        None,
        N_("The flash has no room for this file, or cannot be written. Look into the log."),
    ),
    "update_none": ("form", None, N_("There is no other firmware to start. Load the page again.")),
    "code_form": ("code", None, N_("A code has six digits. Enter the one shown in your authenticator app.")),
    "code_unproved": (
        "code",
        None,
        N_("This is not the code shown now. Enter the newest one, and check the phone's clock."),
    ),
    "code_disputed": (
        "code",
        None,
        N_("The router's time is in doubt, so a code is not enough for this. Use a recovery code."),
    ),
    "code_wrong": (
        "code",
        "recovery",
        N_(
            "This is not the code shown now. Enter the newest one, check the phone's clock, or use another "
            "authenticator."
        ),
    ),
    "phone_ahead": (
        "code",
        "recovery",
        N_(
            "Your phone is about %s ahead of the router. Turn on automatic time in the phone's settings for "
            "date and time, then enter the code shown."
        ),
    ),
    "phone_behind": (
        "code",
        "recovery",
        N_(
            "Your phone is about %s behind the router. Turn on automatic time in the phone's settings for "
            "date and time, then enter the code shown."
        ),
    ),
    "two_codes_same": (
        "next_code",
        None,
        N_("That is the first code again. Wait until the app shows another one."),
    ),
    "two_codes_wrong": (
        "code",
        "recovery",
        N_("These are no two new codes in a row. Enter the code shown now, then the one that follows it."),
    ),
    "clock_known": ("code", "reload", N_("The router knows the time now. Enter the code shown now.")),
    "search_busy": ("form", None, N_("The router is busy with another sign-in. Try again in a few seconds.")),
    "search_over": ("form", None, N_("That search has ended. Enter two codes again.")),
    "code_used": ("code", None, N_("That code has been used. Wait for the next one (%d s).")),
    "code_used_before": ("code", None, N_("That code has been used. Enter the one shown now.")),
    "clock_unset_at_setup": (
        "code",
        None,
        N_(
            "The router does not know the time yet, so it cannot check a code. "
            "Connect it to the internet, wait for the time, then finish here."
        ),
    ),
    "clock_unset": (
        "code",
        "recovery",
        N_(
            "The router does not know the time yet, so it cannot check a code. "
            "Use a recovery code, or connect the router to the internet and wait."
        ),
    ),
    "button_shared": (
        "form",
        "recovery",
        N_(
            "Another browser waits for the button too, and has given the password. So the press let nobody "
            "in. If that is not you, change the password once you are in by a code or a recovery code."
        ),
    ),
    "button_held_back": (
        "form",
        "recovery",
        N_(
            "There were too many wrong tries, so the press opened one more try of each factor. "
            "Use a code or a recovery code."
        ),
    ),
    "recovery_code_form": (
        "recovery_code",
        None,
        N_("A recovery code has ten letters and digits. Check your list."),
    ),
    "recovery_code_wrong": (
        "recovery_code",
        None,
        N_("This code is not on the list, or has been used. Try another one."),
    ),
}

_VALUES = {passwords.TOO_SHORT: (passwords.SHORTEST,), passwords.TOO_LONG: (passwords.LONGEST,)}

_INSTEAD = {"code": "recovery"}  # what to offer who has to wait for a factor


def refusal(name, *values, wait_s=None):
    """Return the SigninError of a row of REFUSALS, in the language of whoever is answered."""
    field, offer, text = REFUSALS[name]
    values = values or _VALUES.get(name, ())
    return SigninError(field, _(text) % values if values else _(text), wait_s, offer)


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


_WAITS = ((120, 1, P_("%d s", "%d s")), (7200, 60, P_("%d minute", "%d minutes")))
_HOURS = P_("%d hour", "%d hours")


def span(seconds):
    """Return a wait in the unit that fits, rounded up."""
    for most, unit, texts in _WAITS:
        if seconds < most:
            return counted(-(-seconds // unit), *texts)
    return counted(-(-seconds // 3600), *_HOURS)
