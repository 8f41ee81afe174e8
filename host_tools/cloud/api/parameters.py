"""Parameters of an operation's address: one row says how they are read and how they are described."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from host_tools.cloud.api.problems import ProblemError

ID_MAX = 2**31 - 1  # of a row: the database's INTEGER


class Parameter(NamedTuple):
    """In the query, or in the path, where it cannot be missing. `most` > 0: a whole number from 1 to it."""

    name: str
    about: str
    pattern: str = ""
    most: int = 0
    default: int | None = None

    def schema(self) -> dict[str, Any]:
        if not self.most:
            return {"type": "string", "pattern": f"^{self.pattern}$"}
        found: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": self.most}
        return found if self.default is None else {**found, "default": self.default}

    def read(self, text: str) -> Any:
        """Raises ValueError."""
        if not self.most:
            if re.fullmatch(self.pattern, text, re.ASCII) is None:
                raise ValueError
            return text
        if re.fullmatch(r"[1-9][0-9]{0,9}", text, re.ASCII) is None or int(text) > self.most:
            raise ValueError
        return int(text)


SERIAL = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"
SERIAL_NUMBER = Parameter("serial_number", "The router's, from its label.", SERIAL)
RESTART_ID = Parameter("id", "The restart's.", "[0-9a-f]{30}")
LIMIT = Parameter("limit", "How many at most.", most=100, default=50)
BEFORE = Parameter("before", "Only older events: `next` of the page before.", most=ID_MAX)
AFTER = Parameter("after", "Only what follows: `next` of the page before.", SERIAL)


def of_query(rows: Sequence[Parameter], given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Each at most once, and none that nobody asked for. Raises ProblemError 422."""
    known = {row.name: row for row in rows}
    values: dict[str, Any] = {row.name: row.default for row in rows}
    seen = set()
    for name, text in given:
        if name not in known or name in seen:
            raise ProblemError(422, "This parameter is not known here, or is there twice.", name[:60])
        seen.add(name)
        try:
            values[name] = known[name].read(text)
        except ValueError:
            raise ProblemError(422, f"This parameter has to be: {known[name].schema()}", name) from None
    return values


def of_path(rows: Sequence[Parameter], given: Mapping[str, str]) -> dict[str, Any]:
    """What cannot be a name is nothing's name. Raises ProblemError 404."""
    try:
        return {row.name: row.read(given[row.name]) for row in rows}
    except ValueError:
        raise ProblemError(404) from None
