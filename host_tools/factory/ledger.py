"""The factory's ledger: an SQLite file that only grows, each entry chained to the one before by a hash.

    ledger = Ledger(factory / "ledger.db", station="bench 1")
    ledger.append("revoked", serial_number="GL2647000001", reason="lost in the mail")
    for entry in ledger.entries(kind="unit"): ...
    ledger.verify()                                     # Head(count, hash); raises ToolError

An entry is a JSON object. Its bytes are stored as they were hashed (chain.py), and never made again from
their parts.

Every entry has `kind`, `at` (unix seconds) and `station`; what else it has is up to its kind (records.py and
README.md). `append` returns when the entry is on the disk. Several processes of one computer may share the
file: SQLite's write-ahead log needs their shared memory, which a network file system has not.

Triggers refuse changes, removals and forks; the chain finds what was changed beside SQLite. An end that was
cut off, or an older copy, is a valid chain, too: it lacks the head in the file beside it (anchor.py). Who can
change both is found by a head that was written down elsewhere, `gatelodge ledger verify --expect`.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import ledger_clock, ledger_file
from host_tools.factory.anchor import Anchor
from host_tools.factory.chain import NOTHING, Entry, Head, canonical, chained

LEDGER_FILE = "ledger.db"
REMEDY_DAMAGED = (
    "stop the benches, keep this file, put the newest copy that verifies in its place, "
    "and remove ledger.head if no copy holds it"
)
REMEDY_READ_ONLY = "become who may write there; to look only, copy it into a folder of yours"
REMEDIES = {
    sqlite3.SQLITE_BUSY: "end the program that holds it, then run this again",
    sqlite3.SQLITE_CORRUPT: REMEDY_DAMAGED,
    sqlite3.SQLITE_NOTADB: "check its name, it is no ledger",
    sqlite3.SQLITE_READONLY: REMEDY_READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: REMEDY_READ_ONLY,
}
PRIMARY = 0xFF  # of a result code: the rest says more of the same (sqlite.org/rescode.html)


class Ledger:
    """Holds no connection between calls: any thread may use it. Raises ToolError (exit status LEDGER)."""

    def __init__(self, path: Path, station: str = "bench", clock: Callable[[], float] = time.time):
        self.path = path
        self.station = station
        self._clock = clock
        self._anchor = Anchor(path)

    @classmethod
    def existing(cls, path: Path, station: str = "bench") -> "Ledger":
        """One to read: it is not made when it is not there. Raises ToolError."""
        if not path.is_file():
            raise ToolError(f"there is no ledger {path}", "check its name", exit_codes.LEDGER)
        return cls(path, station)

    @property
    def has_head(self) -> bool:
        return self._anchor.head() is not None

    # --- writing ---

    def append(self, kind: str, **fields: Any) -> Entry:
        """Return the entry, which is on the disk."""
        with self.appending() as transaction:
            return transaction.append(kind, **fields)

    @contextlib.contextmanager
    def appending(self) -> Iterator["Transaction"]:
        """Look and append as one: nobody else writes meanwhile. On the disk when the block has ended."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                self._check_anchor(database)
                yield Transaction(database, self.station, self._clock)
                head = last_head(database)
                database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise
        self._anchor.advance(head)

    def check_clock(self) -> None:
        """Raises ToolError where `append` would: before a bench has touched a router."""
        with self._open() as database:
            ledger_clock.check(self._clock(), newest_at(database))

    # --- reading ---

    def entries(self, kind: str | None = None, serial_number: str | None = None) -> list[Entry]:
        """All of them in their order; or those of a kind, of a router."""
        with self._open() as database:
            return list(select(database, kind=kind, serial_number=serial_number))

    def walk(self, kind: str | None = None, after: int = 0) -> Iterator[Entry]:
        """The same of a ledger of any size, after a sequence number: one by one, as of the first's moment."""
        with self._open() as database:
            yield from select(database, kind=kind, after=after)

    def verify(self, expect: Head | None = None) -> Head:
        """Check every byte of the chain. Raises ToolError, which names the first entry that is wrong.

        `expect`: an earlier head of this ledger, which must be in it, as must the one in the file beside it.
        """
        expected = [one for one in (expect, self._anchor.head()) if one is not None]
        with self._open() as database:
            database.execute("BEGIN")  # one moment of a file that others append to
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise self._damaged(f"SQLite finds it damaged ({found})")
            self._check_shape(ledger_file.shape(database))
            head = Head(0, NOTHING.hex())
            for head in self._heads(database):
                for one in expected:
                    if head.count == one.count:
                        self._check_expected(head, one)
        for one in expected:
            if head.count < one.count:
                raise self._cut_off(head.count, one)
        return head

    # --- parts ---

    def _heads(self, database: sqlite3.Connection) -> Iterator[Head]:
        """Walk the chain: what its head was after each entry."""
        last = NOTHING
        rows = "SELECT sequence, previous, hash, CAST(body AS BLOB) FROM entry ORDER BY sequence"
        for count, (sequence, previous, kept, body) in enumerate(database.execute(rows), 1):
            if sequence != count:
                raise self._damaged(f"entry {count} is not there")
            if previous != last or kept != chained(last, body):
                raise self._damaged(f"entry {count} is not the one that was written")
            last = kept
            yield Head(count, last.hex())

    def _check_anchor(self, database: sqlite3.Connection) -> None:
        """Refuse to go on with an older copy: it would give its serial numbers again."""
        kept = self._anchor.head()
        if kept is None or kept.count == 0:
            return
        row = database.execute("SELECT hash FROM entry WHERE sequence = ?", (kept.count,)).fetchone()
        if row is None:
            raise self._cut_off(last_head(database).count, kept)
        self._check_expected(Head(kept.count, row[0].hex()), kept)

    def _cut_off(self, count: int, expected: Head) -> ToolError:
        return self._damaged(f"its end was cut off: {expected.count} entries were there, {count} are")

    def _check_expected(self, head: Head, expect: Head) -> None:
        if head.hash != expect.hash:
            raise self._damaged(f"entry {head.count} is another one than was there, with all that follows it")

    def _check_version(self, found: int) -> None:
        if found != ledger_file.VERSION:
            raise self._damaged(f"it is of version {found}, and these tools know {ledger_file.VERSION}")

    def _check_shape(self, found: dict[str, str]) -> None:
        for name, statement in ledger_file.right_shape().items():
            if found.get(name) != statement:
                raise self._damaged(f"its {name} was changed or removed")

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = ledger_file.connect(self.path)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error
        try:
            self._check_version(ledger_file.version(database))
            yield database
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            database.close()

    def _damaged(self, reason: str) -> ToolError:
        wrong = f"the ledger {self.path} cannot be trusted: {reason}"
        return ToolError(wrong, REMEDY_DAMAGED, exit_codes.LEDGER)

    def _unusable(self, error: Exception) -> ToolError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        remedy = REMEDIES.get(code & PRIMARY, "check that the disk has space and that you may write there")
        return ToolError(f"the ledger {self.path} cannot be used ({error})", remedy, exit_codes.LEDGER)


