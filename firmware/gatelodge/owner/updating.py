"""What updates.py does seldom, and loads this for: take a bundle, put a slot on trial, settle the outcome."""

import asyncio

from gatelodge import install, log, store_keys
from gatelodge.contract import bundle
from gatelodge.contract.errors import BenchError, BundleError
from gatelodge.core import slots
from gatelodge.core.signin import Visitor
from gatelodge.refusals import refusal

MODULES = ("gatelodge.owner.updating",) + install.MODULES  # which the daemon need not keep
NOBODY = Visitor("", "", "")  # the router itself


async def take(updates, upload, visitor, takes_older, turn):
    """updates: Updates; the rest as its `take` has it."""
    try:
        received = await _received(updates, upload, turn)
        version, running = received.manifest["version"], updates.place.version
        if not takes_older and _is_older(version, running):
            raise refusal("update_older", version, running)
        await _unpack(updates, received, turn)
        put_on_trial(updates, visitor, version, "firmware installed")
        return version
    except BundleError as error:
        log.warning("owner", "an update was refused: %s", error)
        turn()
        raise refusal("bundle_" + error.why.replace(" ", "_"))
    except (BenchError, OSError) as error:
        log.warning("owner", "an update could not be written: %s", error)
        turn()
        raise refusal("update_room")


async def _received(updates, upload, turn):
    """The bundle, checked to its last byte."""
    with open(updates.incoming, "wb") as file:
        piece = await upload.piece()
        while piece:
            turn()
            file.write(piece)
            piece = await upload.piece()
    received = install.Received(updates.incoming, updates.place.release_key)
    await _through(received.check(), turn)
    return received


async def _unpack(updates, received, turn):
    updates.keeper.store.delete(store_keys.UPDATE)  # what waited in that slot for its start will not
    await _through(received.unpack(updates.other_slot), turn)


async def _through(steps, turn):
    try:
        for _ in steps:
            await asyncio.sleep(0)
            turn()
    finally:
        steps.close()  # else MicroPython keeps its file open, and the flash taken, until the next collection


def _is_older(version, running):
    try:
        return bundle.version_key(version) < bundle.version_key(running)
    except BundleError:  # a developer's: nothing is older than that
        return False


def put_on_trial(updates, visitor, version, result):
    """The other slot is next. result: of owner.history."""
    place, keeper = updates.place, updates.keeper
    install.put_on_trial(place.root, place.slot)
    record = {"version": version, "before": place.version, "slot": slots.other(place.slot)}
    record.update({"state": "waiting", "at": keeper.clock.now() if keeper.clock.is_set else None})
    records = keeper.history.record(visitor, result, version)
    records[store_keys.UPDATE] = record
    keeper.keep(records)
    log.warning("owner", "%s: %s, which waits for its start", result, version)


def settle(updates, record):
    """record: what waited for the start that this one may be."""
    keeper, version = updates.keeper, record["version"]
    has_come = record["slot"] == updates.place.slot
    record["state"] = "done" if has_come else "failed"
    records = {} if has_come else keeper.history.record(NOBODY, "firmware failed", version)
    records[store_keys.UPDATE] = record
    keeper.keep(records)
    log.warning("owner", "firmware %s has come" if has_come else "firmware %s did not start", version)
