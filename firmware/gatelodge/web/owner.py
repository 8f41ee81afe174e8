"""The owner: first set-up, sign-in and sessions, joining the pure decisions of core/ to the store, the clock and entropy.

Every method is synchronous and either returns a small value or raises SigninError, whose text is fit for
the page. Whatever an answer depends on is in the store before the method returns: a used step, a spent
recovery code, a failed attempt. There is one account, so no name is asked for.

Times: sessions, tokens and back-off run on the monotonic clock (a jump of the wall clock neither ends
nor prolongs them); steps of one-time codes and dates shown to people come from `clock`.
"""

from collections import namedtuple

from gatelodge import compat
from gatelodge.contract.errors import TheirError


class SigninError(TheirError):
    """What the page shows. field: the form field it is tied to ("service_code", "password", "code", "recovery_code",
    "name"), or "form". text: the sentence. wait_s: whole seconds until a new try is judged, or None.
    offer: "recovery" where another way in fits, "start" where the visitor has to begin again, or None."""

    def __init__(self, field, text, wait_s=None, offer=None):
        super().__init__(text)
        self.field = field
        self.text = text
        self.wait_s = wait_s
        self.offer = offer


# id: short public name of the session; csrf_token: to be sent with every change; client: address that signed in;
# created_at: unix s for people; ends_in_s: until it ends if nobody acts.
Session = namedtuple("Session", ("id", "csrf_token", "client", "created_at", "ends_in_s"))

# recovery_codes: ten strings, shown this once; session_token: for the cookie.
SetupDone = namedtuple("SetupDone", ("recovery_codes", "session_token"))

# secret: base32 in groups of four for typing; uri: otpauth://, for the QR code. Both are the same at each call.
NewAuthenticator = namedtuple("NewAuthenticator", ("secret", "uri"))


class Owner:
    """store: store.Store, open. clock: .now() unix s, .is_set. entropy(n): n random bytes.
    monotonic_ms(): milliseconds that never step. `client` everywhere is the peer's address as text."""

    def __init__(self, store, clock, entropy, monotonic_ms=compat.monotonic_ms):
        raise NotImplementedError

    @property
    def is_set_up(self):
        """Whether somebody owns this router's admin page. False: show the wizard."""
        raise NotImplementedError

    # First set-up: service code -> password -> authenticator -> code -> recovery codes

    def check_service_code(self, text, client):
        """Return a setup_token, good for 15 minutes. Throttled; a typing error is told and does not count."""
        raise NotImplementedError

    def check_setup_token(self, setup_token):
        """Raise SigninError (offer "start") unless the token of an unfinished set-up is still good."""
        raise NotImplementedError

    def check_new_password(self, text):
        """Raise SigninError("password", why) unless the text may become the password."""
        raise NotImplementedError

    def password_strength(self, text):
        """Return 0 (refused) to 4 (strong), for the meter while typing."""
        raise NotImplementedError

    def setup_begin_authenticator(self, setup_token):
        """Return NewAuthenticator: the same for one token, so that a reload does not change the QR code."""
        raise NotImplementedError

    def setup_finish(self, setup_token, password, secret, code, name, client):
        """Take the router: password, first authenticator (proved by `code`, which is thereby used), ten recovery codes.

        secret: as given by setup_begin_authenticator. Everything lands in one record of the store, or nothing.
        Return SetupDone. With the clock unset it is refused with what to do."""
        raise NotImplementedError

    # Sign-in: password -> code or recovery code -> session

    def sign_in_password(self, password, client):
        """Return a signin_token: 5 minutes, this client only. The same work is done for any text."""
        raise NotImplementedError

    def check_signin_token(self, signin_token, client):
        """Raise SigninError (offer "start") unless a code may be entered with this token from this client."""
        raise NotImplementedError

    def sign_in_code(self, signin_token, code, client):
        """Return a session_token. The step is in the store before the session exists.

        With the clock unset no code can be judged: SigninError with offer "recovery"."""
        raise NotImplementedError

    def sign_in_recovery(self, signin_token, recovery_code, client):
        """Return a session_token; the recovery code is spent before the session exists. Needs no clock."""
        raise NotImplementedError

    # Sessions

    def session(self, session_token, acting):
        """Return the Session, or None when there is none or it has ended.

        acting: True for what a person did (puts off the idle end), False for live updates and polls."""
        raise NotImplementedError

    def sign_out(self, session_token):
        """End the session. Twice is once."""
        raise NotImplementedError

    def status(self):
        """Return {recovery_codes_left, authenticators: [{id, name, last_used_at or None, drift_steps}], clock_is_set}
        for a page whose session the caller has checked."""
        raise NotImplementedError

    def service_code(self):
        """Return the service code grouped as on the label. For signed-in pages only."""
        raise NotImplementedError
