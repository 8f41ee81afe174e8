"""A service code as somebody typed it; what is wrong with it is said in the reader's language."""

from __future__ import annotations

from gatelodge.contract import service_code
from gatelodge.contract.errors import ServiceCodeError

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_

# The contract's sentences (contract/service_code.py), by how many values each has.
FAULTS = (
    N_("One of these characters is wrong, or two are exchanged. Check the label."),
    N_("A service code has no %(first)s. Check the label."),
    N_("A service code has %(first)s characters, this has %(second)s. Check the label."),
)


def parsed(typed: str) -> str:
    """The code's characters. Raises RefusedError for a typing error."""
    try:
        return service_code.parse(typed)
    except ServiceCodeError as error:
        values = dict(zip(("first", "second"), error.values, strict=False))
        raise RefusedError("service_code", FAULTS[len(error.values)], **values) from error
