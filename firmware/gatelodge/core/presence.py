"""Presence: somebody is at the router itself, as its button or its serial console tells.

    presence.grant(source, now_s)             the button was pressed, or `unlock` was typed
    presence.take_try(factor, client, now_s)  one try of each factor for each client, while it lasts
    presence.spend(now_s)                     what takes a whole grant, and leaves none of it

A grant lasts five minutes. The tries that it opens are one for each client and factor, so that whoever
guesses from other addresses uses up his own and never the owner's. A press that signs somebody in in place of
a code (core/button_wait.py) is spent by it. Without the owner's password, presence opens nothing but a
factory reset.

Time is seconds since the router started: a restart ends what was granted.
"""

from gatelodge.contract.errors import OurError

BUTTON = "button"
CONSOLE = "console"
SOURCES = (BUTTON, CONSOLE)

LASTS_S = 5 * 60  # from the router to the desk, and to find the phone
# Whoever holds the cable or the button for days gets a try a minute of each factor, not a thousand.
REST_S = 60
MOST_CLIENTS = 256  # for each factor: the home's /24. With them all, a grant is worth 256 guesses


class Presence:
    def __init__(self):
        self._ends_s = None
        self._granted_s = None
        self._tried = {}  # factor -> the clients that have had their try

    def grant(self, source, now_s):
        """Return True, or False when the last grant is less than a minute old and stands as it was."""
        if source not in SOURCES:
            raise OurError("Presence is not granted by %r." % source)
        if self.rest_s(now_s):
            return False
        self._granted_s, self._ends_s = now_s, now_s + LASTS_S
        self._tried = {}
        return True

    def left_s(self, now_s):
        """Return how long the grant lasts, in seconds; 0 when there is none."""
        return 0 if self._ends_s is None else max(0, self._ends_s - now_s)

    def rest_s(self, now_s):
        """Return the seconds until presence may be granted again."""
        return 0 if self._granted_s is None else max(0, self._granted_s + REST_S - now_s)

    def take_try(self, factor, client, now_s):
        """Return whether this client may try the factor now, whatever the throttle says; True once."""
        tried = self._tried.setdefault(factor, set())
        if not self.left_s(now_s) or client in tried or len(tried) >= MOST_CLIENTS:
            return False
        tried.add(client)
        return True

    def spend(self, now_s):
        """Return whether there was a grant; there is none afterwards."""
        was_granted = self.left_s(now_s) > 0
        self._ends_s = None
        return was_granted
