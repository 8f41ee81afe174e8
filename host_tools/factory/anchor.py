"""The head of a ledger as it was last written, in a file beside it: `ledger.head`.

    anchor = Anchor(Path("ledger.db"))
    anchor.head()               # Head, or None where none was written down
    anchor.advance(head)        # after a commit; an older one stays out

An older copy of a ledger that is put back is a whole ledger, too, and would give serial numbers twice. This
file tells. It is written behind the commit: a power cut in between leaves one that is some entries behind,
which the ledger holds as well.
"""

import contextlib
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.chain import Head
from host_tools.factory.files import locked, write_durably

SUFFIX = ".head"


class Anchor:
    def __init__(self, ledger: Path):
        self.path = ledger.with_suffix(SUFFIX)

    def head(self) -> Head | None:
        """Raises ToolError for a file that holds no head."""
        try:
            return Head.parse(self.path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            remedy = "check the ledger with --expect and a head that you have kept, then remove this file"
            raise ToolError(f"{self.path} holds no head of a ledger", remedy, exit_codes.LEDGER) from error

    def advance(self, head: Head) -> None:
        # The entry is on the disk already. Where the head cannot be written, the next one will be.
        with contextlib.suppress(OSError, ToolError), locked(self.path.parent):
            kept = self.head()
            if kept is None or kept.count < head.count:
                write_durably(self.path, f"{head}\n".encode(), 0o644)
