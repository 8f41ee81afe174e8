"""A mail a week before something of an account ends by itself (OWASP ASVS 5, 6.4.5): once for each end.

A personal token ends on its day; a trusted browser when nobody has used it for so long, and every use puts
that off. What is more than a sweep takes comes with the next.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters
from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.trusted import TRUSTED_S
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.delivery.texts import Text, leading, letter
from host_tools.cloud.languages import figures
from host_tools.cloud.languages.text import _
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, TrustedBrowser

AHEAD_S = 7 * 24 * 3600
AT_ONCE = 100  # of each
LIVE = (Account.disabled_at.is_(None),)
Writer = Callable[[str, str, str], Text]  # of a name, a time, and the portal's address


class Reminders:
    def __init__(self, database: Database, post: Post, url: str):
        self._database = database
        self._post = post
        self._url = url

    async def prune(self, now: float) -> None:
        """As the others of the sweep: before what is over goes, its person hears of it."""
        async with self._database.write() as session:
            for token, account in (await session.execute(_tokens(now))).all():
                token.reminded_at = now
                await self._tell(session, account, _token_ends, token.name, token.expires_at, now)
            for row, account in (await session.execute(_browsers(now))).all():
                row.reminded_at = now
                name, ends_at = browser_words(row.browser), row.used_at + TRUSTED_S
                await self._tell(session, account, _browser_ends, name, ends_at, now)
        self._post.wake()

    async def _tell(
        self, session: AsyncSession, account: Account, text_of: Writer, name: str, ends_at: float, now: float
    ) -> None:
        with letters.to(account):
            text = text_of(name, figures.local(ends_at), self._url)
        await self._post.add(session, account.email, text, now)


def _token_ends(name: str, when: str, url: str) -> Text:
    return letter(
        _("A personal token ends soon"),
        _("Your personal token “%(name)s” ends at this time: %(when)s.", name=name, when=when),
        leading(
            _("Whatever uses it is refused from then on. Make a new one in time:"), f"{url}/security/tokens"
        ),
    )


def _browser_ends(name: str, when: str, url: str) -> Text:
    return letter(
        _("A browser is trusted no longer soon"),
        _("This browser has not signed in for a long time: %(name)s.", name=name),
        _(
            "From this time on it must verify again: %(when)s. Who signs in there before puts that off.",
            when=when,
        ),
        leading(_("If it is not yours, or you have given it away, remove it:"), f"{url}/security"),
    )


def _tokens(now: float) -> Select[ApiToken, Account]:
    ends = (ApiToken.expires_at > now, ApiToken.expires_at <= now + AHEAD_S, ApiToken.reminded_at.is_(None))
    joined = select(ApiToken, Account).join(Account, Account.id == ApiToken.account_id)
    return joined.where(*ends, *LIVE).order_by(ApiToken.expires_at).limit(AT_ONCE)


def _browsers(now: float) -> Select[TrustedBrowser, Account]:
    unused = now - TRUSTED_S
    ends = (TrustedBrowser.used_at > unused, TrustedBrowser.used_at <= unused + AHEAD_S)
    fresh = or_(TrustedBrowser.reminded_at.is_(None), TrustedBrowser.reminded_at < TrustedBrowser.used_at)
    joined = select(TrustedBrowser, Account).join(Account, Account.id == TrustedBrowser.account_id)
    return joined.where(*ends, fresh, *LIVE).order_by(TrustedBrowser.used_at).limit(AT_ONCE)
