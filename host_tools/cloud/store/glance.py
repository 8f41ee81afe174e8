"""Glances: what every page asks, as SELECTs that are built once, by an index, of a few rows.

On SQLite they are read where they are asked: that takes some ten microseconds, a thread and back ten times as
many, and beside a write-ahead log a reader waits for no writer. Nothing is kept from one to the next, so each
sees whatever was committed before it, also by another process. PostgreSQL is asked as ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVarTuple

from sqlalchemy import Select, inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapper, make_transient_to_detached

BUSY_TIMEOUT_S = 0.1  # the loop waits; a reader is kept out only while a log is recovered after a crash
SQLITE = sqlite.dialect(paramstyle="named")

Models = TypeVarTuple("Models")


class Glance(Generic[*Models]):
    """`statement`: a SELECT of whole models, its values by bindparam()."""

    def __init__(self, statement: Select[*Models]):
        mappers = [inspect(each["entity"]) for each in statement.column_descriptions]
        self._makers = [_maker(mapper) for mapper in mappers]
        self._widths = [len(_keys(mapper)) for mapper in mappers]
        columns = [getattr(mapper.class_, key) for mapper in mappers for key in _keys(mapper)]
        for column in columns:
            if column.type.dialect_impl(SQLITE).result_processor(SQLITE, None) is not None:
                raise TypeError(f"SQLite's own value of {column} is not the model's")
        self.rows = statement.with_only_columns(*columns, maintain_column_froms=True)
        compiled = self.rows.compile(dialect=SQLITE)
        self.sql = str(compiled)
        self._own = {key: value for key, value in compiled.params.items() if not compiled.binds[key].required}

    def models(self, rows: Iterable[Sequence[Any]]) -> list[tuple[*Models]]:
        """As a closed session leaves them: they belong to no transaction."""
        return [self._of(row) for row in rows]

    def bound(self, values: dict[str, Any]) -> dict[str, Any]:
        """For `sql`: the values, and those that the statement has of its own."""
        return {**self._own, **values}

    def _of(self, row: Sequence[Any]) -> tuple[*Models]:
        made, begin = [], 0
        for make, width in zip(self._makers, self._widths, strict=True):
            made.append(make(row[begin : begin + width]))
            begin += width
        return tuple(made)


def _keys(mapper: Mapper[Any]) -> list[str]:
    return [attribute.key for attribute in mapper.column_attrs]


def _maker(mapper: Mapper[Any]) -> Callable[[Sequence[Any]], Any]:
    manager, keys = mapper.class_manager, _keys(mapper)

    def make(values: Sequence[Any]) -> Any:
        # As a load does it: without an event for each attribute, which takes three times as long.
        model = manager.new_instance()
        model.__dict__.update(zip(keys, values, strict=True))
        make_transient_to_detached(model)
        return model

    return make


class SqliteReader:
    """A connection that changes nothing, for the thread of the event loop."""

    def __init__(self, path: str):
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def read(self, glance: Glance[*Models], values: dict[str, Any]) -> list[tuple[*Models]]:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._connection.execute("PRAGMA query_only=ON")
        return glance.models(self._connection.execute(glance.sql, glance.bound(values)))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
