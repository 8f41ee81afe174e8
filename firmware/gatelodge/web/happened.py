"""What the history tells, in words: a table of results and one of methods."""

from gatelodge.core import signin
from gatelodge.text import N_, _

WELL, CHANGE, TROUBLE = "works", "off", "trouble"  # the state of the pill before the words

# owner.history.RESULTS -> (words, state)
RESULTS = {
    "signed in": (N_("Signed in"), WELL),
    "wrong password": (N_("Wrong password"), TROUBLE),
    "wrong code": (N_("Wrong code"), TROUBLE),
    "wrong recovery code": (N_("Wrong recovery code"), TROUBLE),
    "set up": (N_("Set up the router"), CHANGE),
    "password changed": (N_("Changed the password"), CHANGE),
    "authenticator added": (N_("Added an authenticator"), CHANGE),
    "authenticator renamed": (N_("Renamed an authenticator"), CHANGE),
    "authenticator removed": (N_("Removed an authenticator"), CHANGE),
    "authenticator restored": (N_("Restored an authenticator"), CHANGE),
    "two-factor on": (N_("Switched two-factor on"), CHANGE),
    "two-factor off": (N_("Switched two-factor off"), CHANGE),
    "recovery codes renewed": (N_("Made new recovery codes"), CHANGE),
    "browser trusted": (N_("Trusted a browser"), CHANGE),
    "trusted browser removed": (N_("Removed a trusted browser"), CHANGE),
    "sessions ended": (N_("Ended other sessions"), CHANGE),
    "token created": (N_("Made an API token"), CHANGE),
    "token revoked": (N_("Revoked an API token"), CHANGE),
    "backup made": (N_("Made a backup"), CHANGE),
    "backup with secrets made": (N_("Made a backup with the secrets"), CHANGE),
    "backup restored": (N_("Restored a backup"), CHANGE),
    "router named": (N_("Named the router"), CHANGE),
    "firmware installed": (N_("Installed firmware"), CHANGE),
    "firmware switched": (N_("Switched to the other firmware"), CHANGE),
    "firmware failed": (N_("New firmware did not start"), TROUBLE),
    "locked out": (N_("Too many wrong tries: closed"), TROUBLE),
    "two codes set the clock": (N_("Two codes set the clock"), CHANGE),
    "changes undone": (N_("Changes were undone from the account"), CHANGE),
    "recovered at the console": (N_("Made recovery codes at the serial console"), CHANGE),
}

# core/signin.py's BY_... -> words
METHODS = {
    signin.BY_SETUP: N_("by setting up"),
    signin.BY_CODE: N_("by a code"),
    signin.BY_TWO_CODES: N_("by two codes"),
    signin.BY_RECOVERY_CODE: N_("by a recovery code"),
    signin.BY_BUTTON: N_("by the router's button"),
    signin.BY_TRUST: N_("as a trusted browser"),
    signin.BY_PASSWORD: N_("by the password alone"),
}


def browser(name):
    """core/user_agent.py's name of a browser, in words; "" where nothing was known of it."""
    parts = name.split(" on ")
    return _("%s on %s") % tuple(parts) if len(parts) == 2 else name


def result(name):
    """(words, state). A row of a newer firmware is shown as it was written."""
    words, state = RESULTS.get(name, (name, CHANGE))
    return _(words), state


def method(name):
    """Words, or "" for what has no method."""
    return _(METHODS.get(name, name))
