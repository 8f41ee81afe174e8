"""The password and the factors from before the last changes, by which the owner undoes them from the account.

    records = earlier.kept(keeper)              with each change of them, in the same change of the store
    undo_id = earlier.told(store, records)      by which the owner is told of it, or None
    earlier.connected(store, seconds)           the cloud has been there for so long

Kept is what there was before the first of a run of changes. Whoever got in can push nothing out of it: what
they change belongs to the run as well, and so does a release. It ends three days after the owner's account
was last told of a change, in hours with a link to the cloud: no clock that was set, no cable that was pulled
and no restart shortens them. The deed itself is in undoing.py, which is seldom loaded.
"""

from gatelodge import log, store_keys
from gatelodge.contract.errors import GatelodgeError

FACTORS = (store_keys.OWNER, store_keys.AUTHENTICATORS, store_keys.RECOVERY)
LASTS_S = 3 * 24 * 3600
LOOK_S = 3600  # between two times that `connected` is told: 72 small writes for one run
ID_BYTES = 8


def kept(keeper, used=None):
    """Return the records that keep the state before a change, or before the run that it belongs to.

    used: records of the store as this change has used them up, though it stores others."""
    store = keeper.store
    record, owner = store.get(store_keys.UNDO), store.get(store_keys.CLOUD_OWNER)
    now = _present(store, used or {})
    if record is not None and record["before"] is not None:
        record["before"] = unspent(record["before"], now)
    elif owner is not None:
        record = {"id": keeper.entropy(ID_BYTES).hex(), "account_id": owner["account_id"], "before": now}
    else:
        return {}  # nobody is told, and nobody could ask for it
    records = {store_keys.UNDO: record}
    if owner is not None and owner["account_id"] == record["account_id"]:
        records[store_keys.UNDO_AGE] = 0
    return records


def told(store, records):
    """Return the id of what undoes the change that the records are of, for the account that it belongs to."""
    record, owner = records.get(store_keys.UNDO), store.get(store_keys.CLOUD_OWNER)
    if record is None or record["before"] is None or owner is None:
        return None
    return record["id"] if record["account_id"] == owner["account_id"] else None


def unspent(before, now):
    """Return what was before without what was used up since: no code works twice, wherever one goes back to.

    before, now: {key of FACTORS: its value or None}."""
    rows = {row["secret"]: row for row in now[store_keys.AUTHENTICATORS] or ()}
    for row in before[store_keys.AUTHENTICATORS] or ():
        used = rows.get(row["secret"], row)
        row["last_step"] = max(row["last_step"], used["last_step"])
        row["drift_steps"], row["last_used_at"] = used["drift_steps"], used["last_used_at"]
    codes, left = before[store_keys.RECOVERY], now[store_keys.RECOVERY]
    if codes and left and codes["salt"] == left["salt"]:  # the same set
        before[store_keys.RECOVERY] = left
    return before


def connected(store, seconds):
    """Count the time, and forget what has been kept for long enough, in the journal's file too."""
    if not store.has(store_keys.UNDO):
        return
    age_s = store.get(store_keys.UNDO_AGE, 0) + seconds
    try:
        if age_s < LASTS_S:
            store.put(store_keys.UNDO_AGE, age_s)
        else:
            store.put_many({}, (store_keys.UNDO, store_keys.UNDO_AGE))
            store.forget_the_past()
    except GatelodgeError as error:  # the next hour tries again
        log.warning("owner", "what undoes earlier changes is kept for longer: %s", error)


def _present(store, used):
    return {key: used.get(key, store.get(key)) for key in FACTORS}