class Transaction:
    """What `Ledger.appending` gives: the entries as they are, and no other writer until the block ends."""

    def __init__(self, database: sqlite3.Connection, station: str, clock: Callable[[], float]):
        self._database = database
        self._station = station
        self._clock = clock

    def append(self, kind: str, **fields: Any) -> Entry:
        at = round(self._clock(), 3)
        if kind != ledger_clock.CLOCK:
            ledger_clock.check(at, newest_at(self._database))
        fields = {"kind": kind, "at": at, "station": self._station, **fields}
        body = canonical(fields)
        sequence, previous = _last(self._database)
        found = chained(previous, body)
        row = (sequence + 1, previous, found, body.decode("ascii"))
        self._database.execute("INSERT INTO entry (sequence, previous, hash, body) VALUES (?, ?, ?, ?)", row)
        return Entry(sequence + 1, found.hex(), json.loads(body))

    def entries(self, **where: Any) -> list[Entry]:
        return list(self.walk(**where))

    def walk(self, **where: Any) -> Iterator[Entry]:
        return select(self._database, **where)

    def highest_count(self) -> int:
        """Of all serial numbers: their last six digits."""
        count = "max(CAST(substr(serial_number, -6) AS INTEGER))"  # in the words of its index
        highest = f"SELECT {count} FROM entry INDEXED BY entry_by_count WHERE kind IN ('named', 'unit')"
        return self._database.execute(highest).fetchone()[0] or 0


def _last(database: sqlite3.Connection) -> tuple[int, bytes]:
    """(sequence, hash) of the newest entry."""
    newest = "SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1"
    return database.execute(newest).fetchone() or (0, NOTHING)


def newest_at(database: sqlite3.Connection) -> float:
    newest = "SELECT json_extract(body, '$.at') FROM entry ORDER BY sequence DESC LIMIT 1"
    return (database.execute(newest).fetchone() or (float("-inf"),))[0]


def last_head(database: sqlite3.Connection) -> Head:
    sequence, found = _last(database)
    return Head(sequence, found.hex())


def select(
    database: sqlite3.Connection,
    kind: str | None = None,
    serial_number: str | None = None,
    public_key: str | None = None,
    after: int = 0,
) -> Iterator[Entry]:
    """The entries whose columns are as given; None does not matter."""
    columns = {"kind": kind, "serial_number": serial_number, "public_key": public_key}
    wanted = {name: value for name, value in columns.items() if value is not None}
    condition = "".join(f" AND {name} = ?" for name in wanted)
    rows = f"SELECT sequence, hash, body FROM entry WHERE sequence > ?{condition} ORDER BY sequence"
    for sequence, found, body in database.execute(rows, (after, *wanted.values())):
        yield Entry(sequence, found.hex(), json.loads(body))
