"""Every change of what opens an account: written to its log, and told to its owner (G5)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters, trusted
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.undo import Step, asks_password, offer
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import PUSH, TELEGRAM, Post
from host_tools.cloud.links import link_to
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import SecretBox
from host_tools.cloud.store.telegram_models import TelegramChat


class Changes:
    def __init__(self, post: Post, box: SecretBox, url: str):
        self._post = post
        self._box = box
        self._url = url

    async def tell(
        self,
        session: AsyncSession,
        kind: str,
        about: str,
        visit: Visit,
        account: Account | None = None,
        steps: Sequence[Step] = (),
    ) -> None:
        """In the transaction that makes the change. `wake` after it.

        account: whose it is, as before the change, where nobody is signed in.
        steps: what undoes it; with them the mail has a link that does.
        """
        account = account or visit.signed_in
        note(session, account.id, kind, visit, about)
        link = ""
        if steps:
            code = offer(session, self._box, kind, about, account, steps, visit.now)
            link = link_to(f"{self._url}/undo", code)
        with letters.to(account):
            by_password = asks_password(account)
            text = letters.factor_changed(kind, about, link, self._url, visit.now, by_password)
        await self._post.add(session, account.email, text, visit.now)
        await self._tell_elsewhere(session, kind, about, visit, account)

    async def _tell_elsewhere(
        self, session: AsyncSession, kind: str, about: str, visit: Visit, account: Account
    ) -> None:
        """In every linked chat, and to every other trusted browser. What undoes it is in the mail alone."""
        with letters.to(account):
            text = letters.change_notice(kind, about, self._url)
        chats = select(TelegramChat.chat).where(TelegramChat.account_id == account.id)
        for channel, recipients in ((TELEGRAM, chats), (PUSH, trusted.subscribed(account.id, visit))):
            if channel in self._post.channels:
                for recipient in list(await session.scalars(recipients)):
                    await self._post.add(session, recipient, text, visit.now, channel)

    def wake(self) -> None:
        self._post.wake()
