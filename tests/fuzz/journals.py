"""The store's reader: a journal opens to what its records say, up to the first that is not whole; what is no
journal is a StoreError and stays as it is.

A sample is a file's bytes. What they say is read here by a reading of its own.
"""

import json
import struct
import zlib

from gatelodge import store
from gatelodge.store import Store, StoreError

from tests.fakes.crashing_files import CrashingFiles
from tests.fuzz import corpora
from tests.fuzz.mutations import mutated

PATH = "flash/journal"
MAGIC = b"GLJRNL1\n"
MOST_BYTES = 65536  # of a record
KEYS = ("a", "b", "key.of.more", "\xe9")
VALUES = (0, 1, -7, 2.5, True, None, "", "x" * 40, "\xe9\n\0", [], [1, {"x": None}], {"y": [2]})

SAMPLES = corpora.samples("journals")
READ_BY = (store,)


def drawn(random):
    """A journal that was kept or has just been written, with its records in disorder, its bytes or both."""
    sample = random.choice(SAMPLES) if random.random() < 0.5 else written(random)
    if random.random() < 0.5:
        sample = disordered(sample, random.choice(SAMPLES), random)
    if random.random() < 0.7:
        sample = mutated(sample, SAMPLES, random)
    return sample


def written(random):
    """What a store writes in up to eight changes, each of which its bytes say at once."""
    files = CrashingFiles()
    journal = Store(files, PATH).open()
    for _ in range(random.randint(0, 8)):
        values = {random.choice(KEYS): random.choice(VALUES) for _ in range(random.randint(0, 2))}
        journal.put_many(values, [random.choice(KEYS)] if random.random() < 0.3 and not values else ())
        assert state_of(bytes_in(files)) == contents(journal), (bytes_in(files), "is not what was put")
    return bytes_in(files)


def disordered(sample, other, random):
    """Whole records that came twice, not at all, in another order, or out of another journal."""
    records, others = records_of(sample), records_of(other)
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(records))
        records = random.choice(
            (
                records[:at] + records[at - 1 : at] + records[at:],
                records[:at] + records[at + 1 :],
                records[at:] + records[:at],
                records[:at] + others[random.randint(0, len(others)) :] + records[at:],
            )
        )
    return MAGIC + b"".join(records)


def judge(sample, _random):
    """What there is in this journal, and what is wrong with it."""
    files = CrashingFiles()
    with files.create(PATH) as file:
        files.write(file, sample)
    said = state_of(sample)
    try:
        journal = Store(files, PATH).open()
    except StoreError:
        assert said is None, (sample, "is a journal and does not open")
        assert bytes_in(files) == sample, (sample, "is no journal and was written to")
        return {"no journal"}
    records = records_of(sample)
    whole = MAGIC + b"".join(records)
    assert same(contents(journal), said), (sample, contents(journal), "is not what its records say", said)
    assert journal.torn == (sample != whole), (sample, journal.torn, "is said of its end")
    again = Store(files, PATH).open()
    assert not again.torn and same(contents(again), said), (sample, "is not what was repaired")
    return {(len(records) > 0, fault_after(sample[len(whole) :])), *orders_in(records)}


def orders_in(records):
    """Which orders of changes there are: a journal in disorder has those that no store writes."""
    orders, present = set(), set()
    for before, record in zip([b"", *records], records, strict=False):
        values, deleted = json.loads(record[8:])
        orders |= {"set again" if key in present else "set" for key in values}
        orders |= {"deleted" if key in present else "deleted what is not there" for key in deleted}
        orders |= {"a record twice"} if record == before else set()
        present = (present | set(values)) - set(deleted)
    return orders


def fault_after(rest):
    """What is wrong with the bytes after the last whole record."""
    if len(rest) < 8:
        return "a part of a header" if rest else "nothing"
    if not rest.strip(b"\0"):
        return "zeros"
    length = struct.unpack("<I", rest[:4])[0]
    if length > MOST_BYTES:
        return "too long a record"
    return "a part of a record" if len(rest) < 8 + length else "a changed record"


def records_of(sample):
    """The whole records from the front: u32 length, u32 CRC-32 of the length and the payload, the payload."""
    records, at = [], len(MAGIC)
    while sample.startswith(MAGIC) and len(sample) >= at + 8:
        length, crc = struct.unpack_from("<II", sample, at)
        end = at + 8 + length
        covered = sample[at : at + 4] + sample[at + 8 : end]
        if length > MOST_BYTES or len(sample) < end or zlib.crc32(covered) != crc:
            break
        records.append(sample[at:end])
        at = end
    return records


def state_of(sample):
    """What the whole records say one after the other; None of what is no journal."""
    if not sample.startswith(MAGIC):
        return None
    state = {}
    for record in records_of(sample):
        values, deleted = json.loads(record[8:])
        state.update(values)
        state = {key: value for key, value in state.items() if key not in deleted}
    return state


def same(one, other):
    """1, 1.0 and true are equal in Python, and are not the same."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def bytes_in(files):
    content = files._names[PATH]
    return content.durable + content.unsynced


def contents(journal):
    return {key: journal.get(key) for key in journal.keys()}  # noqa: SIM118 - a Store is no dict
