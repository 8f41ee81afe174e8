"""Sign-in: password -> code, two codes or recovery code -> session. The order is core/signin.py's table.

    token = signing_in.password(text, visitor)
    session_token = signing_in.without_code(token, visitor)     None: a code is needed, by one of these:
    session_token = signing_in.code(token, text, visitor)
    session_token = signing_in.recovery_code(token, text, visitor)
    session_token = signing_in.button(token, visitor)           None: not pressed yet; ask again each second
    signing_in.two_codes(token, first, second, browser_time, visitor)
    session_token = signing_in.go_on(token, visitor)            None: not found yet; call again

Checking a password holds the daemon for about 300 ms, once for each attempt that the throttle lets through.
"""

from gatelodge import store_keys
from gatelodge.core import button_wait, sessions, signin
from gatelodge.core import password as passwords
from gatelodge.owner.clock_search import ClockSearch
from gatelodge.refusals import refusal


class SigningIn:
    """trust: owner.trust.Trust. factors: owner.factors.Factors."""

    def __init__(self, keeper, factors, trust):
        self._keeper = keeper
        self._factors = factors
        self._trust = trust
        self._clock_search = ClockSearch(keeper)
        self._under_way = sessions.Tickets(signin.LIFETIME_S, signin.MOST_UNDER_WAY)

    def password(self, text, visitor):
        """Return a signin_token: 5 minutes, this address only. The same work is done for any text."""
        keeper = self._keeper
        record = keeper.store.get(store_keys.OWNER)
        if record is None:
            raise refusal("no_owner")
        keeper.refuse_early("password", visitor)
        is_known = keeper.throttle.is_known(keeper.client_of(visitor))
        attempt = signin.Signin(visitor.address, is_known)
        if not passwords.verify(record, text):
            attempt.happened(signin.PASSWORD_WRONG)
            keeper.count_failure("password", visitor, "wrong password")
            raise refusal("password_wrong")
        attempt.happened(self._what_the_password_opens(visitor))
        keeper.count_success("password", visitor)
        keeper.strengthen(record, text)
        signin_token = keeper.new_token()
        self._under_way.add(signin_token, attempt, keeper.now_s(), self._worth)
        return signin_token

    def without_code(self, signin_token, visitor):
        """Return a session_token when the password was enough, or None: then a code has to be entered."""
        attempt = self._attempt(signin_token, visitor)
        if attempt.state != signin.SIGNED_IN:
            return None
        trust_id = self._trust.find(visitor)
        if self._keeper.is_two_factor_off:
            return self._signed_in(signin_token, signin.BY_PASSWORD, {}, visitor)
        if trust_id is None:  # revoked a moment ago
            self._under_way.drop(signin_token)
            raise refusal("signin_over")
        records = self._trust.used(trust_id, visitor)
        return self._signed_in(signin_token, signin.BY_TRUST, records, visitor, is_proved=False)

    def check_token(self, signin_token, visitor):
        """Raise SigninError (offer "start") unless a code may be entered with this token from here."""
        self._at_code(signin_token, visitor)

    def code(self, signin_token, text, visitor):
        """Return a session_token. The step is in the store before the session exists.

        While the clock is disputed the session counts as not proved."""
        attempt = self._at_code(signin_token, visitor)
        used = self._factors.code(text, visitor, attempt.happened)
        is_proved = not self._keeper.clock.is_disputed
        return self._signed_in(signin_token, signin.BY_CODE, used, visitor, is_proved=is_proved)

    def recovery_code(self, signin_token, text, visitor):
        """Return a session_token; the recovery code is spent before the session exists."""
        attempt = self._at_code(signin_token, visitor)
        used = self._factors.recovery_code(text, visitor, attempt.happened)
        return self._signed_in(signin_token, signin.BY_RECOVERY_CODE, used, visitor)

    def button(self, signin_token, visitor):
        """Return a session_token once the router's button was pressed while this browser waited alone.

        The session counts as not proved: what is sensitive takes a code, or a recovery code, as before."""
        attempt, keeper = self._at_code(signin_token, visitor), self._keeper
        outcome = keeper.button_wait.ask(sessions.hashed(signin_token), keeper.now_s())
        if outcome == button_wait.WAITING:
            return None
        if outcome != button_wait.ADMITTED:
            raise refusal("button_shared" if outcome == button_wait.SHARED else "button_held_back")
        attempt.happened(signin.BUTTON_PRESSED)
        return self._signed_in(signin_token, signin.BY_BUTTON, {}, visitor, is_proved=False)

    def button_rests_s(self):
        """Seconds until a press counts again; 0 mostly."""
        return self._keeper.presence.rest_s(self._keeper.now_s())

    def two_codes(self, signin_token, first, second, browser_time, visitor):
        """Begin to search for two codes in a row: owner/clock_search.py. Only until the time is proved."""
        attempt = self._at_code(signin_token, visitor)
        self._clock_search.begin(attempt, first, second, browser_time, visitor)

    def go_on(self, signin_token, visitor):
        """Search for a few milliseconds. Return None while there is more to search, or a session_token: by
        then the clock is set, and both steps are in the store as used. SigninError: there is no such pair.

        Where the clock was set already, the session counts as not proved: two codes that somebody has seen,
        and nobody has used, tell a time that is past. What is sensitive takes another code, of now, and a
        recovery code where the two contradicted the clock."""
        records = self._clock_search.next_slice(self._at_code(signin_token, visitor), visitor)
        if records is None:
            return None
        self._keeper.keep(records)
        is_proved = not self._clock_search.is_in_doubt
        return self._signed_in(signin_token, signin.BY_TWO_CODES, {}, visitor, is_proved=is_proved)

    @property
    def is_in_doubt(self):
        """Whether the last search began with a clock that was set: then the browser is not trusted either."""
        return self._clock_search.is_in_doubt

    def searched_s(self):
        """How many seconds after the last time that the router knew are searched by now."""
        return self._clock_search.searched_s

    def begin_again(self):
        """The password or a factor has changed: whoever was on the way in starts with the password."""
        self._under_way.clear()
        self._keeper.button_wait.clear()

    def _worth(self, attempt):
        """A thief who knows the password begins one sign-in after the other, and pushes none of the owner's
        out: a stranger makes room before who is known, and of strangers the one who has most."""
        others = self._under_way.values(self._keeper.now_s())
        return attempt.is_known, -len([other for other in others if other.client == attempt.client])

    def _what_the_password_opens(self, visitor):
        if self._keeper.is_two_factor_off:
            return signin.PASSWORD_RIGHT_ALONE
        is_trusted = self._trust.find(visitor) is not None
        return signin.PASSWORD_RIGHT_AND_TRUSTED if is_trusted else signin.PASSWORD_RIGHT

    def _attempt(self, signin_token, visitor):
        """Return the sign-in under way. A token from another address is answered like one that never was."""
        attempt = self._under_way.find(signin_token, self._keeper.now_s())
        if attempt is None or attempt.client != visitor.address:
            raise refusal("signin_over")
        return attempt

    def _at_code(self, signin_token, visitor):
        """The same, when it is a code that it waits for."""
        attempt = self._attempt(signin_token, visitor)
        if attempt.state != signin.CODE:
            raise refusal("signin_over")
        return attempt

    def _signed_in(self, signin_token, method, records, visitor, is_proved=True):
        """Spend the ticket, store what was used, then begin the session: so nothing is used twice."""
        keeper = self._keeper
        self._under_way.drop(signin_token)
        keeper.throttle.know(keeper.client_of(visitor))
        records.update(keeper.history.record(visitor, "signed in", method))
        keeper.keep(records)
        browser = keeper.trusted_row(visitor)  # however it signs in, revoking it ends this session too
        return keeper.begin_session(visitor, method, browser["id"] if browser else "", is_proved)
