"""Updates by the owner: a signed bundle into the slot that does not run, the start into it, and the way back.

    updates = owner.updates(Place(...))
    version = await updates.take(upload, visitor, takes_older, turn)
    updates.switch(visitor)        # the other slot's firmware is next, on trial
    updates.settle()               # by the daemon, once it serves: what became of the last update
    updates.told()                 # for the page

The slot that runs is never touched, and the other one not before the bundle was checked to its last byte.
What does it is in updating.py and gatelodge/install.py, which are loaded for it and unloaded afterwards.
Everything raises SigninError of the field "bundle" or "form". The caller has asked for proof.
"""

from collections import namedtuple

from gatelodge import compat, store_keys
from gatelodge.compat import json
from gatelodge.core import slots
from gatelodge.refusals import refusal

# root: the writable directory. slot, version: what runs. release_key: hex, of board.json. free_kb(): of the
# flash, or None where nobody knows.
Place = namedtuple("Place", ("root", "slot", "version", "release_key", "free_kb"))

# States of store_keys.UPDATE.
WAITING = "waiting"  # for a start
DONE = "done"
FAILED = "failed"

MOST_BYTES = 5 << 20  # of a bundle: contract/bundle.py's MAX_BYTES, and the headers of as many files
RESERVE_KB = 256  # of the flash, for the store and the log

# running: version. other: that of the other slot, or None. can_switch: whether that may be started. update:
# store_keys.UPDATE, or None.
Told = namedtuple("Told", ("running", "other", "can_switch", "update"))


class Updates:
    def __init__(self, keeper, place):
        self.keeper = keeper
        self.place = place
        self.is_busy = False
        self.other = ()  # (version of the other slot or None,) once it was read

    @property
    def other_slot(self):
        return self.place.root + "/slots/" + slots.other(self.place.slot)

    @property
    def incoming(self):
        return self.place.root + "/upload.tar"

    def told(self):
        record = self.keeper.store.get(store_keys.UPDATE)
        other = None if self.is_busy else self._other_version()
        is_bad = record is not None and record["state"] == FAILED and record["version"] == other
        if record is not None and not self._is_current(record):
            record = None
        return Told(self.place.version, other, other is not None and not is_bad, record)

    def _is_current(self, record):
        """Whether what runs is what it led to: the bench, or a slot that failed later, ends that."""
        return record["version" if record["state"] == DONE else "before"] == self.place.version

    def check_room(self, length):
        """Refuse what need not be sent: one beside another, or too large a file."""
        if self.is_busy:
            raise refusal("update_busy")
        if length > MOST_BYTES:
            raise refusal("bundle_not_one")
        free_kb = self.place.free_kb()
        # Twice: as it comes, and unpacked. That the other slot is emptied in between is not counted on.
        if free_kb is not None and free_kb < RESERVE_KB + 2 * length // 1024:
            raise refusal("update_room")

    async def take(self, upload, visitor, takes_older, turn):
        """Return the version that is on trial from the next start on. upload: .length, and await .piece().
        turn(): called whenever others may have been answered meanwhile. It sets the reader's language, and
        raises SigninError once who asked may not any more."""
        self.check_room(upload.length)
        from gatelodge.owner import updating

        self.is_busy, self.other = True, ()
        try:
            return await updating.take(self, upload, visitor, takes_older, turn)
        finally:
            self.is_busy = False
            self.forget_incoming()
            compat.unload(updating.MODULES)

    def switch(self, visitor):
        """The other slot's firmware is next; returns its version. What waits for its start goes on to."""
        told = self.told()
        if not told.can_switch:
            raise refusal("update_none")
        if told.update is None or told.update["state"] != WAITING:
            from gatelodge.owner import updating

            updating.put_on_trial(self, visitor, told.other, "firmware switched")
            compat.unload(updating.MODULES)
        return told.other

    def settle(self):
        """The daemon serves, so this start stands: what was waiting has come, or will not."""
        self.forget_incoming()
        record = self.keeper.store.get(store_keys.UPDATE)
        if record is not None and record["state"] == WAITING:
            from gatelodge.owner import updating

            updating.settle(self, record)
            compat.unload(updating.MODULES)

    def forget_incoming(self):
        if compat.exists(self.incoming):
            compat.remove(self.incoming)

    def _other_version(self):
        if not self.other:
            self.other = (_version(self.other_slot + "/manifest.json"),)
        return self.other[0]


def _version(path):
    """As the loader reads it; None where there is no whole firmware."""
    try:
        with open(path) as file:
            return json.loads(file.read())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
