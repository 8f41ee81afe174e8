"""Every change of what opens an account: written to its log, and told to its owner (G5)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters
from host_tools.cloud.accounts.events import KINDS, note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.store.models import Account


class Changes:
    def __init__(self, post: Post, url: str):
        self._post = post
        self._url = url

    async def tell(
        self, session: AsyncSession, kind: str, about: str, visit: Visit, account: Account | None = None
    ) -> None:
        """In the transaction that makes the change. `wake` after it.

        `account`: whose it is, where nobody is signed in.
        """
        account = account or visit.signed_in
        note(session, account.id, kind, visit, about)
        text = letters.factor_changed(KINDS[kind], about, "", self._url, visit.now)
        await self._post.add(session, account.email, text, visit.now)

    def wake(self) -> None:
        self._post.wake()
