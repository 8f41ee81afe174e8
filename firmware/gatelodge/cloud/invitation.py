"""The link to the portal by which an account may register this router: asked for on the admin page.

The router shows its service code to the cloud, which gives a link in return. Whoever opens the link in an
account begins a claim, and that is approved here like any other.
"""

from gatelodge.text import N_

ASKED = "asked"  # the cloud has not answered yet
OPEN = "open"
REFUSED = "refused"

ANSWER_MS = 15_000  # for the cloud's answer: it looks into its database once
REFUSAL_MS = 60_000  # for people to read why


class Invitation:
    """now_ms: () -> monotonic ms. There is one at a time; a newer one takes the place of an older one."""

    def __init__(self, now_ms):
        self._now_ms = now_ms
        self.id = None  # of the question that was asked last, while it matters
        self._told = None  # {state, link, error}
        self._expires_ms = 0

    def ask(self, invite_id):
        self.id = invite_id
        self._tell(ASKED, None, None, ANSWER_MS)

    def answered(self, message):
        """The cloud's `invitation`. One that answers an earlier question says nothing."""
        if message["invite_id"] != self.id:
            return
        link = message["link"]
        if link is None or not link.startswith("https://"):
            self._tell(REFUSED, None, message["error"] or N_("The cloud gave no link."), REFUSAL_MS)
        else:
            self._tell(OPEN, link, None, (message["expires_s"] or 1) * 1000)

    def drop(self):
        """It was used, given up, or belongs to the owner before."""
        self.id = self._told = None

    def current(self):
        """None, or {state: ASKED|OPEN|REFUSED, link: text or None, error: text or None, expires_s}."""
        left_s = (self._expires_ms - self._now_ms()) // 1000
        if self._told is None or left_s <= 0:
            self.drop()
            return None
        return dict(self._told, expires_s=left_s)

    def _tell(self, state, link, error, lasts_ms):
        self._told = {"state": state, "link": link, "error": error}
        self._expires_ms = self._now_ms() + lasts_ms
