"""What may be done with a request, and what it becomes: a pair that is not in the table cannot happen."""

from __future__ import annotations

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_

WAITING, ANSWERED, CLOSED = STATES = ("waiting", "answered", "closed")
WRITE, ANSWER, CLOSE, REOPEN, NOTE = DEEDS = ("write", "answer", "close", "reopen", "note")

TRANSITIONS = {
    (WAITING, WRITE): WAITING,
    (ANSWERED, WRITE): WAITING,
    (CLOSED, WRITE): WAITING,  # whoever writes again has not been helped
    (WAITING, ANSWER): ANSWERED,
    (ANSWERED, ANSWER): ANSWERED,
    (WAITING, CLOSE): CLOSED,
    (ANSWERED, CLOSE): CLOSED,
    (CLOSED, REOPEN): WAITING,
    (WAITING, NOTE): WAITING,
    (ANSWERED, NOTE): ANSWERED,
    (CLOSED, NOTE): CLOSED,
}
REFUSALS = {
    ANSWER: N_("This request is closed. Reopen it first."),
    CLOSE: N_("This request is closed already."),
    REOPEN: N_("This request is open already."),
}


def after(state: str, deed: str) -> str:
    """The next state. Raises RefusedError where the request stands otherwise than its reader saw it."""
    try:
        return TRANSITIONS[state, deed]
    except KeyError:
        raise RefusedError("", REFUSALS[deed]) from None
