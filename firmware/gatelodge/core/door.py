"""Who gets a place at a listener that has few, and whose TLS handshake comes when: pure.

    door = Door(streams, places, known, now_ms)    # one look, for a batch of newcomers
    door.way_for(address)     None: there is a place; TURNED_AWAY; or the stream that is ended for it
    door.entered(stream)      the newcomer has taken the place

    lane = Lane()             # for the handshakes of crowds, of which each holds the processor
    lane.left_ms(now_ms)      how long the next one waits
    lane.took(began_ms, ended_ms)

A stream has .peer, (address, port); .yields_since_ms, since when it may be ended for another, or None; and
.is_closed.

What stands before somebody's page while a stranger opens connections as fast as the kernel takes them:

- in the kernel's queue, no more than it holds. Each of those is taken and closed again, for its address may
  end its own connections only as fast as they have had their turns;
- for a place, nobody: of the address that holds most of them the one that has yielded longest is ended. Those
  of an address from which somebody is signed in are ended for no stranger, as far as a browser needs them;
- in TLS, one handshake at a time of all the crowds together, and those take a part of the time at most.
"""

TURN_MS = 50  # that a connection has, before a newcomer from its own address ends it
BROWSER = 6  # connections that a browser opens to one router
SHARE = 2  # of the time, the part that the handshakes of crowds take: a half

TURNED_AWAY = ()


class Door:
    """streams: those that hold the `places`; known(): the addresses from which somebody is signed in, asked
    for at most once."""

    def __init__(self, streams, places, known, now_ms):
        self._streams = [stream for stream in streams if not stream.is_closed]
        self._places = places
        self._known_now = known
        self._known = ()
        self._now_ms = now_ms
        self._turned_away = None  # the last address of which one was: the next of a crowd is told so at once
        self._counts = {}
        for stream in self._streams:
            self._count(stream, 1)

    @property
    def is_shut(self):
        """Whether nobody can be let in: every place is taken, by who ends for nobody."""
        return len(self._streams) >= self._places and all(
            stream.yields_since_ms is None for stream in self._streams
        )

    def way_for(self, address):
        if len(self._streams) < self._places:
            return None
        if address == self._turned_away:
            return TURNED_AWAY
        ended = self._first_to_yield()
        if ended is None or self._is_kept_from(address, ended):
            self._turned_away = address
            return TURNED_AWAY
        self._streams.remove(ended)
        self._count(ended, -1)
        return ended

    def entered(self, stream):
        self._streams.append(stream)
        self._count(stream, 1)

    def _is_kept_from(self, address, stream):
        if stream.peer[0] == address:
            return self._now_ms - stream.yields_since_ms < TURN_MS
        return self._is_kept(stream) and address not in self._known

    def _first_to_yield(self):
        """Whoever takes every place, silent or slow, ends their own connections and no neighbour's."""
        if self._known_now is not None:
            self._known, self._known_now = self._known_now(), None
        found, order = None, None
        for stream in self._streams:
            if stream.yields_since_ms is not None:
                rank = (self._is_kept(stream), -self._counts[stream.peer[0]], stream.yields_since_ms)
                if order is None or rank < order:
                    found, order = stream, rank
        return found

    def _is_kept(self, stream):
        return stream.peer[0] in self._known and self._counts[stream.peer[0]] <= BROWSER

    def _count(self, stream, more):
        address = stream.peer[0]
        self._counts[address] = self._counts.get(address, 0) + more


def is_crowd(stream, streams):
    """Whether its address holds more of the streams than a browser opens."""
    ours = [each for each in streams if each.peer[0] == stream.peer[0] and not each.is_closed]
    return len(ours) > BROWSER


class Lane:
    def __init__(self):
        self._free_ms = None

    def left_ms(self, now_ms):
        return 0 if self._free_ms is None else max(0, self._free_ms - now_ms)

    def took(self, began_ms, ended_ms):
        self._free_ms = ended_ms + (SHARE - 1) * (ended_ms - began_ms)
