"""The ledger's SQLite file: what is in it, how it is made, how it is opened.

It is made whole beside its place and then linked there: nobody ever meets a file that is half a ledger, and
two stations that make it at once get the same one.

The file is in write-ahead mode with `synchronous` at EXTRA, which is FULL and the directory too: a commit
that has returned survives a power cut. No commit moves the log into the file; the last connection to close
does, alone. SQLite before 3.51.3 may damage a file when one connection does so while another one writes
(sqlite.org/wal.html#walresetbug).
"""

import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path

from host_tools.factory.files import sync_directory

VERSION = 1
# An append takes milliseconds, but SQLite's queue is not fair: of 16 stations that did nothing else, one has
# waited for 8 s on a busy computer.
BUSY_TIMEOUT_S = 60.0

SCHEMA = f"""
BEGIN;
CREATE TABLE entry (
    sequence INTEGER PRIMARY KEY,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL,
    kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,
    serial_number TEXT GENERATED ALWAYS AS (json_extract(body, '$.serial_number')) VIRTUAL,
    public_key TEXT GENERATED ALWAYS AS (json_extract(body, '$.public_key')) VIRTUAL
);
CREATE INDEX entry_by_kind ON entry (kind);
CREATE INDEX entry_by_serial_number ON entry (serial_number);
CREATE INDEX entry_by_public_key ON entry (public_key);
CREATE INDEX entry_by_count ON entry (CAST(substr(serial_number, -6) AS INTEGER))
    WHERE kind IN ('named', 'unit');
CREATE TRIGGER entry_never_changes BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'a ledger entry never changes'); END;
CREATE TRIGGER entry_never_goes BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'a ledger entry never goes'); END;
CREATE TRIGGER entry_follows_the_last BEFORE INSERT ON entry
    WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM entry)
    OR NEW.previous IS NOT coalesce((SELECT hash FROM entry ORDER BY sequence DESC LIMIT 1), zeroblob(32))
    BEGIN SELECT RAISE(ABORT, 'a ledger entry follows the last one'); END;
PRAGMA user_version = {VERSION};
COMMIT;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger, and make it when it is not there. Raises sqlite3.Error and OSError."""
    if not path.exists():
        _make(path)
    address = path.absolute().as_uri() + "?mode=rw"  # never an empty file in its place
    database = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    database.execute("PRAGMA synchronous = EXTRA")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    return database


def version(database: sqlite3.Connection) -> int:
    (found,) = database.execute("PRAGMA user_version").fetchone()
    return found


def shape(database: sqlite3.Connection) -> dict[str, str]:
    """The table, its indexes and its guards: {name: statement}."""
    return dict(database.execute("SELECT name, sql FROM sqlite_master"))


def right_shape() -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        return shape(database)


def _make(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".ledger-", dir=path.parent) as folder:
        new = Path(folder) / path.name
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = EXTRA")
            database.executescript(SCHEMA)
            # Last of all: what is still in a log when a full disk has no place for it is said by nobody.
            (mode,) = database.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise sqlite3.OperationalError("its file system takes no write-ahead log")
        with contextlib.suppress(FileExistsError):  # another station was first
            os.link(new, path)
    sync_directory(path.parent)
