"""What an account holds, counted: what the sign-in's table (signin.py) decides by."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import Float, Select, bindparam, func, select

from host_tools.cloud.accounts import trusted
from host_tools.cloud.accounts.signin import Holdings
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import PUSH, VOICE
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.models import HASH, ID, Account, Authenticator, Phone, RecoveryCode
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.telegram_models import TelegramChat

COUNTED = ("authenticators", "recovery_codes", "phones", "telegram", "passkeys", "trusted", "passkeys_only")


async def holdings(session: Transaction, account_id: str, visit: Visit) -> Holdings:
    """As seen from this browser, in the caller's transaction."""
    about = {"account_id": account_id, "browser_hash": visit.browser_hash, "now": visit.now}
    row = (await session.execute(_counts(PUSH in visit.channels), about)).one()
    counted = dict(zip(COUNTED, row, strict=True))
    return Holdings(**counted, callable_phones=counted["phones"] if VOICE in visit.channels else 0)


@functools.cache
def _counts(by_push: bool) -> Select[Any]:
    """One SELECT of all of them: each sign-in asks."""
    account_id, browser_hash = bindparam("account_id", type_=ID), bindparam("browser_hash", type_=HASH)
    awake = trusted.awake(account_id, browser_hash, bindparam("now", type_=Float(53)), by_push)
    conditions = {
        "authenticators": (Authenticator.account_id == account_id,),
        "recovery_codes": (RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)),
        "phones": (Phone.account_id == account_id,),
        "telegram": (TelegramChat.account_id == account_id,),
        "passkeys": (Passkey.account_id == account_id,),
        "trusted": awake,
        "passkeys_only": (Account.id == account_id, Account.passkeys_only_at.is_not(None)),
    }
    counts = (select(func.count()).where(*conditions[name]) for name in COUNTED)
    return select(*(count.scalar_subquery() for count in counts))
