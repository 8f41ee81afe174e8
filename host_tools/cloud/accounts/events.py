"""The log of what happened to an account's safety: one row per event, added and never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Event

ADD = insert(Event.metadata.tables[Event.__tablename__])
KEPT_S = 366 * 24 * 3600  # the database refuses to drop a younger one
SHOWN_MAX = 50

# kind -> what the person reads, in English. `about` of the row follows it (`concerning`).
KINDS = {
    "account_made": N_("Account created"),
    "signed_in": N_("Signed in"),
    "sign_in_failed": N_("A sign-in failed at the second step"),
    "sign_in_denied": N_("A sign-in was refused: “It was not me”"),
    "password_wrong": N_("A wrong password was entered"),
    "way_closed": N_("A sign-in was refused: only passkeys sign in"),
    "signed_out": N_("Signed out"),
    "proved": N_("You proved once more that it was you"),
    "proof_failed": N_("Proving once more who it was failed"),
    "session_ended": N_("A session was ended"),
    "code_sent": N_("A code was sent"),
    "browser_trusted": N_("A browser became trusted"),
    "browser_removed": N_("A trusted browser was removed"),
    "authenticator_added": N_("An authenticator was added"),
    "clock_learned": N_("The clock of an authenticator was learned"),
    "authenticator_removed": N_("An authenticator was removed"),
    "recovery_codes_made": N_("New recovery codes were made"),
    "recovery_code_used": N_("A recovery code was used"),
    "phone_added": N_("A phone number was added"),
    "phone_removed": N_("A phone number was removed"),
    "passkey_added": N_("A passkey was added"),
    "passkey_renamed": N_("A passkey was renamed"),
    "passkey_removed": N_("A passkey was removed"),
    "passkey_doubted": N_("A passkey's counter went back: there may be a copy of it"),
    "passkeys_only_on": N_("From now on only passkeys sign in"),
    "passkeys_only_off": N_("Every way to sign in is open again"),
    "telegram_linked": N_("A Telegram chat was linked"),
    "telegram_unlinked": N_("A Telegram chat was unlinked"),
    "application_added": N_("An application was connected"),
    "application_removed": N_("An application was disconnected"),
    "application_doubted": N_("A used token of an application came again: it was signed out"),
    "device_added": N_("A device was let in"),
    "device_denied": N_("A device was refused"),
    "token_made": N_("A personal token was made"),
    "token_revoked": N_("A personal token was revoked"),
    "outside_added": N_("An account elsewhere was connected"),
    "outside_removed": N_("An account elsewhere was disconnected"),
    "password_changed": N_("The password was changed"),
    "password_reset": N_("A new password was set by e-mail"),
    "password_asked": N_("A new password was asked for by e-mail"),
    "email_asked": N_("Another e-mail was asked for"),
    "email_changed": N_("The e-mail was changed"),
    "profile_changed": N_("The profile was changed"),
    "account_disabled": N_("The account was disabled"),
    "account_enabled": N_("The account was enabled"),
    "reset_asked": N_("Two-factor is to be reset"),
    "reset_stopped": N_("The reset of two-factor was stopped"),
    "two_factor_reset": N_("Two-factor was reset"),
    "deletion_asked": N_("The account is to be deleted"),
    "deletion_stopped": N_("The deletion of the account was stopped"),
    "account_deleted": N_("The account was deleted"),
    "router_undo": N_("A router was asked to undo changes"),
    "data_exported": N_("All data of the account was exported"),
    "change_undone": N_("A change was undone"),
    "role_changed": N_("The role among the staff was changed"),
    "client_added": N_("An application was registered"),
    "client_changed": N_("An application's registration was changed"),
    "client_secret_made": N_("A new secret was made for an application"),
    "client_disabled": N_("An application was disabled"),
    "client_enabled": N_("An application was enabled"),
    "client_removed": N_("An application's registration was removed"),
    "help_read": N_("Support read a help request"),
    "help_answered": N_("Support answered a help request"),
    "help_noted": N_("Support kept a note on a help request"),
    "help_closed": N_("Support closed a help request"),
    "help_reopened": N_("Support reopened a help request"),
    "help_removed": N_("Support removed a help request"),
}
# Those that the login activity shows (A5).
SIGN_INS = ("account_made", "signed_in", "sign_in_failed", "sign_in_denied", "password_wrong", "way_closed")

# How a person signed in, or was sent a code: methods and first steps of signin.py.
WAYS = {
    "password": N_("password"),
    "outside": N_("account elsewhere"),
    "authenticator": N_("authenticator app"),
    "passkey": N_("passkey"),
    "telegram": N_("button in Telegram"),
    "telegram_code": N_("code in Telegram"),
    "sms": N_("text message"),
    "push": N_("trusted browser"),
    "mail": N_("e-mail"),
    "voice": N_("call"),
    "recovery": N_("recovery code"),
}
# Of help/roles.py.
ROLES = {
    "support": N_("support"),
    "admin": N_("admin"),
    "clients": N_("applications"),
    "none": N_("none"),
}
# kind -> the words for what is in `about`. Of the other kinds it is a name that somebody gave.
ABOUT = {
    "signed_in": WAYS,
    "sign_in_failed": WAYS,
    "way_closed": WAYS,
    "proved": WAYS,
    "proof_failed": WAYS,
    "code_sent": WAYS,
    "role_changed": ROLES,
    "change_undone": KINDS | {sentence: sentence for sentence in KINDS.values()},  # as it was kept before
}
ABOUT_BROWSERS = ("browser_removed", "session_ended", "sign_in_denied")


def concerning(kind: str, about: str) -> str:
    """What an event concerns, for its reader: `about` of its row."""
    if kind in ABOUT_BROWSERS:
        return browser_words(about) if about else ""
    words = ABOUT.get(kind, {})
    return _(words[about]) if about in words else about


def told(event: Event) -> str:
    """An event as one line in the reader's language: "Signed in: passkey"."""
    what, about = _(KINDS[event.kind]), concerning(event.kind, event.about)
    return _("%(what)s: %(about)s", what=what, about=about) if about else what


def note(session: AsyncSession, account_id: str, kind: str, visit: Visit, about: str = "") -> None:
    """Write the event down in the transaction that makes it true."""
    session.add(Event(**_row(account_id, kind, visit, about)))


async def note_within(
    session: Transaction, account_id: str, kind: str, visit: Visit, about: str = ""
) -> None:
    """The same, also in a brief transaction."""
    await session.execute(ADD, _row(account_id, kind, visit, about))


def _row(account_id: str, kind: str, visit: Visit, about: str) -> dict[str, Any]:
    if kind not in KINDS:
        raise KeyError(kind)
    row = {"account_id": account_id, "at": visit.now, "kind": kind, "about": about[:120]}
    return row | {"address": visit.address[:64], "browser": visit.browser}


class Events:
    def __init__(self, database: Database):
        self._database = database

    async def of(self, account_id: str, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Event]:
        """The newest first."""
        mine = select(Event).where(Event.account_id == account_id, Event.kind.in_(kinds))
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(Event.id.desc()).limit(SHOWN_MAX)))

    async def prune(self, now: float) -> None:
        """Where our role may not (store/grants.py), `cloud prune` does it under the owner's."""
        if not await self._database.may_delete(Event.__tablename__):
            return
        async with self._database.write() as session:
            await session.execute(delete(Event).where(Event.at < now - KEPT_S))
