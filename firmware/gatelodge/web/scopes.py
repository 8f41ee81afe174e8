"""What a personal token may be good for, in words: for the page where it is made, and for the description."""

from gatelodge.core import api_tokens
from gatelodge.text import N_

# A row that any token opens, whatever its scopes.
ANY = "any"

# core/api_tokens.py's SCOPES -> words
WORDS = {
    "status:read": N_("Read this router: model, versions, load, time"),
    "devices:read": N_("Read the devices of the home"),
    "internet:read": N_("Read the internet line, its addresses and traffic"),
    "cloud:read": N_("Read the link to the cloud, and whose account it is in"),
    "history:read": N_("Read the history of sign-ins and changes"),
    "log:read": N_("Read the log"),
    "router:restart": N_("Restart the router"),
}

LIFETIMES = {
    "30": N_("30 days"),
    "90": N_("90 days"),
    "365": N_("1 year"),
    "none": N_("Until it is revoked"),
}


def listed():
    """(scope, words) in the order of the table."""
    return [(scope, WORDS[scope]) for scope in api_tokens.SCOPES]
