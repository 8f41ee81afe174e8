"""The sign-in's table: whatever happens, in whatever order, only the named ways lead in.

A sample is the events in their order, a line each.
"""

import re

from gatelodge.contract.errors import StateError
from gatelodge.core import signin

from tests.fuzz import corpora

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
STEPS = re.compile("w*(Px*[CDRB]?|[TA])?")  # a way in, as far as it has come
EVENTS = sorted(LETTERS) + ["no such event", "", signin.SIGNED_IN]
MOST_EVENTS = 16

SAMPLES = corpora.samples("signins")
READ_BY = (signin,)


def drawn(random):
    """A kept sign-in in which some events are others, come too early, come twice or not at all."""
    events = events_of(random.choice(SAMPLES))
    for _ in range(random.randint(1, 6)):
        at = random.randint(0, len(events))
        change = random.choice((_put, _put, _replace, _remove, _end))
        events = change(events, at, random)
    return bytes_of(events[:MOST_EVENTS])


def _put(events, at, random):
    return events[:at] + [random.choice(EVENTS)] + events[at:]


def _replace(events, at, random):
    return _put(events, at, random)[: at + 1] + events[at + 1 :]


def _remove(events, at, _random):
    return events[:at] + events[at + 1 :]


def _end(events, at, random):
    """The end of another one."""
    other = events_of(random.choice(SAMPLES))
    return events[:at] + other[random.randint(0, len(other)) :]


def judge(sample, _random):
    """The rows of the table that were asked for, those included that it does not have."""
    attempt, accepted, asked = signin.Signin("192.168.1.23"), "", set()
    for event in events_of(sample):
        before = attempt.state
        asked.add((before, event if event in LETTERS else "another"))
        fits = event in LETTERS and STEPS.fullmatch(accepted + LETTERS[event])
        try:
            attempt.happened(event)
            assert fits, (accepted, event, "was taken")
            accepted += LETTERS[event]
        except StateError:
            assert not fits, (accepted, event, "was refused")
            assert attempt.state == before, (accepted, event, "was refused and moved on")
        assert attempt.state == state_after(accepted), (accepted, event, "leads to", attempt.state)
    return asked


def state_after(accepted):
    if WAYS_IN.fullmatch(accepted):
        return signin.SIGNED_IN
    return signin.CODE if "P" in accepted else signin.PASSWORD


def events_of(sample):
    return sample.decode("utf-8", "replace").split("\n")


def bytes_of(events):
    return "\n".join(events).encode()
