"""The last fifty sign-ins and changes, for the owner to look through: "not you?".

Each entry has a key of its own in the store, in a ring, so that one costs the flash 200 bytes and not the
whole history. What the throttle turned away is not in it: a flood must not push out what matters.
"""

from gatelodge import log, store_keys
from gatelodge.owner import earlier
from gatelodge.owner.notices import kind_of

KEPT = 50
LONGEST_BROWSER = 40
FIELDS = {"number", "at", "address", "mac", "browser", "method", "result"}

# What happened. The pages have the words for each.
RESULTS = (
    "signed in",
    "wrong password",
    "wrong code",
    "wrong recovery code",
    "set up",
    "password changed",
    "authenticator added",
    "authenticator renamed",
    "authenticator removed",
    "authenticator restored",
    "two-factor on",
    "two-factor off",
    "recovery codes renewed",
    "browser trusted",
    "trusted browser removed",
    "sessions ended",
    "token created",
    "token revoked",
    "backup made",
    "backup with secrets made",
    "backup restored",
    "router named",
    "firmware installed",  # these three with its version in place of a method
    "firmware switched",
    "firmware failed",
    "locked out",
    "two codes set the clock",
    "recovered at the console",
    "changes undone",
)


def _is_entry(value):
    """Whether it is one, perhaps of a newer firmware, which may tell more."""
    return isinstance(value, dict) and set(value) >= FIELDS and isinstance(value["number"], int)


class History:
    """listener(kind, entry, undo_id): hears of what the owner is to be told elsewhere too (owner/notices.py).
    undo_id: of what undoes it (owner/earlier.py), or None."""

    def __init__(self, keeper):
        self._keeper = keeper
        self.listener = None

    def record(self, visitor, result, method=""):
        """{store key: entry}, to be stored together with what it tells of. `method`: core/signin.py's."""
        if result not in RESULTS:
            raise KeyError(result)
        number = self._count()
        entry = {
            "number": number,
            "at": self._keeper.clock.now() if self._keeper.clock.is_set else None,
            "address": visitor.address,
            "mac": self._mac(visitor.address),
            "browser": visitor.browser[:LONGEST_BROWSER],
            "method": method,
            "result": result,
        }
        return {store_keys.HISTORY_COUNT: number + 1, store_keys.HISTORY % (number % KEPT): entry}

    def add(self, visitor, result, method=""):
        records = self.record(visitor, result, method)
        self._keeper.store.put_many(records)
        self.stored(records)

    def stored(self, records):
        """The records are in the store: tell the listener of an entry among them."""
        if self.listener is None or store_keys.HISTORY_COUNT not in records:
            return
        entry = records[store_keys.HISTORY % ((records[store_keys.HISTORY_COUNT] - 1) % KEPT)]
        kind = kind_of(entry, self.entries)
        if kind is None:
            return
        try:
            self.listener(kind, entry, earlier.told(self._keeper.store, records))
        except Exception as error:  # the change itself stands
            log.exception("owner", "nobody was told elsewhere of: " + entry["result"], error)

    def entries(self, most=KEPT):
        """The last entries, newest first; their shape is store_keys.HISTORY's. TypeError while the count is
        damaged, which the next entry mends."""
        store = self._keeper.store
        count = store.get(store_keys.HISTORY_COUNT, 0)
        numbers = range(count - 1, max(-1, count - 1 - most), -1)
        return self._sound(numbers)

    def _sound(self, numbers):
        """The entries at these places, but for those that are missing or damaged."""
        found = []
        for number in numbers:
            entry = self._keeper.store.get(store_keys.HISTORY % (number % KEPT))
            if _is_entry(entry):
                found.append(entry)
            elif entry is not None:
                log.warning("owner", "entry %d of the history is damaged and left out", number % KEPT)
        return found

    def _count(self):
        """How many entries there ever were. One that is damaged is told by the entries that are left: nobody
        is kept out of the router because its history cannot be read."""
        count = self._keeper.store.get(store_keys.HISTORY_COUNT, 0)
        if isinstance(count, int) and count >= 0:
            return count
        log.warning("owner", "the count of the history is damaged: it goes on from the entries that are left")
        return 1 + max([-1] + [entry["number"] for entry in self._sound(range(KEPT))])

    def _mac(self, address):
        try:
            return self._keeper.mac_of(address)
        except Exception as error:  # the kernel's table is a help, not a condition
            log.debug("owner", "no hardware address for %s: %s", address, error)
            return ""
