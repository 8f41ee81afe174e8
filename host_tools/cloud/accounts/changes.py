"""Every change of what opens an account: written to its log, and told to its owner (G5)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters
from host_tools.cloud.accounts.events import KINDS, note
from host_tools.cloud.accounts.undo import Step, offer
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import SecretBox


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
            link = f"{self._url}/undo/" + offer(session, self._box, kind, about, account, steps, visit.now)
        text = letters.factor_changed(KINDS[kind], about, link, self._url, visit.now)
        await self._post.add(session, account.email, text, visit.now)

    def wake(self) -> None:
        self._post.wake()
