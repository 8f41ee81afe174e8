"""Who is asking: one browser, at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.cloud.store.models import Account, Session
from host_tools.cloud.store.secret_box import token_hash


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
    account: Account | None = None

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
