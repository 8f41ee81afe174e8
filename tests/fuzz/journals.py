"""The store's reader: a journal that was damaged opens to an older state of it, or is a StoreError."""

from gatelodge.store import MAGIC, Store, StoreError

from tests.fakes.crashing_files import CrashingFiles
from tests.fuzz.mutations import DAMAGES, damaged, mutated

PATH = "flash/journal"
KEYS = ("a", "b", "key.of.more", "\xe9")
VALUES = (0, 1, -7, 2.5, True, None, "", "x" * 40, "\xe9\n\0", [], [1, {"x": None}], {"y": [2]})


class Journal:
    """A journal that a store has written, and its state after each record."""

    def __init__(self, random):
        self.files = CrashingFiles()
        store = Store(self.files, PATH).open()
        self.states, self.ends = [contents(store)], [len(self.data)]
        for _ in range(random.randint(0, 8)):
            values = {random.choice(KEYS): random.choice(VALUES) for _ in range(random.randint(0, 2))}
            store.put_many(values, [random.choice(KEYS)] if random.random() < 0.3 and not values else ())
            if len(self.data) > self.ends[-1]:
                self.states.append(contents(store))
                self.ends.append(len(self.data))

    @property
    def data(self):
        content = self.files._names[PATH]
        return content.durable + content.unsynced

    def state_until(self, damage):
        """The state of the records that end before the first byte which is another."""
        pairs = zip(self.data, damage, strict=False)
        same = next((at for at, pair in enumerate(pairs) if pair[0] != pair[1]), None)
        same = min(len(self.data), len(damage)) if same is None else same
        return self.states[sum(end <= same for end in self.ends) - 1]


def attempt(_number, random):
    journal, other = Journal(random), Journal(random)
    damage = damaged(journal.data, random.choice(DAMAGES), random)
    found = opened(damage)
    assert found in (None, journal.state_until(damage)), (damage, found, "is no older state")
    assert (found is None) == (not damage.startswith(MAGIC)), (damage, "opens though it is no journal")
    mixed = mutated(journal.data, [journal.data, other.data], random)
    written = {(key, repr(state[key])) for state in journal.states + other.states for key in state}
    for key, value in (opened(mixed) or {}).items():
        assert (key, repr(value)) in written, (mixed, key, value, "was never written")


def opened(data):
    """The state, and that it is the same when opened again; None for a StoreError."""
    files = CrashingFiles()
    with files.create(PATH) as file:
        files.write(file, data)
    try:
        found = contents(Store(files, PATH).open())
    except StoreError:
        return None
    again = Store(files, PATH).open()
    assert not again.torn and contents(again) == found, (data, "is not what was repaired")
    return found


def contents(store):
    return {key: store.get(key) for key in store.keys()}  # noqa: SIM118 - a Store is no dict
