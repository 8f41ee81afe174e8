"""Who may stand behind the desk. An operator gives a role: `gatelodge cloud account role WHO ROLE`."""

from __future__ import annotations

from host_tools.cloud.help.states import ANSWER, CLOSE, NOTE, REOPEN

SUPPORT, ADMIN, NOBODY = "support", "admin", ""
READ, REMOVE = "read", "remove"
# role -> what it may do with anybody's request
MAY = {
    SUPPORT: frozenset((READ, ANSWER, NOTE, CLOSE, REOPEN)),
    ADMIN: frozenset((READ, ANSWER, NOTE, CLOSE, REOPEN, REMOVE)),
}


def may(role: str | None, deed: str) -> bool:
    return deed in MAY.get(role or NOBODY, ())
