"""Undoing a change of what opens an account (G5), by the link of the mail that told of it.

The link asks for the password that was valid before the change: whoever only reads the mail must not switch
a second factor off with it (G7), and whoever took the account over may have changed the password since.
Where there was no password, or only passkeys sign in, its person has to be signed in, and to have just proved
who they are (proof.py).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import applications, letters, passkeys_only, proof, signin, trusted
from host_tools.cloud.accounts.again import proved_in
from host_tools.cloud.accounts.emails import normal
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.languages.text import N_
from host_tools.cloud.links import new_code
from host_tools.cloud.store.account_models import Undo
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator, Base, Phone, RecoveryCode, Session, SignIn
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.secret_box import SecretBox, new_id, token_hash
from host_tools.cloud.store.telegram_models import TelegramChat

UNDO_S = 3 * 24 * 3600
WRONG_PASSWORD = N_("That is not the password that was valid before the change. Try again.")
PROVE_FIRST = N_("Sign in, and prove that it is you. Then open this link again.")
OVER = N_("This change was undone already, or is older than 3 days.")
TAKEN = N_("The old e-mail belongs to another account by now. Write to support.")

UNDO = "undo a change"  # of proof.ACTIONS
DROP, RESTORE, SET, VOID = "drop", "restore", "set", "void"
TABLES: dict[str, type[Base]] = {
    table.__tablename__: table for table in (Authenticator, Phone, Passkey, TelegramChat, ApiToken)
}
# Beside the id, what an account holds once.
UNIQUE = {
    Phone.__tablename__: ("number",),
    Passkey.__tablename__: ("credential_hash",),
    TelegramChat.__tablename__: ("chat",),
}


class Step(NamedTuple):
    """DROP a row (values: its id), RESTORE one (its columns), SET columns of the account, or VOID its
    recovery codes.
    """

    verb: str
    table: str
    values: dict[str, Any]


def dropping(row: Any) -> list[Step]:
    """What undoes that the row was added."""
    return [Step(DROP, row.__tablename__, {"id": row.id})]


def restoring(row: Any) -> list[Step]:
    """What undoes that the row was removed. To be asked for while it is there."""
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return [Step(RESTORE, row.__tablename__, values)]


def voiding_recovery() -> list[Step]:
    return [Step(VOID, RecoveryCode.__tablename__, {})]


def setting(**columns: Any) -> list[Step]:
    """What undoes that columns of the account changed: their old values."""
    return [Step(SET, "accounts", columns)]


def packed(steps: Sequence[Step]) -> str:
    return json.dumps([[step.verb, step.table, _plain(step.values)] for step in steps])


def unpacked(text: str) -> list[Step]:
    return [Step(verb, table, _rich(values)) for verb, table, values in json.loads(text)]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for key, value in values.items()
    }


def _rich(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: base64.b64decode(value["b64"]) if isinstance(value, dict) else value
        for key, value in values.items()
    }


def asks_password(account: Account) -> bool:
    """Whether the link asks for it: there is one, and it is not only passkeys that sign in."""
    return bool(account.password_hash) and account.passkeys_only_at is None


def offer(
    session: AsyncSession,
    box: SecretBox,
    kind: str,
    about: str,
    account: Account,
    steps: Sequence[Step],
    now: float,
) -> str:
    """Add the undo to the caller's transaction, and return the code of its link.

    account: as it was before the change, or at least with the password of before.
    """
    code = new_code()
    row = Undo(id=new_id(), account_id=account.id, token_hash=token_hash(code), kind=kind, about=about[:120])
    row.password_hash = account.password_hash if asks_password(account) else ""
    row.steps = box.seal(packed(steps))
    row.made_at, row.expires_at = now, now + UNDO_S
    session.add(row)
    return code


class Undoing:
    def __init__(
        self, database: Database, box: SecretBox, hasher: Hasher, turnstile: Turnstile, post: Post, url: str
    ):
        self._database = database
        self._box = box
        self._hasher = hasher
        self._turnstile = turnstile
        self._post = post
        self._url = url

    async def view(self, code: str, now: float) -> Undo | None:
        async with self._database.read() as session:
            return await session.scalar(_by_code(code, now))

    async def undo(self, code: str, password: str, visit: Visit) -> str:
        """Every session of the account and all its trust end. Returns its id. Raises RefusedError."""
        found = await self.view(code, visit.now)
        if found is None:
            raise RefusedError("", OVER)
        await self._check(found, password, visit)
        async with self._database.write() as session:
            row = await session.scalar(_by_code(code, visit.now))
            if row is None:
                raise RefusedError("", OVER)
            await self._apply(session, row, visit)
        self._post.wake()
        return found.account_id

    async def proved_instead(self, row: Undo, visit: Visit) -> bool:
        """Whether its person is signed in, and has just proved in full who they are: for no password."""
        if visit.account is None or visit.account.id != row.account_id:
            return False
        async with self._database.read() as session:
            two_factor = signin.two_factor(await holdings(session, row.account_id, visit))
        return not proof.missing(UNDO, two_factor, proved_in(visit), visit.now)

    async def _check(self, found: Undo, password: str, visit: Visit) -> None:
        if not found.password_hash:
            if not await self.proved_instead(found, visit):
                raise RefusedError("", PROVE_FIRST)
            return
        await self._turnstile.take("sign_in", account=f"undo {found.id}", address=visit.address)
        if not await self._hasher.matches(found.password_hash, password):
            raise RefusedError("password", WRONG_PASSWORD)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(Undo).where(Undo.expires_at < now))

    async def _apply(self, session: AsyncSession, row: Undo, visit: Visit) -> None:
        account = await session.get_one(Account, row.account_id)
        told = {account.email}
        for step in unpacked(self._box.open(row.steps)):
            await _take(session, account, step)
        told.add(account.email)
        await session.delete(row)
        await session.flush()
        opened = await passkeys_only.after_undo(session, account, row.made_at, visit)
        await _close(session, account, visit)
        note(session, account.id, "change_undone", visit, row.kind)
        with letters.to(account):
            texts = [letters.undone(row.kind, row.about, self._url, visit.now)]
            if opened:
                texts.append(letters.factor_changed("passkeys_only_off", "", "", self._url, visit.now))
        for address in sorted(told):
            for text in texts:
                await self._post.add(session, address, text, visit.now)


async def _take(session: AsyncSession, account: Account, step: Step) -> None:
    if step.verb == SET:
        await _set(session, account, step.values)
    elif step.verb == VOID:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    elif step.verb == DROP:
        table: Any = TABLES[step.table]
        mine = (table.id == step.values["id"], table.account_id == account.id)
        await session.execute(delete(table).where(*mine))
    else:
        await _restore(session, step)


async def _restore(session: AsyncSession, step: Step) -> None:
    """Where it was not added anew in the meantime."""
    table: Any = TABLES[step.table]
    names = ("id", *UNIQUE.get(step.table, ()))
    same = or_(*(getattr(table, name) == step.values[name] for name in names))
    mine = and_(same, table.account_id == step.values["account_id"])
    if await session.scalar(select(table.id).where(mine)) is None:
        session.add(table(**step.values))


async def _set(session: AsyncSession, account: Account, values: dict[str, Any]) -> None:
    email = normal(values.get("email", account.email))  # it may be of before there was one form of it
    taken = await session.scalar(select(Account.id).where(Account.email == email, Account.id != account.id))
    if taken is not None:
        raise RefusedError("", TAKEN)
    for name, value in (values | {"email": email}).items():
        setattr(account, name, value)


async def _close(session: AsyncSession, account: Account, visit: Visit) -> None:
    """Whoever is in is out, and must prove everything again; recovery codes of no factor are void."""
    await trusted.forget_all(session, account.id)
    await applications.shut_out(session, account.id)
    for table in (Session, SignIn):
        await session.execute(delete(table).where(table.account_id == account.id))
    if not signin.two_factor(await holdings(session, account.id, visit)):
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


def _by_code(code: str, now: float):
    return select(Undo).where(Undo.token_hash == token_hash(code), Undo.expires_at > now)
