"""Factory reset: the router becomes nobody's, as if it came out of its box, in the journal's file too.

What is wiped is everything but store_keys.KEPT_AT_RESET: whatever a later firmware keeps of an owner is the
owner's until somebody says otherwise. The label's service code works afterwards, and the cloud hears of the
reset at the next hello (contract/messages.py), for it has to let go of the router too.
"""

from gatelodge import log, store_keys
from gatelodge.contract.errors import GatelodgeError

ID_BYTES = 8


class Reset:
    def __init__(self, keeper):
        self._keeper = keeper

    def wipe(self, by):
        """Forget the owner, in one change of the store. `by`: who asked, for the log.

        The caller starts the daemon again: other parts may still hold what was the owner's."""
        keeper = self._keeper
        left, present = store_keys.KEPT_AT_RESET + (store_keys.CLOUD_RESET,), keeper.store.keys()
        owned = [key for key in present if key not in left]
        keeper.store.put_many({store_keys.CLOUD_RESET: keeper.entropy(ID_BYTES).hex()}, owned)
        keeper.forget()
        try:
            keeper.store.forget_the_past()  # the owner's secrets stand in it, though nothing reads them
        except GatelodgeError as error:
            log.warning("owner", "%s", error)
        log.warning("owner", "this router was reset by %s: it has no owner now", by)
