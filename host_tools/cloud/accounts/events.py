"""The log of what happened to an account's safety: one row per event, added and never changed."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Event

KEPT_S = 366 * 24 * 3600  # the database refuses to drop a younger one
SHOWN_MAX = 50

# kind -> what the person reads. `about` of the row follows it, in quotes.
KINDS = {
    "account_made": "Account created",
    "signed_in": "Signed in",
    "sign_in_failed": "A sign-in failed at the second step",
    "sign_in_denied": "A sign-in was refused: “It was not me”",
    "password_wrong": "A wrong password was entered",
    "signed_out": "Signed out",
    "proved": "You proved once more that it was you",
    "proof_failed": "Proving once more who it was failed",
    "session_ended": "A session was ended",
    "code_sent": "A code was sent",
    "browser_trusted": "A browser became trusted",
    "browser_removed": "A trusted browser was removed",
    "authenticator_added": "An authenticator was added",
    "authenticator_removed": "An authenticator was removed",
    "recovery_codes_made": "New recovery codes were made",
    "recovery_code_used": "A recovery code was used",
    "phone_added": "A phone number was added",
    "phone_removed": "A phone number was removed",
    "passkey_added": "A passkey was added",
    "passkey_renamed": "A passkey was renamed",
    "passkey_removed": "A passkey was removed",
    "passkey_doubted": "A passkey's counter went back: there may be a copy of it",
    "telegram_linked": "A Telegram chat was linked",
    "telegram_unlinked": "A Telegram chat was unlinked",
    "application_added": "An application was connected",
    "application_removed": "An application was disconnected",
    "application_doubted": "A used token of an application came again: it was signed out",
    "device_added": "A device was let in",
    "device_denied": "A device was refused",
    "token_made": "A personal token was made",
    "token_revoked": "A personal token was revoked",
    "outside_added": "An account elsewhere was connected",
    "outside_removed": "An account elsewhere was disconnected",
    "password_changed": "The password was changed",
    "password_reset": "A new password was set by e-mail",
    "password_asked": "A new password was asked for by e-mail",
    "email_asked": "Another e-mail was asked for",
    "email_changed": "The e-mail was changed",
    "profile_changed": "The profile was changed",
    "account_disabled": "The account was disabled",
    "account_enabled": "The account was enabled",
    "reset_asked": "Two-factor is to be reset",
    "reset_stopped": "The reset of two-factor was stopped",
    "two_factor_reset": "Two-factor was reset",
    "deletion_asked": "The account is to be deleted",
    "deletion_stopped": "The deletion of the account was stopped",
    "account_deleted": "The account was deleted",
    "data_exported": "All data of the account was exported",
    "change_undone": "A change was undone",
    "role_changed": "The role in support was changed",
    "help_read": "Support read a help request",
    "help_answered": "Support answered a help request",
    "help_noted": "Support kept a note on a help request",
    "help_closed": "Support closed a help request",
    "help_reopened": "Support reopened a help request",
    "help_removed": "Support removed a help request",
}
# Those that the login activity shows (A5).
SIGN_INS = ("account_made", "signed_in", "sign_in_failed", "sign_in_denied", "password_wrong")


def note(session: AsyncSession, account_id: str, kind: str, visit: Visit, about: str = "") -> None:
    """Write the event down in the transaction that makes it true."""
    if kind not in KINDS:
        raise KeyError(kind)
    row = Event(account_id=account_id, at=visit.now, kind=kind, about=about[:120])
    row.address, row.browser = visit.address[:64], visit.browser
    session.add(row)


class Events:
    def __init__(self, database: Database):
        self._database = database

    async def of(self, account_id: str, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Event]:
        """The newest first."""
        mine = select(Event).where(Event.account_id == account_id, Event.kind.in_(kinds))
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(Event.id.desc()).limit(SHOWN_MAX)))

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(Event).where(Event.at < now - KEPT_S))
