"""From where on a ledger is looked at: a time, a while ago, or an entry.

Since.parse("2026-11-27", now)  Since.parse("2026-11-27T08:30+01:00", now)   without a zone: this computer's
Since.parse("24h", now)         also 90m and 7d
Since.parse("#120", now)        the entries after entry 120
"""

import datetime
import re
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.chain import Entry

UNITS_S = {"m": 60, "h": 3600, "d": 86400}
WHILE = re.compile(r"(\d{1,6})([mhd])", re.ASCII)
ENTRY = re.compile(r"#(\d{1,12})", re.ASCII)


class Since(NamedTuple):
    at: float = float("-inf")  # unix seconds
    after: int = 0  # a sequence number

    @classmethod
    def parse(cls, text: str | None, now: float) -> "Since":
        """None: from the beginning. Raises ToolError."""
        if text is None:
            return cls()
        if found := WHILE.fullmatch(text):
            return cls(at=now - int(found[1]) * UNITS_S[found[2]])
        if found := ENTRY.fullmatch(text):
            return cls(after=int(found[1]))
        try:
            return cls(at=datetime.datetime.fromisoformat(text).timestamp())
        except (ValueError, OverflowError, OSError) as error:
            remedy = "write it as 2026-11-27, 2026-11-27T08:30, 24h, 7d or '#120'"
            raise ToolError(f"--since {text!r} is no time and no entry", remedy, exit_codes.USAGE) from error

    def covers(self, entry: Entry) -> bool:
        return entry.fields["at"] >= self.at and entry.sequence > self.after
