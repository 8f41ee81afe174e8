"""To a provider and back. What must be remembered waits in the browser's own cookie, sealed.

A cookie of another browser, or of another question, fits no answer: so nobody can sign somebody in to an
account of the attacker's (RFC 9700 section 4.7), and no table fills with strangers' questions.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.fernet import InvalidToken

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_
from host_tools.cloud.outside.identity import Identity, Unbelievable, asked_again
from host_tools.cloud.outside.provider import Away, Provider
from host_tools.cloud.store.secret_box import SecretBox, new_token

LASTS_S = 900  # as long as a sign-in may take here
SIGN_IN = "sign in"
PROVE = "prove "  # and the session's id: its person is asked again, and says who it is

FAILED = N_("That did not work. Begin again.")
AWAY = N_("The other side does not answer as it should. Try again, or sign in another way.")
NOT_AGAIN = N_("The other side did not ask you to sign in again. Prove it in another way.")
REFUSED = N_("You were not signed in there. Try again, or sign in another way.")


class Question(NamedTuple):
    """purpose: SIGN_IN, PROVE and a session's id, or the id of the session that connects the account."""

    provider: str
    purpose: str
    state: str
    nonce: str
    verifier: str
    until: float


class Flow:
    """`providers`: by id, in the order in which they are offered."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        box: SecretBox,
        turnstile: Turnstile,
        url: str,
        back: str = "",
    ):
        """`back`: where a provider leads, if it is another address than our page for accounts elsewhere."""
        self.providers = providers
        self._box = box
        self._turnstile = turnstile
        self._url = url
        self._back_path = back

    async def begin(self, provider_id: str, purpose: str, visit: Visit) -> tuple[str, str]:
        """The address that asks, and the cookie. Raises RefusedError, KeyError for an unknown provider."""
        provider = self.providers[provider_id]
        await self._turnstile.take("outside", address=visit.address, account="")
        asked = Question(provider_id, purpose, new_token(), new_token(), new_token(), visit.now + LASTS_S)
        digest = hashlib.sha256(asked.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        try:
            back, again = self._back(provider_id), purpose.startswith(PROVE)
            address = await provider.address(back, asked.state, asked.nonce, challenge, again)
        except Away as error:
            raise RefusedError("", AWAY) from error
        return address, self._sealed("question", asked, visit)

    async def answer(
        self, provider_id: str, cookie: str, given: Mapping[str, str], visit: Visit
    ) -> tuple[Identity, str]:
        """Whom the provider knows, and the purpose. Raises RefusedError."""
        question = await self.answered(provider_id, cookie, given, visit)
        provider, back = self.providers[provider_id], self._back(provider_id)
        try:
            found = await provider.identity(given["code"], back, question.nonce, question.verifier)
        except (Away, Unbelievable) as error:
            raise RefusedError("", AWAY) from error
        asked_at = question.until - LASTS_S
        if question.purpose.startswith(PROVE) and not asked_again(found, asked_at, visit.now):
            raise RefusedError("", NOT_AGAIN)
        return found, question.purpose

    async def answered(
        self, provider_id: str, cookie: str, given: Mapping[str, str], visit: Visit
    ) -> Question:
        """What was asked, if this is this browser's answer to it, with a code. Raises RefusedError."""
        asked = self._opened("question", cookie, visit)
        if asked is None:
            raise RefusedError("", FAILED)
        question = Question(*asked)
        known = hmac.compare_digest(given.get("state", "").encode(), question.state.encode())
        if question.provider != provider_id or not known or visit.now >= question.until:
            raise RefusedError("", FAILED)
        provider = self.providers[provider_id]
        # RFC 9207: where a provider says who it is, it must be the one that was asked.
        if given.get("iss", provider.outside.issuer) != provider.outside.issuer:
            raise RefusedError("", FAILED)
        if not given.get("code"):
            raise RefusedError("", REFUSED)
        await self._turnstile.take("outside", address=visit.address, account="")
        return question

    def keep(self, identity: Identity, visit: Visit) -> str:
        """A cookie for an identity that belongs to no account yet."""
        return self._sealed("identity", (*identity, visit.now + LASTS_S), visit)

    def kept(self, cookie: str, visit: Visit) -> Identity | None:
        found = self._opened("identity", cookie, visit)
        if found is None or visit.now >= found[-1] or found[0] not in self.providers:
            return None
        return Identity(*found[:-1])

    def _back(self, provider_id: str) -> str:
        return self._url + (self._back_path or f"/outside/{provider_id}/answer")

    def _sealed(self, kind: str, fields: tuple, visit: Visit) -> str:
        return self._box.seal(json.dumps([kind, visit.browser_hash, *fields])).decode()

    def _opened(self, kind: str, cookie: str, visit: Visit) -> list | None:
        """The fields, if this browser was given the cookie for this."""
        try:
            found = json.loads(self._box.open(cookie.encode("ascii", "replace")))
        except (InvalidToken, ValueError):
            return None
        return found[2:] if found[:2] == [kind, visit.browser_hash] else None
