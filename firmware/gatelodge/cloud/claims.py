"""The one claim that waits for the owner's answer on the admin page."""

from gatelodge.contract.errors import StateError
from gatelodge.text import N_

ANSWERED_LIMIT = 8


class Claims:
    """now_ms: () -> monotonic ms. The claim expires by it, since the wall clock may be set meanwhile."""

    def __init__(self, now_ms, answered=()):
        """answered: the ids of claims whose answers are still on their way to the cloud."""
        self._now_ms = now_ms
        self._args = None
        self._expires_ms = 0
        self._answered = list(answered)

    def show(self, args):
        """args of the `claim` command. A newer claim replaces an older one.

        False for an answered one: the cloud repeats a claim that it has no answer to yet.
        """
        if args["claim_id"] in self._answered:
            return False
        self._args = args
        self._expires_ms = self._now_ms() + args["expires_s"] * 1000
        return True

    def cancel(self, claim_id):
        if self._args is not None and self._args["claim_id"] == claim_id:
            self._args = None

    def current(self, unix_s):
        """None, or {claim_id, account: {name, email}, number, expires_at: unix s, expires_s}."""
        left_s = (self._expires_ms - self._now_ms()) // 1000
        if self._args is None or left_s <= 0:
            self._args = None
            return None
        claim = dict(self._args)
        claim["expires_s"] = left_s
        claim["expires_at"] = unix_s + left_s
        return claim

    def answer(self, claim_id):
        """Burn the claim: it has one answer. Raises StateError when it is not waiting (any more)."""
        claim = self.current(0)
        if claim is None or claim["claim_id"] != claim_id:
            raise StateError(N_("This request is not waiting any more. Start it again in your account."))
        self._args = None
        self._answered = (self._answered + [claim_id])[-ANSWERED_LIMIT:]
