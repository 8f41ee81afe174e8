"""Going back to the password and the factors that earlier.py kept, at the owner's word in the account.

    is_undone = undo(keeper, security, args)    args of the command `undo`. Loaded when it is asked for

This router decides, not the cloud: by an id that it told the owner's account itself, for that account only,
and only while it keeps anything. All that can come back is what the owner had here.
"""

from gatelodge import log, store_keys
from gatelodge.contract.errors import GatelodgeError
from gatelodge.core.signin import Visitor
from gatelodge.owner import earlier

MODULES = ("gatelodge.owner.undoing",)
CLOUD = Visitor("cloud", "", "")


def undo(keeper, security, args):
    """Return whether the run of changes is undone, now or by the same word before."""
    store = keeper.store
    record = store.get(store_keys.UNDO)
    asked = (args["undo_id"], args["account_id"])
    if record is None or (record["id"], record["account_id"]) != asked:
        log.warning("owner", "the account asked to undo changes of which nothing is kept here")
        return False
    if record["before"] is None:
        return True  # the answer was lost on its way
    before = earlier.unspent(record["before"], {key: store.get(key) for key in earlier.FACTORS})
    records = {key: value for key, value in before.items() if value is not None}
    absent = tuple([key for key in before if before[key] is None])
    records[store_keys.UNDO] = dict(record, before=None)
    security.take_over(records, CLOUD, "changes undone", absent)
    log.warning("owner", "the password and the factors are those from before the last changes again")
    _forget_the_others(store)
    return True


def _forget_the_others(store):
    """What somebody else had put in their place stands in the journal's file still."""
    try:
        store.forget_the_past()
    except GatelodgeError as error:
        log.warning("owner", "%s", error)
