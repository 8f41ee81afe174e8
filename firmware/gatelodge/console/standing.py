"""Which router this is, and how far the factory has come with it: what a locked router knows of the bench.

    Standing(store, board, version)    as console/bench.py's Bench, which adds the verbs, has them
"""

from gatelodge import compat, store_keys
from gatelodge.contract.stages import BLANK, IDENTIFIED, KEYED, LOCKED, TESTED


class Standing:
    def __init__(self, store, board, version):
        self._store = store
        self._board = board
        self._version = version
        self._is_tested = False  # of this start: a test is about the router as it is now
        self._started_ms = compat.monotonic_ms()

    @property
    def state(self):
        """One of contract.stages.STATES."""
        if self.is_locked:
            return LOCKED
        if self._store.get(store_keys.IDENTITY) is None:
            return BLANK if self._store.get(store_keys.DEVICE_KEY) is None else KEYED
        return TESTED if self._is_tested else IDENTIFIED

    @property
    def is_locked(self):
        return self._store.get(store_keys.LOCKED, False)

    @property
    def serial_number(self):
        """Or "", before the factory has given it one."""
        return (self._store.get(store_keys.IDENTITY) or {}).get("serial_number", "")

    def status(self):
        """Return (name, value) texts that anybody at the serial line may read."""
        return [
            ("model", self._board["model"]),
            ("firmware", self._version),
            ("serial_number", self.serial_number),
            ("state", self.state),
            # By it a bench sees that a restart was one.
            ("running", "%d ms" % (compat.monotonic_ms() - self._started_ms)),
        ]
