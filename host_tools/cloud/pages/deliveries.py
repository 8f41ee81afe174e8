"""What a page says of a message that it waits for, by its state in delivery/progress.py; while all is well,
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from host_tools.cloud.delivery import progress
from host_tools.cloud.languages.text import N_, _

# One of several ways to sign in, or to go on.
CODE = {
    progress.LATE: N_("The message could not be sent yet. It is tried again; or use another way below."),
    progress.FAILED: N_("The message could not be sent. Send another, or use another way below."),
}
CALL = {
    progress.LATE: N_("The call could not be made yet. It is tried again; or use another way below."),
    progress.FAILED: N_("The call did not arrive. Call again, or use another way below."),
}
NUMBER = {
    progress.LATE: N_("The message could not be sent yet. It is tried again."),
    progress.FAILED: N_("The message could not be delivered. Check the number, or use another one."),
}
RESET = {
    progress.LATE: N_("The message could not be sent yet. It is tried again."),
    progress.FAILED: N_("The message could not be delivered. Ask for another one, or write to support."),
}
NEW_EMAIL = {
    progress.LATE: N_("The message to %(email)s could not be sent yet. It is tried again."),
    progress.FAILED: N_("The message to %(email)s could not be delivered. Check the address, and ask again."),
}


def told(faults: Mapping[str, str], state: str, **values: object) -> str:
    """In the reader's language."""
    return _(faults[state], **values) if state in faults else ""
