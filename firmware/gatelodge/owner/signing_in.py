"""Sign-in: password -> code or recovery code -> session. The order is core/signin.py's table.

Checking a password holds the daemon for about 300 ms, once for each attempt that the throttle lets through.
"""

from gatelodge import store_keys
from gatelodge.core import password as passwords
from gatelodge.core import recovery, sessions, signin, totp
from gatelodge.owner.keeper import six_digits
from gatelodge.refusals import refusal


class SigningIn:
    def __init__(self, keeper):
        self._keeper = keeper
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
            keeper.count_failure("password", visitor)
            raise refusal("password_wrong")
        attempt.happened(signin.PASSWORD_RIGHT)
        keeper.count_success("password", visitor)
        signin_token = keeper.new_token()
        self._under_way.add(signin_token, attempt, keeper.now_s())
        return signin_token

    def check_token(self, signin_token, visitor):
        """Raise SigninError (offer "start") unless a code may be entered with this token from here."""
        self._attempt(signin_token, visitor)

    def code(self, signin_token, code, visitor):
        """Return a session_token. The step is in the store before the session exists.

        With the clock unset no code can be judged: SigninError with offer "recovery"."""
        keeper = self._keeper
        attempt = self._attempt(signin_token, visitor)
        digits = six_digits(code)
        if not keeper.clock.is_set:
            attempt.happened(signin.CLOCK_UNSET)
            raise refusal("clock_unset")
        keeper.refuse_early("code", visitor)
        index, answer = keeper.judged(digits)
        if answer.step is None:
            raise self._code_refused(attempt, answer, visitor)
        attempt.happened(signin.CODE_RIGHT)
        rows = keeper.authenticators_after(index, answer.step, answer.drift_steps)
        return self._signed_in(signin_token, "code", {store_keys.AUTHENTICATORS: rows}, visitor)

    def recovery_code(self, signin_token, text, visitor):
        """Return a session_token; the recovery code is spent before the session exists. Needs no clock."""
        keeper = self._keeper
        attempt = self._attempt(signin_token, visitor)
        if recovery.cleaned(text) is None:
            raise refusal("recovery_code_form")
        keeper.refuse_early("recovery_code", visitor)
        left = recovery.spend(keeper.store.get(store_keys.RECOVERY), text)
        if left is None:
            attempt.happened(signin.RECOVERY_WRONG)
            keeper.count_failure("recovery_code", visitor)
            raise refusal("recovery_code_wrong")
        attempt.happened(signin.RECOVERY_RIGHT)
        return self._signed_in(signin_token, "recovery_code", {store_keys.RECOVERY: left}, visitor)

    def _attempt(self, signin_token, visitor):
        """Return the sign-in under way. A token from another address is answered like one that never was."""
        attempt = self._under_way.find(signin_token, self._keeper.now_s())
        if attempt is None or attempt.client != visitor.address:
            raise refusal("signin_over")
        return attempt

    def _code_refused(self, attempt, answer, visitor):
        """Return the error for an unmatched code. The last used one again is no guess: not counted."""
        if answer.reason == totp.USED:
            attempt.happened(signin.CODE_USED)
            if answer.wait_s:
                return refusal("code_used", answer.wait_s, wait_s=answer.wait_s)
            return refusal("code_used_before")
        attempt.happened(signin.CODE_WRONG)
        self._keeper.count_failure("code", visitor)
        return refusal("code_wrong")

    def _signed_in(self, signin_token, factor, records, visitor):
        """Spend the ticket, store what was used, then begin the session: so nothing is used twice."""
        keeper = self._keeper
        self._under_way.drop(signin_token)
        keeper.throttle.succeeded(factor, visitor.address)
        keeper.throttle.know(visitor.address)
        keeper.keep(records)
        return keeper.begin_session(visitor)
