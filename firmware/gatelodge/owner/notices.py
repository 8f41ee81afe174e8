"""What the owner is told of elsewhere too: entries of the history -> kinds of contract.messages.NOTICES.

Whoever is in can change the factors and read the page; the owner's mail is out of reach from here.
"""

from gatelodge.core import signin

SIGNED_IN = "signed in"
LET_IN = (SIGNED_IN, "set up")

# owner.history.RESULTS -> kind. What is not here stays on the page.
KINDS = {
    "password changed": "password_changed",
    "two-factor on": "two_factor_on",
    "two-factor off": "two_factor_off",
    "authenticator added": "authenticator_added",
    "authenticator removed": "authenticator_removed",
    "authenticator restored": "authenticator_restored",
    "recovery codes renewed": "recovery_codes_renewed",
    "recovered at the console": "recovered_at_console",
    "locked out": "locked_out",
    "token created": "token_created",
    "backup with secrets made": "backup_made",
    "backup restored": "backup_restored",
    "firmware installed": "firmware_changed",
    "firmware switched": "firmware_changed",
    "changes undone": "changes_undone",
}
NEW_BROWSER = "new_browser"


def kind_of(entry, read_entries):
    """The kind of notice that the entry is worth, or None. read_entries(): all of them, where needed."""
    if entry["result"] != SIGNED_IN:
        return KINDS.get(entry["result"])
    if entry["method"] == signin.BY_TRUST:
        return None
    earlier = [other for other in read_entries() if other["number"] < entry["number"]]
    known = [_place(other) for other in earlier if other["result"] in LET_IN]
    return None if _place(entry) in known else NEW_BROWSER


def _place(entry):
    """What stands for a browser: its name, and the device that it is on."""
    return entry["browser"], entry["mac"] or entry["address"]
