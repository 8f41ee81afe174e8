"""The ledger's clock is its computer's, and that can be set back: such an entry is refused.

    check(now, newest_at)           raises ToolError
    set_back(entries)               where it happened, in a ledger from before this was refused

An entry that is dated before others would be left out of `export --since`, and its router's certificate would
be dated wrong. Where the clock was ahead before, and is right now, somebody says so: an entry of the kind
"clock" (`gatelodge ledger clock`). A clock set back to a time after the newest entry is noticed by nobody.
"""

import datetime
from collections.abc import Iterable, Iterator

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.chain import Entry

CLOCK = "clock"  # the entry that says that the clock is right
SLACK_S = 60.0  # what a time server may correct, and two stations of one computer may write out of turn


def check(now: float, newest_at: float) -> None:
    if now < newest_at - SLACK_S:
        wrong = f"this clock says {_utc(now)}, and the ledger's newest entry is of {_utc(newest_at)}"
        remedy = "set the clock; if it is right and was ahead before, say so with 'gatelodge ledger clock'"
        raise ToolError(wrong, remedy, exit_codes.LEDGER)


def set_back(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that are dated before the one that they follow."""
    before = float("-inf")
    for entry in entries:
        if entry.fields["at"] < before - SLACK_S:
            yield entry
        before = entry.fields["at"]


def _utc(unix_s: float) -> str:
    try:
        return f"{datetime.datetime.fromtimestamp(unix_s, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{unix_s:.0f}"  # no calendar reaches there
