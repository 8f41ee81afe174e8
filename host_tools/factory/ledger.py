"""The factory's ledger: an SQLite file that only grows, each entry chained to the one before by a hash.

    ledger = Ledger(factory / "ledger.db", station="bench 1")
    ledger.append("revoked", serial_number="GL2647000001", reason="lost in the mail")
    for entry in ledger.entries(kind="unit"): ...
    ledger.verify()                                     # Head(count, hash); raises ToolError

An entry is a JSON object in canonical bytes: keys sorted, no spaces, ASCII. The bytes are stored as they were
hashed, and never made again from their parts:

    hash = SHA-256("gatelodge ledger 1\\n" + hash of the entry before + bytes)     the first follows 32 zeros

Every entry has `kind`, `at` (unix seconds) and `station`; what else it has is up to its kind (records.py and
README.md). `append` returns when the entry is on the disk. Several processes of one computer may share the
file: SQLite's write-ahead log needs their shared memory, which a network file system has not.

Triggers refuse changes, removals and forks; the chain finds what was changed beside SQLite. An end that was
cut off leaves a valid chain: write the head down elsewhere, `gatelodge ledger verify --expect` looks for it.
"""

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import ledger_file

LEDGER_FILE = "ledger.db"
DOMAIN = b"gatelodge ledger 1\n"
NOTHING = bytes(32)  # what the first entry follows
NO_LIMIT = -1  # SQLite's own
LONGEST_BODY = 256 * 1024  # bytes; a report of eleven steps takes 4 KB
# What is entered once can never be taken out again.
SECRETS = frozenset(("service_code", "private_key", "passphrase", "label_text"))


class Entry(NamedTuple):
    sequence: int
    hash: str  # hex
    fields: dict[str, Any]


class Head(NamedTuple):
    count: int  # type: ignore[assignment]  # of the entries; tuple.count is of no use here
    hash: str  # hex; of the last entry


class Ledger:
    """Holds no connection between calls: any thread may use it. Raises ToolError (exit status LEDGER)."""

    def __init__(self, path: Path, station: str = "bench", clock: Callable[[], float] = time.time):
        self.path = path
        self.station = station
        self._clock = clock

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
                yield Transaction(database, self.station, self._clock)
                database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise

    # --- reading ---

    def entries(
        self, kind: str | None = None, serial_number: str | None = None, limit: int = NO_LIMIT
    ) -> list[Entry]:
        """All of them in their order; or those of a kind, of a router; or the first few of them."""
        with self._open() as database:
            return select(database, kind=kind, serial_number=serial_number, limit=limit)

    def verify(self) -> Head:
        """Check every byte of the chain. Raises ToolError, which names the first entry that is wrong."""
        with self._open() as database:
            database.execute("BEGIN")  # one moment of a file that others append to
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise self._damaged(f"SQLite finds it damaged ({found})")
            self._check_shape(ledger_file.shape(database))
            last, count = NOTHING, 0
            for sequence, previous, kept, body in database.execute(
                "SELECT sequence, previous, hash, CAST(body AS BLOB) FROM entry ORDER BY sequence"
            ):
                count += 1
                if sequence != count:
                    raise self._damaged(f"entry {count} is not there")
                if previous != last or kept != chained(last, body):
                    raise self._damaged(f"entry {count} is not the one that was written")
                last = kept
        return Head(count, last.hex())

    # --- parts ---

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
        remedy = "stop the benches, and compare it with a copy"
        return ToolError(f"the ledger {self.path} cannot be trusted: {reason}", remedy, exit_codes.LEDGER)

    def _unusable(self, error: Exception) -> ToolError:
        remedy = "check that the disk has space and that you may write there, then run this again"
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            remedy = "end the program that holds it, then run this again"
        return ToolError(f"the ledger {self.path} cannot be used ({error})", remedy, exit_codes.LEDGER)


class Transaction:
    """What `Ledger.appending` gives: the entries as they are, and no other writer until the block ends."""

    def __init__(self, database: sqlite3.Connection, station: str, clock: Callable[[], float]):
        self._database = database
        self._station = station
        self._clock = clock

    def append(self, kind: str, **fields: Any) -> Entry:
        at = round(self._clock(), 3)
        fields = {"kind": kind, "at": at, "station": self._station, **fields}
        body = canonical(fields)
        last = "SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1"
        sequence, previous = self._database.execute(last).fetchone() or (0, NOTHING)
        found = chained(previous, body)
        row = (sequence + 1, previous, found, body.decode("ascii"))
        self._database.execute("INSERT INTO entry (sequence, previous, hash, body) VALUES (?, ?, ?, ?)", row)
        return Entry(sequence + 1, found.hex(), json.loads(body))

    def entries(self, **where: Any) -> list[Entry]:
        return select(self._database, **where)

    def highest_count(self) -> int:
        """Of all serial numbers: their last six digits."""
        highest = "SELECT max(CAST(substr(serial_number, -6) AS INTEGER)) FROM entry"
        row = self._database.execute(highest + " WHERE kind IN ('named', 'unit')").fetchone()
        return row[0] or 0


def canonical(fields: dict[str, Any]) -> bytes:
    """Return the bytes of an entry. Raises ToolError for what no entry may hold."""
    secret = SECRETS.intersection(_names(fields))
    if secret:
        raise ToolError(f"an entry would hold the secret {min(secret)}", "leave it out", exit_codes.LEDGER)
    try:
        body = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (TypeError, ValueError) as error:
        raise ToolError(f"an entry cannot be written ({error})", "leave it out", exit_codes.LEDGER) from error
    if len(body) > LONGEST_BODY:
        wrong = f"an entry has {len(body)} bytes of at most {LONGEST_BODY}"
        raise ToolError(wrong, "shorten it", exit_codes.LEDGER)
    return body


def chained(previous: bytes, body: bytes) -> bytes:
    return hashlib.sha256(DOMAIN + previous + body).digest()


def select(
    database: sqlite3.Connection,
    kind: str | None = None,
    serial_number: str | None = None,
    public_key: str | None = None,
    limit: int = NO_LIMIT,
) -> list[Entry]:
    """The entries whose columns are as given; None does not matter."""
    columns = {"kind": kind, "serial_number": serial_number, "public_key": public_key}
    wanted = {name: value for name, value in columns.items() if value is not None}
    condition = " AND ".join(f"{name} = ?" for name in wanted) or "1"
    rows = f"SELECT sequence, hash, body FROM entry WHERE {condition} ORDER BY sequence LIMIT ?"
    return [
        Entry(sequence, found.hex(), json.loads(body))
        for sequence, found, body in database.execute(rows, (*wanted.values(), limit))
    ]


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)
