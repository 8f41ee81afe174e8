"""Who is asking: one browser, at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.cloud.store.models import Account, Session, SignIn
from host_tools.cloud.store.secret_box import token_hash
from host_tools.cloud.store.site_models import SiteSession


@dataclass
class Visit:
    """`browser_token` is this browser's own secret (a cookie), also before anybody has signed in.

    `known_mark` is what it was given when somebody had (turnstile.py).
    """

    browser_token: str
    address: str
    user_agent: str
    now: float
    session_token: str | None = None
    known_mark: str | None = None
    session: Session | None = None
    at_site: SiteSession | None = None  # instead, where this is another site of ours than the account
    account: Account | None = None
    channels: frozenset[str] = frozenset()  # what this cloud can send by
    renewed_token: str | None = None  # the session's new one, for the answer's cookie

    @property
    def browser_hash(self) -> str:
        return token_hash(self.browser_token)

    @property
    def browser(self) -> str:
        """What the browser says that it is, as long as a column."""
        return self.user_agent[:200]

    @property
    def signed_in(self) -> Account:
        """The account. Only for pages whose route asks for one."""
        if self.account is None:
            raise LookupError("nobody is signed in")
        return self.account

    @property
    def open_session(self) -> Session:
        if self.session is None:
            raise LookupError("nobody is signed in")
        return self.session

    @property
    def takes_password(self) -> bool:
        """Whether a form may ask for it: there is one that opens something, and this is where it belongs."""
        opens = bool(self.signed_in.password_hash) and self.signed_in.passkeys_only_at is None
        return self.session is not None and opens


@dataclass
class Absent(Visit):
    """The browser of a sign-in, while nobody is asking: something has become of what was sent."""

    stored_hash: str = ""

    @classmethod
    def of(cls, row: SignIn, now: float, channels: frozenset[str]) -> Absent:
        return cls("", row.address, row.browser, now, channels=channels, stored_hash=row.browser_hash)

    @property
    def browser_hash(self) -> str:
        return self.stored_hash
