"""Only passkeys sign in (OWASP ASVS 5 level 3: 6.3.3, 6.3.6, 6.5.4, 6.6.1): a setting of the account.

What follows from it is decided in signin.py and proof.py; here it is switched on and off. On, it takes two
passkeys at least, which stay. Whoever has lost them all is left support's reset, which waits (waiting.py) and
ends the setting. Else a thief who switches it on would lock the owner out for good: for three days what was
changed until then can be undone as ever, by the mail's link and the password of before, which ends it too.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import applications, trusted
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.sessions import outlive_others
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.account_models import EmailChange, PasswordReset
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.models import Account, Session, SignIn
from host_tools.cloud.store.passkey_models import Passkey

PASSKEYS_MIN = 2
TOO_FEW = N_("Add at least two passkeys first, on two devices.")
KEEP_TWO = N_("Only passkeys sign in to your account: the last two stay. Add another one first.")
# What was given or begun by other ways than a passkey.
OF_BEFORE = (SignIn, PasswordReset, EmailChange, ApiToken)


async def switch_on(session: AsyncSession, visit: Visit) -> None:
    """In the caller's transaction, which tells of it. Everything that other ways have opened ends.

    Raises RefusedError.
    """
    account_id = visit.signed_in.id
    if await usable(session, account_id) < PASSKEYS_MIN:
        raise RefusedError("", TOO_FEW)
    account = await session.get_one(Account, account_id)
    account.passkeys_only_at = visit.now
    await trusted.forget_all(session, account_id)
    await applications.shut_out(session, account_id)
    for table in OF_BEFORE:
        await session.execute(delete(table).where(table.account_id == account_id))
    await _close(session, visit)


async def switch_off(session: AsyncSession, visit: Visit) -> None:
    account = await session.get_one(Account, visit.signed_in.id)
    account.passkeys_only_at = None
    await _close(session, visit)


async def _close(session: AsyncSession, visit: Visit) -> None:
    """Every other session ends, and what this one has proved was proved for before."""
    await outlive_others(session, visit)
    own = await session.get_one(Session, visit.open_session.id)
    own.proved_at = own.second_proved_at = None


async def usable(session: AsyncSession, account_id: str) -> int:
    """How many passkeys count: not those of which there may be a copy.

    Each verifies its person: none is kept, and none signs in, without that (ceremonies.py).
    """
    mine = (Passkey.account_id == account_id, Passkey.doubted_at.is_(None))
    return await session.scalar(select(func.count()).select_from(Passkey).where(*mine)) or 0


async def check_left(session: AsyncSession, account_id: str) -> None:
    """After a passkey went that counts, in the caller's transaction.

    Raises RefusedError where too few are left.
    """
    await session.flush()
    account = await session.get_one(Account, account_id)
    if account.passkeys_only_at is not None and await usable(session, account_id) < PASSKEYS_MIN:
        raise RefusedError("", KEEP_TWO)


async def after_undo(session: AsyncSession, account: Account, made_at: float, visit: Visit) -> bool:
    """Whether the setting ends with it: the change was made before it was on. made_at: of the change.

    Raises RefusedError where the undoing would leave too few passkeys to an account that goes on with it.
    """
    since = account.passkeys_only_at
    if since is None or made_at >= since:
        held = select(func.count()).select_from(Passkey).where(Passkey.account_id == account.id)
        # With those of which there may be a copy: they are no reason to refuse what is about something else.
        if since is not None and (await session.scalar(held) or 0) < PASSKEYS_MIN:
            raise RefusedError("", KEEP_TWO)
        return False
    account.passkeys_only_at = None
    note(session, account.id, "passkeys_only_off", visit)
    return True
