"""The operator's rule: for whom it has to be on that only passkeys sign in (`cloud serve --passkeys-for`).

Nothing is open to such an account before it is on: no page but those that it takes, and that undo or stop
a change (pages/first_passkeys.py), no site of ours, and no token of before.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_

from host_tools.cloud.store.models import Account

NOBODY, STAFF, EVERYBODY = "nobody", "staff", "everybody"
RULES = (STAFF, EVERYBODY, NOBODY)


def binds(rule: str, account: Account) -> bool:
    """Whether the rule is for it. Staff: whoever has a role (help/roles.py)."""
    return rule == EVERYBODY or (rule == STAFF and bool(account.role))


def is_due(rule: str, account: Account) -> bool:
    """Whether it has to be switched on before anything else is open."""
    return account.passkeys_only_at is None and binds(rule, account)


def not_due(rule: str) -> tuple[Any, ...]:
    """The same as conditions of a SELECT, the other way round."""
    is_on = Account.passkeys_only_at.is_not(None)
    return {NOBODY: (), STAFF: (or_(is_on, Account.role == ""),), EVERYBODY: (is_on,)}[rule]
