"""Codes that are sent out: six digits, ten minutes, five tries, each bound to the one thing that asked.

A call's code is the end of the number that calls: four digits, of a pool that others may know. One try.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import RefusedError, ThrottledError
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import NO_WAY, VOICE, Post
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import SentCode
from host_tools.cloud.store.secret_box import SecretBox

CODE_S = 600
TRIES = 5
CALL_TRIES = 1
CALL_DIGITS = 4
RESEND_S = 30
PURPOSE = "sent code"
RIGHT, WRONG, VOID = "right", "wrong", "void"


def verdict(row: SentCode | None, box: SecretBox, code: str, now: float) -> str:
    """What the typed code is worth. The caller counts the try."""
    tries_max = CALL_TRIES if row is not None and row.channel == VOICE else TRIES
    if row is None or row.tries >= tries_max or now >= row.expires_at:
        return VOID
    return RIGHT if box.is_hash(row.code_hash, PURPOSE, row.bound_to, code) else WRONG


def resend_wait_s(row: SentCode | None, now: float) -> float:
    """Seconds until another may be sent; 0 when at once."""
    return 0.0 if row is None else max(0.0, row.sent_at + RESEND_S - now)


class Codes:
    """`await codes.allow(...)` before the transaction that calls `codes.send(...)`; later `codes.check(...)`.

    `bound_to` names what asked, "sign-in ID" for example: a code of another is no code here.
    """

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        turnstile: Turnstile,
        post: Post,
        callers: tuple[str, ...] = (),
    ):
        self._database = database
        self._box = box
        self._turnstile = turnstile
        self._post = post
        self._callers = callers

    async def allow(self, bound_to: str, account: str, recipient: str, visit: Visit) -> None:
        """Count one message. Raises ThrottledError where it is too early, or were too many."""
        async with self._database.read() as session:
            _hold_back(await self.sent(session, bound_to), visit.now)
        await self._turnstile.take("send", account=account, address=visit.address)
        await self._turnstile.take("send_to", account=recipient, address=visit.address)

    async def send(
        self,
        session: AsyncSession,
        bound_to: str,
        channel: str,
        recipients: Sequence[str],
        text_of: Callable[[str], Text],
        now: float,
    ) -> None:
        """Make a code and queue its message, in the caller's transaction. The one before is void.

        text_of: the message of a code, or of the number that calls.

        Raises ThrottledError where another browser window was quicker.
        """
        secret = self._new_secret(channel)
        code = secret[-CALL_DIGITS:] if channel == VOICE else secret
        row = await self.ask(session, bound_to, channel, recipients, text_of(secret), now)
        row.code_hash = self._box.keyed_hash(PURPOSE, bound_to, code)

    async def ask(
        self,
        session: AsyncSession,
        bound_to: str,
        channel: str,
        recipients: Sequence[str],
        text: Text,
        now: float,
    ) -> SentCode:
        """Queue what is answered elsewhere, held back and followed as a code is. No code is right for it."""
        row = await session.get(SentCode, bound_to)
        _hold_back(row, now)
        if row is None:
            row = SentCode(bound_to=bound_to, sends=0)
            session.add(row)
        row.code_hash, row.channel, row.recipient = "", channel, recipients[0]
        row.tries, row.sends, row.sent_at, row.expires_at = 0, row.sends + 1, now, now + CODE_S
        late_at = row.expires_at
        for recipient in recipients:
            await self._post.add(session, recipient, text, now, channel, about=bound_to, expires_at=late_at)
        return row

    async def check(self, session: AsyncSession, bound_to: str, code: str, now: float) -> str:
        """RIGHT once, then never again. Counts a try in the caller's transaction, which must commit."""
        row = await session.get(SentCode, bound_to, populate_existing=True)
        found = verdict(row, self._box, code, now)
        if row is not None:
            row.tries += 1
        if found == RIGHT:
            await session.delete(row)
            await session.flush()
        return found

    async def sent(self, session: AsyncSession, bound_to: str) -> SentCode | None:
        return await session.scalar(select(SentCode).where(SentCode.bound_to == bound_to))

    async def drop(self, session: AsyncSession, bound_to: str) -> None:
        await session.execute(delete(SentCode).where(SentCode.bound_to == bound_to))

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SentCode).where(SentCode.expires_at < now))

    def _new_secret(self, channel: str) -> str:
        """What the message holds: the code, or the number that calls. Raises RefusedError."""
        if channel != VOICE:
            return f"{secrets.randbelow(10**6):06d}"
        if not self._callers:
            raise RefusedError("", NO_WAY)
        return secrets.choice(self._callers)


def _hold_back(row: SentCode | None, now: float) -> None:
    wait_s = resend_wait_s(row, now)
    if wait_s > 0:
        raise ThrottledError(wait_s)
