"""Updates by the owner: a signed bundle into the slot that does not run, the start into it, and the way back.

    updates = owner.updates(Place(...))
    version = await updates.take(upload, visitor, takes_older, speak_again)
    updates.switch(visitor)        # the other slot's firmware is next, on trial
    updates.settle()               # by the daemon, once it serves: what became of the last update
    updates.told()                 # for the page

The slot that runs is never touched, and the other one not before the bundle was checked to its last byte
(gatelodge/install.py, which is loaded for that alone). Everything raises SigninError of the field "bundle" or
"form". The caller has asked for proof.
"""

import asyncio
from collections import namedtuple

from gatelodge import compat, log, store_keys
from gatelodge.compat import json
from gatelodge.contract.errors import BenchError, BundleError
from gatelodge.core import slots
from gatelodge.core.signin import Visitor
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
NOBODY = Visitor("", "", "")  # the router itself

# running: version. other: that of the other slot, or None. can_switch: whether that may be started. update:
# store_keys.UPDATE, or None.
Told = namedtuple("Told", ("running", "other", "can_switch", "update"))


class Updates:
    def __init__(self, keeper, place):
        self._keeper = keeper
        self._place = place
        self._is_busy = False
        self._other = ()  # (version or None,) once it was read

    @property
    def _other_slot(self):
        return self._place.root + "/slots/" + slots.other(self._place.slot)

    @property
    def _incoming(self):
        return self._place.root + "/upload.tar"

    def told(self):
        record = self._keeper.store.get(store_keys.UPDATE)
        other = None if self._is_busy else self._other_version()
        is_bad = record is not None and record["state"] == FAILED and record["version"] == other
        return Told(self._place.version, other, other is not None and not is_bad, record)

    def check_room(self, length):
        """Refuse what need not be sent: too large a file, or one beside another, or one too many."""
        if self._is_busy:
            raise refusal("update_busy")
        if length > MOST_BYTES:
            raise refusal("bundle_not_one")
        free_kb = self._place.free_kb()
        # Twice: as it comes, and unpacked. That the other slot is emptied in between is not counted on.
        if free_kb is not None and free_kb < RESERVE_KB + 2 * length // 1024:
            raise refusal("update_room")

    async def take(self, upload, visitor, takes_older, speak_again):
        """Return the version that is on trial from the next start on. upload: .length, and await .piece().
        speak_again(): sets the reader's language, as others are answered meanwhile."""
        self.check_room(upload.length)
        from gatelodge import install  # seldom wanted

        self._is_busy, self._other = True, ()
        try:
            received = await self._received(install, upload)
            version = received.manifest["version"]
            if not takes_older and self._is_older(install, version):
                speak_again()
                raise refusal("update_older", version, self._place.version)
            await self._unpacked(received)
            self._put_on_trial(install, visitor, version, "firmware installed")
            return version
        except BundleError as error:
            log.warning("owner", "an update was refused: %s", error)
            speak_again()
            raise refusal("bundle_" + error.why.replace(" ", "_"))
        except (BenchError, OSError) as error:
            log.warning("owner", "an update could not be written: %s", error)
            speak_again()
            raise refusal("update_room")
        finally:
            self._is_busy = False
            self._forget_incoming()
            compat.unload(install.MODULES)

    async def _received(self, install, upload):
        """The bundle, checked to its last byte."""
        with open(self._incoming, "wb") as file:
            piece = await upload.piece()
            while piece:
                file.write(piece)
                piece = await upload.piece()
        received = install.Received(self._incoming, self._place.release_key)
        for _ in received.check():
            await asyncio.sleep(0)
        return received

    async def _unpacked(self, received):
        self._keeper.store.delete(store_keys.UPDATE)  # what waited in that slot for its start will not
        for _ in received.unpack(self._other_slot):
            await asyncio.sleep(0)

    def _is_older(self, install, version):
        try:
            running = install.bundle.version_key(self._place.version)
        except BundleError:  # a developer's: nothing is older than that
            return False
        return install.bundle.version_key(version) < running

    def switch(self, visitor):
        """The other slot's firmware is next. Where it waits for its start already, nothing changes."""
        told = self.told()
        if not told.can_switch:
            raise refusal("update_none")
        if told.update is not None and told.update["state"] == WAITING:
            return told.other
        from gatelodge import install

        try:
            self._put_on_trial(install, visitor, told.other, "firmware switched")
        finally:
            compat.unload(install.MODULES)
        return told.other

    def _put_on_trial(self, install, visitor, version, result):
        place, keeper = self._place, self._keeper
        install.put_on_trial(place.root, place.slot)
        record = {"version": version, "before": place.version, "slot": slots.other(place.slot)}
        record.update({"state": WAITING, "at": keeper.clock.now() if keeper.clock.is_set else None})
        records = keeper.history.record(visitor, result, version)
        records[store_keys.UPDATE] = record
        keeper.keep(records)
        log.warning("owner", "firmware %s waits for its first start: %s", version, result)

    def settle(self):
        """The daemon serves, so this start stands: what was waiting has come, or will not."""
        self._forget_incoming()
        record = self._keeper.store.get(store_keys.UPDATE)
        if record is None or record["state"] != WAITING:
            return
        has_come = record["slot"] == self._place.slot
        record["state"] = DONE if has_come else FAILED
        history, version = self._keeper.history, record["version"]
        records = {} if has_come else history.record(NOBODY, "firmware failed", version)
        records[store_keys.UPDATE] = record
        self._keeper.keep(records)
        told = "firmware %s has come" if has_come else "firmware %s did not start, and was left"
        log.warning("owner", told, version)

    def _other_version(self):
        if not self._other:
            self._other = (_version(self._other_slot + "/manifest.json"),)
        return self._other[0]

    def _forget_incoming(self):
        if compat.exists(self._incoming):
            compat.remove(self._incoming)


def _version(path):
    """As the loader reads it; None where there is no whole firmware."""
    try:
        with open(path) as file:
            return json.loads(file.read())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
