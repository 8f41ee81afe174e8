"""Who may stand behind the desk, and who looks after applications.

An operator gives a role: `gatelodge cloud account role WHO ROLE`.
"""

from __future__ import annotations

from host_tools.cloud.help.states import ANSWER, CLOSE, NOTE, REOPEN

SUPPORT, ADMIN, CLIENTS, NOBODY = "support", "admin", "clients", ""
READ, REMOVE = "read", "remove"
REGISTER = "register"  # what may sign people in (oidc/registrar.py): nobody's who reads their letters
# role -> what it may do with anybody's request, or with applications
MAY = {
    SUPPORT: frozenset((READ, ANSWER, NOTE, CLOSE, REOPEN)),
    ADMIN: frozenset((READ, ANSWER, NOTE, CLOSE, REOPEN, REMOVE)),
    CLIENTS: frozenset((REGISTER,)),
}


def may(role: str | None, deed: str) -> bool:
    return deed in MAY.get(role or NOBODY, ())
