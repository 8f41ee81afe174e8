"""Rows of `sign_ins`: how one begins, whose it is, and what a code of it is bound to."""

from __future__ import annotations

import secrets

from sqlalchemy import select

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.models import Phone, SignIn
from host_tools.cloud.store.secret_box import new_id


def new_row(account_id: str, how: str, attempt: signin.Attempt, visit: Visit) -> SignIn:
    row = SignIn(id=new_id(), browser_hash=visit.browser_hash, account_id=account_id, first=how)
    row.state, row.method, row.tries, row.expires_at = attempt
    row.number, row.ahead_step, row.phone_id = f"{secrets.randbelow(90) + 10}", 0, ""
    row.address, row.browser, row.created_at = visit.address, visit.browser, visit.now
    return row


def of_browser(visit: Visit):
    """The one that this browser has between its steps."""
    mine = (SignIn.browser_hash == visit.browser_hash, SignIn.expires_at > visit.now)
    return select(SignIn).where(*mine, SignIn.state.in_((signin.CHALLENGE, signin.APPROVED)))


def phones_of(account_id: str):
    """The number that was used last first."""
    return select(Phone).where(Phone.account_id == account_id).order_by(Phone.used_at.desc(), Phone.id)


def bound_to(row: SignIn) -> str:
    """A code of one way is none of another, also within one sign-in."""
    return f"sign-in {row.method} {row.id}"
