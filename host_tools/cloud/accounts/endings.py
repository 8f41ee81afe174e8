"""What a grave change does when it is due (waiting.py), in the caller's transaction."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import applications
from host_tools.cloud.routers.ownership import wipe
from host_tools.cloud.store.account_models import EmailChange, Undo
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.models import (
    Account,
    Authenticator,
    Message,
    OutboxMessage,
    Phone,
    RecoveryCode,
    Router,
    Session,
    SignIn,
    SignUp,
    TrustedBrowser,
)
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.telegram_models import TelegramChat

FACTORS = (Authenticator, Passkey, Phone, TelegramChat, RecoveryCode)
# What opens the account now, or could bring a factor back.
OPENINGS = (TrustedBrowser, Session, SignIn, Undo, ApiToken)


async def drop_factors(session: AsyncSession, account: Account) -> list[str]:
    """No second factor is left: the next sign-in verifies by mail. Everybody is out.

    Nobody has a passkey then: every other way in is open again.
    """
    account.passkeys_only_at = None
    for table in (*FACTORS, *OPENINGS):
        await session.execute(delete(table).where(table.account_id == account.id))
    await applications.shut_out(session, account.id)
    return []


async def delete_account(session: AsyncSession, account: Account) -> list[str]:
    """Everything of the person goes, but the rows of the log, which name nobody (a random id, an address).

    The routers are nobody's: each hears it when it says hello next, at once where it is connected.
    """
    routers = list(await session.scalars(select(Router).where(Router.owner_id == account.id)))
    for router in routers:
        await wipe(session, router)
    phones = await session.scalars(select(Phone.number).where(Phone.account_id == account.id))
    mine = (EmailChange.account_id == account.id, EmailChange.email.not_in(select(Account.email)))
    asked = await session.scalars(select(EmailChange.email).where(*mine))
    theirs = [account.email, *phones, *asked]
    for table in (Message, OutboxMessage):
        await session.execute(delete(table).where(table.recipient.in_(theirs)))
    await session.execute(delete(SignUp).where(SignUp.email == account.email))
    await session.flush()
    await session.execute(delete(Account).where(Account.id == account.id))
    return [router.serial_number for router in routers]
