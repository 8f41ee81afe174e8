"""Rows of `sign_ins`: how one begins, whose it is, how it goes on, and what a code of it is bound to."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from gatelodge.contract.errors import StateError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery import progress
from host_tools.cloud.delivery.queue import for_purpose
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.models import Account, Phone, SentCode, SignIn
from host_tools.cloud.store.secret_box import new_id

START_AGAIN = N_("That took too long, or it was refused. Sign in again from the start.")


class Waiting(NamedTuple):
    """A sign-in that waits for its second step, for the page.

    progress: of what was sent (delivery/progress.py).
    """

    row: SignIn
    account: Account
    offered: tuple[str, ...]
    two_factor: bool
    sent: SentCode | None
    phones: list[Phone]
    progress: str

    @property
    def recipient(self) -> str:
        """Where a code goes: the chosen number, else the one used last; or the e-mail."""
        if self.row.method not in signin.BY_PHONE:
            return self.account.email
        chosen = [phone for phone in self.phones if phone.id == self.row.phone_id]
        return (chosen or self.phones)[0].number


def new_row(account_id: str, how: str, attempt: signin.Attempt, visit: Visit) -> dict[str, Any]:
    about: dict[str, Any] = {
        "id": new_id(),
        "browser_hash": visit.browser_hash,
        "account_id": account_id,
        "first": how,
    }
    about |= {"number": f"{secrets.randbelow(90) + 10}", "phone_id": ""}
    about |= {"address": visit.address, "browser": visit.browser, "created_at": visit.now}
    about |= {"asked_at": visit.now}
    return about | attempt._asdict()


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


async def locked(session: AsyncSession, visit: Visit) -> SignIn:
    """This browser's sign-in, to be changed. Raises RefusedError."""
    row = await session.scalar(of_browser(visit).with_for_update())
    if row is None:
        raise RefusedError("", START_AGAIN)
    return row


async def stepped(
    session: AsyncSession,
    row: SignIn,
    event: str,
    method: str,
    visit: Visit,
    offered: tuple[str, ...] | None = None,
) -> signin.Attempt:
    """Write the attempt after the event into its row. What cannot happen is a RefusedError.

    offered: the methods that are open, where that is not what the account holds now.
    """
    if offered is None:
        offered = signin.open_methods(await holdings(session, row.account_id, visit))
    before = signin.Attempt(row.state, row.method, row.tries, row.expires_at)
    try:
        after = signin.step(before, event, visit.now, method, offered)
    except StateError as error:
        raise RefusedError("", START_AGAIN) from error
    row.state, row.method, row.tries, row.expires_at = after
    if event in (signin.CHOSEN, signin.SENT):
        row.asked_at = visit.now
    return after


async def sent_progress(session: AsyncSession, sent: SentCode | None) -> str:
    """How it stands with the messages of a code."""
    if sent is None:
        return progress.ON_THE_WAY
    return progress.of_all(await session.scalars(for_purpose(sent.bound_to, sent.sent_at)))
