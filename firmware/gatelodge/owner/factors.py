"""The second factors: each takes what was typed, and returns what the store must know before it counts.

    records = factors.code(text, visitor)             one code of an authenticator, its step used
    records = factors.recovery_code(text, visitor)    one of the ten, spent

The caller keeps the records, and only then lets anybody in. What is wrong is a SigninError, counted by the
throttle where it was a guess. `happened` hears the event of core/signin.py.
"""

from gatelodge import store_keys
from gatelodge.core import recovery, signin, totp
from gatelodge.owner.keeper import six_digits
from gatelodge.refusals import refusal, span


def _nobody(_event):
    """Nobody asked what happened."""


class Factors:
    def __init__(self, keeper):
        self._keeper = keeper
        self._off = None  # (client, digits, steps) of the last wrong code that was near a right one

    def code(self, text, visitor, happened=_nobody):
        """With the clock unset no code can be judged: SigninError with offer "recovery"."""
        keeper = self._keeper
        digits = six_digits(text)
        if not keeper.clock.is_set:
            happened(signin.CLOCK_UNSET)
            raise refusal("clock_unset")
        keeper.refuse_early("code", visitor)
        index, answer = keeper.judged(digits)
        if answer.step is None:
            raise self._code_refused(digits, answer, visitor, happened)
        happened(signin.CODE_RIGHT)
        keeper.throttle.succeeded("code", keeper.client_of(visitor))
        rows = keeper.authenticators_after(index, answer.step, answer.drift_steps)
        return {store_keys.AUTHENTICATORS: rows}

    def recovery_code(self, text, visitor, happened=_nobody):
        """Needs no clock."""
        keeper = self._keeper
        if recovery.cleaned(text) is None:
            raise refusal("recovery_code_form")
        keeper.refuse_early("recovery_code", visitor)
        left = recovery.spend(keeper.store.get(store_keys.RECOVERY), text)
        if left is None:
            happened(signin.RECOVERY_WRONG)
            keeper.count_failure("recovery_code", visitor, "wrong recovery code")
            raise refusal("recovery_code_wrong")
        happened(signin.RECOVERY_RIGHT)
        keeper.throttle.succeeded("recovery_code", keeper.client_of(visitor))
        return {store_keys.RECOVERY: left}

    def either(self, text, visitor):
        """Whichever of the two it is by its form."""
        if totp.cleaned(text) is None and recovery.cleaned(text) is not None:
            return self.recovery_code(text, visitor)
        if self._keeper.clock.is_disputed:  # codes that somebody has seen may have set it back
            raise refusal("code_disputed")
        return self.code(text, visitor)

    def _code_refused(self, digits, answer, visitor, happened):
        """Return the error for an unmatched code. The last used one again is no guess: not counted."""
        if answer.reason == totp.USED:
            happened(signin.CODE_USED)
            if answer.wait_s:
                return refusal("code_used", answer.wait_s, wait_s=answer.wait_s)
            return refusal("code_used_before")
        happened(signin.CODE_WRONG)
        self._keeper.count_failure("code", visitor, "wrong code")
        steps = self._steps_off(digits, self._keeper.client_of(visitor))
        if steps is None:
            return refusal("code_wrong")
        return refusal("phone_ahead" if steps > 0 else "phone_behind", span(abs(steps) * totp.STEP_S))

    def _steps_off(self, digits, client):
        """Return by how many steps the phone's clock is off, or None when that is not known, or not told.

        A code a few minutes ahead will be right in a few minutes, and one behind would be if the clock were
        set back: whoever made it up must not learn that. So it takes two different codes in a row that are
        equally far off. A phone shows such; made up, the second is right 3 times in a million, as one that
        simply opens the door is. Neither is accepted, and both are counted.
        """
        before, steps = self._off, self._keeper.steps_off(digits)
        self._off = None if steps is None else (client, digits, steps)
        if steps is None or before is None or before[0] != client or before[1] == digits:
            return None
        return steps if abs(before[2] - steps) <= totp.TOLERANCE_STEPS else None
