"""What a person reads of an authenticator's clock (H7): why a code was refused, what was learned."""

from __future__ import annotations

from host_tools.cloud.accounts import totp
from host_tools.cloud.accounts.errors import rounded_up
from host_tools.cloud.languages.figures import duration
from host_tools.cloud.languages.text import N_, _

WRONG_CODE = N_(
    "That code is not right. Wait for the next one, and check that the phone sets its time by itself."
)
OTHER_HASH = N_("That code is of another kind: your app does not know %(hash)s. Use an app that does.")
USED_CODE = N_("That code has been used. Wait for the next one (%(seconds)s s).")
LATE = N_("That code has run out. Enter the one that your app shows now.")
EARLY = N_(
    "That code is not valid yet: your phone's clock is ahead. Wait for the next one that it shows, "
    "and enter that."
)
NEXT_TOO = N_(
    "Your phone's clock is %(away)s behind. Enter the next code that it shows as well: then we allow for it."
)
AHEAD = N_(
    "Your phone's clock is %(away)s ahead. Switch on the automatic time in the phone's settings, then enter "
    "the code it shows."
)
BEHIND = N_(
    "Your phone's clock is %(away)s behind. Switch on the automatic time in the phone's settings, then enter "
    "the code it shows."
)
IS_AHEAD = N_("Its clock is %(away)s ahead, which we allow for.")
IS_BEHIND = N_("Its clock is %(away)s behind, which we allow for.")
SENTENCES = {totp.LATE: LATE, totp.EARLY: EARLY, totp.AHEAD: AHEAD}


def refusal(outcome: totp.Outcome, now: float) -> str:
    """In the reader's language; "" of a code that is right."""
    verdict = outcome.verdict
    if verdict in (totp.RIGHT, totp.LEARNED):
        return ""
    if verdict == totp.USED:
        return _(USED_CODE, seconds=totp.wait_s(outcome.state.drift_s, now))
    if verdict == totp.BEHIND:
        is_near = -outcome.off_s <= totp.RESYNC_STEPS * totp.STEP_S
        sentence = NEXT_TOO if is_near else BEHIND
    else:
        sentence = SENTENCES.get(verdict, WRONG_CODE)
    return _(sentence, away=_away(outcome.off_s))


def learned(drift_s: int) -> str:
    """By how much an authenticator's clock is off; "" where it is not."""
    sentence = IS_AHEAD if drift_s > 0 else IS_BEHIND
    return _(sentence, away=_away(drift_s)) if drift_s else ""


def _away(seconds: int) -> str:
    return duration(rounded_up(abs(seconds)))
