"""What an account holds, counted: what the sign-in's table (signin.py) decides by."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import trusted
from host_tools.cloud.accounts.signin import Holdings
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import VOICE
from host_tools.cloud.store.models import Authenticator, Phone, RecoveryCode
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.telegram_models import TelegramChat


async def holdings(session: AsyncSession, account_id: str, visit: Visit) -> Holdings:
    """As seen from this browser, in the caller's transaction."""
    phones = await _count(session, Phone.account_id == account_id)
    return Holdings(
        authenticators=await _count(session, Authenticator.account_id == account_id),
        recovery_codes=await _count(
            session, RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
        ),
        phones=phones,
        telegram=await _count(session, TelegramChat.account_id == account_id),
        callable_phones=phones if VOICE in visit.channels else 0,
        passkeys=await _count(session, Passkey.account_id == account_id),
        trusted=await trusted.count_awake(session, account_id, visit),
    )


async def _count(session: AsyncSession, *conditions) -> int:
    return await session.scalar(select(func.count()).where(*conditions)) or 0
