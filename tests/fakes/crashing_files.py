"""A file system in memory that loses power at a chosen step, and then shows all that may have survived.

    files = CrashingFiles(crash_at=7)          # the 7th write, sync, rename ... raises PowerLost
    for survivor in files.survivors(): ...     # a CrashingFiles each, as the next boot may find it

What a power cut may leave: of the data that was not synced, any number of bytes from the front, the rest
gone, or all of it read as zeros; of the changes of names that were not synced, any number from the first.
What was synced is there.
"""


class PowerLost(BaseException):
    """Not an Exception: nothing in the code under test may handle it."""


PIECE_BYTES = 4096


class _Content:
    """One file: the bytes a power cut cannot take, and those it can.

    The first are kept in pieces: a small heap has no room to copy a long journal for each record."""

    def __init__(self, durable=b""):
        self._pieces = [durable]
        self.unsynced = b""

    @property
    def durable(self):
        return b"".join(self._pieces)

    @durable.setter
    def durable(self, data):
        self._pieces = [data]

    def sync(self):
        if len(self._pieces[-1]) < PIECE_BYTES:
            self._pieces[-1] += self.unsynced
        else:
            self._pieces.append(self.unsynced)
        self.unsynced = b""

    def survivals(self):
        for length in range(len(self.unsynced) + 1):
            yield self.durable + self.unsynced[:length]
        if self.unsynced:
            yield self.durable + bytes(len(self.unsynced))


class _Handle:
    def __init__(self, content):
        self.content = content
        self.position = 0

    def read(self, length):
        data = (self.content.durable + self.content.unsynced)[self.position : self.position + length]
        self.position += len(data)
        return data

    def close(self):
        """Closing syncs nothing."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.close()


class CrashingFiles:
    """The seam of gatelodge.store.FlashFiles. `crash_at` counts its changes from 1; None never crashes."""

    def __init__(self, names=None, crash_at=None):
        self._synced_names = dict(names or {})
        self._names = dict(self._synced_names)
        self._name_changes = []  # snapshots after each change since the last sync_directory
        self.crash_at = crash_at
        self.steps = 0

    def _step(self):
        self.steps += 1
        if self.steps == self.crash_at:
            raise PowerLost()

    def _renamed(self):
        self._name_changes.append(dict(self._names))
        self._step()

    def open(self, path):
        return _Handle(self._names[path]) if path in self._names else None

    def create(self, path):
        self._names[path] = _Content()
        self._renamed()
        return _Handle(self._names[path])

    def append(self, path):
        return _Handle(self._names[path])

    def write(self, file, data):
        file.content.unsynced += data
        self._step()

    def sync(self, file):
        self._step()  # power may go before the last byte is down
        file.content.sync()

    def rename(self, old, new):
        self._names[new] = self._names.pop(old)
        self._renamed()

    def remove(self, path):
        if self._names.pop(path, None) is not None:
            self._renamed()

    def sync_directory(self, path):
        self._step()
        self._synced_names, self._name_changes = dict(self._names), []

    def make_directory(self, path):
        """There is one directory."""

    def survivors(self):
        """Every state that the flash may be in now, each with no crash planned."""
        for names in [self._synced_names] + self._name_changes:
            for files in _combinations(sorted(names.items())):
                yield CrashingFiles({path: _Content(data) for path, data in files})


def _combinations(items):
    """Every way in which the files may have survived, as lists of (path, bytes)."""
    if not items:
        yield []
        return
    path, content = items[0]
    for rest in _combinations(items[1:]):
        for data in content.survivals():
            yield [(path, data)] + rest
