"""The bell on the desk: support hears of a new request by mail, at the address of the settings."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.help import letters
from host_tools.cloud.languages.text import ENGLISH, speaking
from host_tools.cloud.store.help_models import HelpRequest


class Bell:
    """`support_email`: "" where nobody is to be told. It is no account, so it is written to in English."""

    def __init__(self, post: Post, url: str, support_email: str):
        self._post = post
        self._url = url
        self._support_email = support_email

    async def ring(self, session: AsyncSession, request: HelpRequest, visit: Visit) -> None:
        """In the transaction that opens the request. `wake` after it."""
        if not self._support_email:
            return
        with speaking(ENGLISH):
            link = f"{self._url}/desk/{request.id}"
            text = letters.asked(request.subject, visit.signed_in.name, link)
        await self._post.add(session, self._support_email, text, visit.now)

    def wake(self) -> None:
        self._post.wake()
