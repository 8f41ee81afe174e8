"""What the history tells, in words: a table of results and one of methods."""

from gatelodge.core import signin
from gatelodge.text import _

WELL, CHANGE, TROUBLE = "works", "off", "trouble"  # the state of the pill before the words

# owner.history.RESULTS -> (words, state)
RESULTS = {
    "signed in": (_("Signed in"), WELL),
    "wrong password": (_("Wrong password"), TROUBLE),
    "wrong code": (_("Wrong code"), TROUBLE),
    "wrong recovery code": (_("Wrong recovery code"), TROUBLE),
    "set up": (_("Set up the router"), CHANGE),
    "password changed": (_("Changed the password"), CHANGE),
    "authenticator added": (_("Added an authenticator"), CHANGE),
    "authenticator renamed": (_("Renamed an authenticator"), CHANGE),
    "authenticator removed": (_("Removed an authenticator"), CHANGE),
    "authenticator restored": (_("Restored an authenticator"), CHANGE),
    "two-factor on": (_("Switched two-factor on"), CHANGE),
    "two-factor off": (_("Switched two-factor off"), CHANGE),
    "recovery codes renewed": (_("Made new recovery codes"), CHANGE),
    "browser trusted": (_("Trusted a browser"), CHANGE),
    "trusted browser removed": (_("Removed a trusted browser"), CHANGE),
    "sessions ended": (_("Ended other sessions"), CHANGE),
    "locked out": (_("Too many wrong tries: closed"), TROUBLE),
    "two codes set the clock": (_("Two codes set the clock"), CHANGE),
    "recovered at the console": (_("Made recovery codes at the serial console"), CHANGE),
}

# core/signin.py's BY_... -> words
METHODS = {
    signin.BY_SETUP: _("by setting up"),
    signin.BY_CODE: _("by a code"),
    signin.BY_TWO_CODES: _("by two codes"),
    signin.BY_RECOVERY_CODE: _("by a recovery code"),
    signin.BY_TRUST: _("as a trusted browser"),
    signin.BY_PASSWORD: _("by the password alone"),
}


def result(name):
    """(words, state). A row of a newer firmware is shown as it was written."""
    return RESULTS.get(name, (name, CHANGE))


def method(name):
    """Words, or "" for what has no method."""
    return METHODS.get(name, name)
