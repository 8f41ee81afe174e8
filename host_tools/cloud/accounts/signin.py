"""The sign-in, as a table: which step follows which. No page decides.

    password --right--------------> signed_in
    password --right_code_needed--> code --right--> signed_in
                                     |--wrong, used--> code, until the tries are spent --> void

An attempt begins when the password was right, and is bound to the browser that gave it (the shell looks it
up by that browser's secret). A pair that is not in the table cannot happen, and raises StateError.
"""

from __future__ import annotations

from typing import NamedTuple

from gatelodge.contract.errors import StateError

PASSWORD, CODE, SIGNED_IN, VOID = "password", "code", "signed_in", "void"
RIGHT, RIGHT_CODE_NEEDED, WRONG, USED, RECOVERY = "right", "right_code_needed", "wrong", "used", "recovery"

TRANSITIONS = {
    (PASSWORD, RIGHT): SIGNED_IN,
    (PASSWORD, RIGHT_CODE_NEEDED): CODE,
    (PASSWORD, WRONG): PASSWORD,
    (CODE, RIGHT): SIGNED_IN,
    (CODE, RECOVERY): SIGNED_IN,
    (CODE, WRONG): CODE,
    (CODE, USED): CODE,
}
CODE_TRIES = 5  # then the password is asked again
ATTEMPT_S = 300  # long enough to find the phone


class Attempt(NamedTuple):
    state: str
    tries: int
    expires_at: float


def begin(now: float) -> Attempt:
    return Attempt(PASSWORD, 0, now + ATTEMPT_S)


def password_event(matches: bool, has_second_factor: bool) -> str:
    if not matches:
        return WRONG
    return RIGHT_CODE_NEEDED if has_second_factor else RIGHT


def step(attempt: Attempt, event: str, now: float) -> Attempt:
    """The attempt after the event.

    An attempt that is too old or out of tries is VOID, whatever the event was.
    """
    if attempt.state == VOID or now >= attempt.expires_at:
        return attempt._replace(state=VOID)
    following = TRANSITIONS.get((attempt.state, event))
    if following is None:
        raise StateError(f"A sign-in at {attempt.state!r} knows no {event!r}.")
    tries = attempt.tries + 1 if attempt.state == CODE and following == CODE else attempt.tries
    return attempt._replace(state=VOID if tries >= CODE_TRIES else following, tries=tries)
