"""What a code of another time tells: the phone's clock is off, by so much (H7)."""

from __future__ import annotations

from host_tools.cloud.accounts import totp
from host_tools.cloud.accounts.errors import rounded_up
from host_tools.cloud.accounts.factors import Verdict
from host_tools.cloud.languages.figures import duration
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.models import SignIn

AHEAD = N_(
    "Your phone's clock is %(away)s ahead. Switch on the automatic time in the phone's settings, then enter "
    "the code it shows."
)
BEHIND = N_(
    "Your phone's clock is %(away)s behind. Switch on the automatic time in the phone's settings, then enter "
    "the code it shows."
)


def explained(row: SignIn, verdict: Verdict, now: float) -> Verdict:
    """The verdict, with the clock in its text where that is the fault.

    Of a phone that is ahead we speak only at its second code: the first, had it been guessed, would sign in
    when its time comes.
    """
    if not verdict.drift_steps:
        return verdict
    step = int(now) // totp.STEP_S + verdict.drift_steps
    if verdict.drift_steps > 0 and not _follows(row.ahead_step, step):
        row.ahead_step = step
        return verdict
    away = duration(rounded_up(abs(verdict.drift_steps) * totp.STEP_S))
    side = AHEAD if verdict.drift_steps > 0 else BEHIND
    return verdict._replace(text=_(side, away=away))


def _follows(first: int, second: int) -> bool:
    """Whether both may be codes of one phone within one sign-in, and not the same code twice."""
    return 0 < second - first <= 10 if first else False
