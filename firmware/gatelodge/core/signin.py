"""One sign-in, as a table: (state, event) -> state. What the table does not name cannot happen.

The table is the whole argument that no factor is skipped. Every way begins with the right password, and these
lead to SIGNED_IN:

- through CODE: a code of an authenticator, a pair of them while nobody has proved the time, a recovery code,
  or the router's button, pressed while this browser alone waits for it (core/button_wait.py);
- PASSWORD_RIGHT_AND_TRUSTED: this very browser gave a code within the last 30 days, and its owner asked for
  that (owner/trust.py). An unset clock cannot tell when that was, and trusts none;
- PASSWORD_RIGHT_ALONE: the owner has switched two-factor off, so that there is no second factor to skip.

An unset clock leads nowhere.
"""

from collections import namedtuple

from gatelodge.contract.errors import StateError

LIFETIME_S = 5 * 60  # from the right password to the right code; time enough to find the phone
MOST_UNDER_WAY = 16
TRUST_LIFETIME_S = 30 * 86400  # of a trusted browser, from the code that began it; using it adds nothing

# Who asks. address: of the peer, as text; browser: a short name for people (core/user_agent.py); trust: the
# token of a trusted browser, as its cookie holds it, or "".
Visitor = namedtuple("Visitor", ("address", "browser", "trust"))

# How somebody was let in, for the history and the list of sessions.
BY_SETUP = "set-up"
BY_CODE = "code"
BY_TWO_CODES = "two codes"
BY_RECOVERY_CODE = "recovery code"
BY_BUTTON = "button"
BY_TRUST = "trusted browser"
BY_PASSWORD = "password"  # alone: two-factor is off

# States
PASSWORD = "password"
CODE = "code"
SIGNED_IN = "signed in"

# Events
PASSWORD_RIGHT = "password right"
PASSWORD_RIGHT_AND_TRUSTED = "password right, browser trusted"
PASSWORD_RIGHT_ALONE = "password right, two-factor off"
PASSWORD_WRONG = "password wrong"
CODE_RIGHT = "code right"
CODE_WRONG = "code wrong"
CODE_USED = "code used already"
TWO_CODES_RIGHT = "two codes right"
TWO_CODES_WRONG = "two codes wrong"
CLOCK_UNSET = "clock unset"
RECOVERY_RIGHT = "recovery code right"
RECOVERY_WRONG = "recovery code wrong"
BUTTON_PRESSED = "button pressed"

TRANSITIONS = {
    (PASSWORD, PASSWORD_RIGHT): CODE,
    (PASSWORD, PASSWORD_RIGHT_AND_TRUSTED): SIGNED_IN,
    (PASSWORD, PASSWORD_RIGHT_ALONE): SIGNED_IN,
    (PASSWORD, PASSWORD_WRONG): PASSWORD,
    (CODE, CODE_RIGHT): SIGNED_IN,
    (CODE, CODE_WRONG): CODE,
    (CODE, CODE_USED): CODE,
    (CODE, TWO_CODES_RIGHT): SIGNED_IN,
    (CODE, TWO_CODES_WRONG): CODE,
    (CODE, CLOCK_UNSET): CODE,
    (CODE, RECOVERY_RIGHT): SIGNED_IN,
    (CODE, RECOVERY_WRONG): CODE,
    (CODE, BUTTON_PRESSED): SIGNED_IN,
}


class Signin:
    """A sign-in under way from one client (its address as text). is_known: core/throttle.py's."""

    def __init__(self, client, is_known=False):
        self.client = client
        self.is_known = is_known
        self.state = PASSWORD

    def happened(self, event):
        """Move on by the table and return the new state. StateError when the event does not fit the state."""
        key = (self.state, event)
        if key not in TRANSITIONS:
            raise StateError("A sign-in in state %r has no event %r." % key)
        self.state = TRANSITIONS[key]
        return self.state
