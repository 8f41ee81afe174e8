"""The search for two codes in a row, while nobody has proved the time to the router. One at a time.

    search.begin(attempt, first, second, browser_time, visitor)     counted as a failure until it is found
    records = search.next_slice(attempt, visitor)                   None: not yet
    search.searched_s
    search.is_in_doubt      the clock was set when it began, by what proves nothing

Whoever waits for it drives it, slice by slice: a search that nobody waits for stands still, and whoever comes
next takes its place. attempt: core/signin.py's Signin.
"""

from gatelodge import log, store_keys
from gatelodge.core import base32, clock, signin, totp, two_codes
from gatelodge.owner.keeper import six_digits
from gatelodge.refusals import SigninError, refusal

LEFT_ALONE_S = 5  # since somebody drove it; the page asks again at once
BEHIND_STEPS = clock.FLOOR_SLACK_S // totp.STEP_S  # a phone may be that much behind the floor


class ClockSearch:
    def __init__(self, keeper):
        self._keeper = keeper
        self._search = None
        self._attempt = None
        self._typed_s = 0  # when the codes were typed: the time that they prove
        self._driven_s = 0
        self.is_in_doubt = False

    @property
    def searched_s(self):
        """How many seconds after the earliest possible time have been looked through."""
        return self._search.searched_s if self._search else 0

    def begin(self, attempt, first, second, browser_time, visitor):
        """first, second: as typed. browser_time: unix seconds as text: a hint, and never more.

        Counted before it begins and stored, so that neither a restart nor a tab that is closed gives a try
        for nothing; a match takes it back."""
        keeper = self._keeper
        digits = six_digits(first), _second_digits(second)
        if not keeper.clock.takes_two_codes:
            raise refusal("clock_known")
        if digits[0] == digits[1]:
            raise refusal("two_codes_same")
        self._refuse_another(attempt)
        keeper.refuse_early("code", visitor)
        keeper.count_failure("code", visitor)
        past = totp.step_at(keeper.clock.earliest()) - BEHIND_STEPS
        earliest = max(0, past, self._last_used() + 1)
        self._search = two_codes.Search(self._keys(), digits[0], digits[1], earliest, _step_of(browser_time))
        self._attempt, self._typed_s = attempt, keeper.now_s()
        self._driven_s = self._typed_s
        self.is_in_doubt = keeper.clock.is_set

    def next_slice(self, attempt, visitor):
        """Go on for one slice. Return None while there is more, or the records of a pair that was found, to
        be stored before anybody is let in. The clock is set by then. SigninError: there is no such pair."""
        if self._search is None or attempt is not self._attempt:
            raise refusal("search_over")
        self._driven_s = self._keeper.now_s()
        if not self._keeper.clock.takes_two_codes:  # the cloud knows the time: a single code is asked for now
            self._search = self._attempt = None
            raise refusal("clock_known")
        if self._search.next_slice():
            return None
        match, self._search, self._attempt = self._search.found, None, None
        # Another browser may have used a step since this search began.
        if match is None or match.step - 1 <= self._last_used() or not self._sets_clock(match.step):
            attempt.happened(signin.TWO_CODES_WRONG)
            self._keeper.history.add(visitor, "wrong code", signin.BY_TWO_CODES)
            raise refusal("two_codes_wrong")
        attempt.happened(signin.TWO_CODES_RIGHT)
        return self._used(match, visitor)

    def _keys(self):
        rows = self._keeper.store.get(store_keys.AUTHENTICATORS, [])
        return [(base32.decode(row["secret"]), row["last_step"]) for row in rows]

    def _last_used(self):
        """The last step that was used, of whichever authenticator: it is past, on every one of them."""
        rows = self._keeper.store.get(store_keys.AUTHENTICATORS, [])
        return max([totp.NEVER] + [row["last_step"] for row in rows])

    def _refuse_another(self, attempt):
        """The same sign-in may begin anew: its owner has seen a typing error. A stranger gives way to who is
        known: else a thief with the password could keep the search to himself."""
        if self._search is None or attempt is self._attempt:
            return
        is_left_alone = self._keeper.now_s() - self._driven_s >= LEFT_ALONE_S
        if not is_left_alone and attempt.is_known <= self._attempt.is_known:
            raise refusal("search_busy", wait_s=LEFT_ALONE_S)

    def _sets_clock(self, step):
        """The second code was on show when it was typed, half its time on average. False: no such time."""
        keeper = self._keeper
        since_s = keeper.now_s() - self._typed_s
        is_set = keeper.clock.set(step * totp.STEP_S + totp.STEP_S // 2 + since_s, clock.TWO_CODES)
        if is_set:
            log.warning("owner", "two codes of an authenticator set the clock")
        return is_set

    def _used(self, match, visitor):
        """Both steps are used: nothing at or before the last one is ever taken."""
        keeper = self._keeper
        keeper.throttle.succeeded("code", keeper.client_of(visitor))
        records = keeper.history.record(visitor, "two codes set the clock", signin.BY_TWO_CODES)
        records[store_keys.AUTHENTICATORS] = keeper.authenticators_after(match.key, match.step, 0)
        return records


def _second_digits(text):
    try:
        return six_digits(text)
    except SigninError as error:
        error.field = "next_code"
        raise


def _step_of(browser_time):
    """None for what is no time: a browser without a clock is no reason to refuse."""
    is_number = all(character in "0123456789" for character in browser_time)
    return totp.step_at(int(browser_time)) if is_number and 0 < len(browser_time) < 16 else None
