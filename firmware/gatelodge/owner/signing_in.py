"""Sign-in: password -> code or recovery code -> session. The order is core/signin.py's table.

Checking a password holds the daemon for about 300 ms, once for each attempt that the throttle lets through.
"""

from gatelodge import store_keys
from gatelodge.core import password as passwords
from gatelodge.core import sessions, signin
from gatelodge.refusals import refusal


class SigningIn:
    def __init__(self, keeper, factors):
        self._keeper = keeper
        self._factors = factors
        self._under_way = sessions.Tickets(signin.LIFETIME_S, signin.MOST_UNDER_WAY)

    def password(self, text, visitor):
        """Return a signin_token: 5 minutes, this address only. The same work is done for any text."""
        keeper = self._keeper
        record = keeper.store.get(store_keys.OWNER)
        if record is None:
            raise refusal("no_owner")
        keeper.refuse_early("password", visitor)
        attempt = signin.Signin(visitor.address)
        if not passwords.verify(record, text):
            attempt.happened(signin.PASSWORD_WRONG)
            keeper.count_failure("password", visitor, "wrong password")
            raise refusal("password_wrong")
        attempt.happened(signin.PASSWORD_RIGHT)
        keeper.count_success("password", visitor)
        signin_token = keeper.new_token()
        self._under_way.add(signin_token, attempt, keeper.now_s())
        return signin_token

    def check_token(self, signin_token, visitor):
        """Raise SigninError (offer "start") unless a code may be entered with this token from here."""
        self._attempt(signin_token, visitor)

    def code(self, signin_token, text, visitor):
        """Return a session_token. The step is in the store before the session exists."""
        attempt = self._attempt(signin_token, visitor)
        used = self._factors.code(text, visitor, attempt.happened)
        return self._signed_in(signin_token, signin.BY_CODE, used, visitor)

    def recovery_code(self, signin_token, text, visitor):
        """Return a session_token; the recovery code is spent before the session exists."""
        attempt = self._attempt(signin_token, visitor)
        used = self._factors.recovery_code(text, visitor, attempt.happened)
        return self._signed_in(signin_token, signin.BY_RECOVERY_CODE, used, visitor)

    def _attempt(self, signin_token, visitor):
        """Return the sign-in under way. A token from another address is answered like one that never was."""
        attempt = self._under_way.find(signin_token, self._keeper.now_s())
        if attempt is None or attempt.client != visitor.address:
            raise refusal("signin_over")
        return attempt

    def _signed_in(self, signin_token, method, records, visitor):
        """Spend the ticket, store what was used, then begin the session: so nothing is used twice."""
        keeper = self._keeper
        self._under_way.drop(signin_token)
        keeper.throttle.know(keeper.client_of(visitor))
        records.update(keeper.history.record(visitor, "signed in", method))
        keeper.keep(records)
        return keeper.begin_session(visitor, method)
