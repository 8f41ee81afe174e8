"""The sign-in's table: whatever happens, in whatever order, only the named ways lead in."""

import re

from gatelodge.contract.errors import StateError
from gatelodge.core import signin

# One letter for each event; what core/signin.py names as the ways in, written once more and otherwise.
LETTERS = {
    signin.PASSWORD_RIGHT: "P",
    signin.PASSWORD_RIGHT_AND_TRUSTED: "T",
    signin.PASSWORD_RIGHT_ALONE: "A",
    signin.PASSWORD_WRONG: "w",
    signin.CODE_RIGHT: "C",
    signin.TWO_CODES_RIGHT: "D",
    signin.RECOVERY_RIGHT: "R",
    signin.BUTTON_PRESSED: "B",
    signin.CODE_WRONG: "x",
    signin.CODE_USED: "x",
    signin.TWO_CODES_WRONG: "x",
    signin.CLOCK_UNSET: "x",
    signin.RECOVERY_WRONG: "x",
}
WAYS_IN = re.compile("w*(Px*[CDRB]|[TA])")
EVENTS = sorted(LETTERS) + ["no such event", "", signin.SIGNED_IN]


def attempt(_number, random):
    attempt, accepted = signin.Signin("192.168.1.23"), ""
    for _ in range(random.randint(1, 16)):
        event, before = random.choice(EVENTS), attempt.state
        try:
            attempt.happened(event)
            accepted += LETTERS[event]
        except StateError:
            assert attempt.state == before, (accepted, event, "was refused and moved on")
        is_in = attempt.state == signin.SIGNED_IN
        assert is_in == bool(WAYS_IN.fullmatch(accepted)), (accepted, event, "is no way in")
