"""Of which hash functions new authenticators may be: the operator's rule (`cloud serve --totp-algorithm`).

SHA-1 is the classic format, which every app knows. What was added stays as it was, whatever the rule is.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select

from host_tools.cloud.accounts.totp import ALGORITHMS, SHA1
from host_tools.cloud.store.looked_at import looked_at
from host_tools.cloud.store.models import Authenticator


class TotpRule(NamedTuple):
    """algorithm: of a new authenticator; its person may choose another that is allowed.

    classic: SHA-1 is among them beside another algorithm, for apps that know nothing else.
    """

    algorithm: str = SHA1
    classic: bool = True

    @property
    def allowed(self) -> tuple[str, ...]:
        """The rule's own first."""
        others = (each for each in ALGORITHMS if each != self.algorithm and (self.classic or each != SHA1))
        return (self.algorithm, *others)

    def chosen(self, wanted: str) -> str:
        """What the person asks for, where it is allowed; "" nothing."""
        return wanted if wanted in self.allowed else self.algorithm


CLASSIC = TotpRule()


async def classic_left(database_url: str) -> int:
    """How many authenticators are of the classic format, whatever the rule is. Raises Unread."""
    found = select(func.count()).where(Authenticator.algorithm == SHA1)
    return sum(await looked_at(database_url, found, "the authenticators"))
