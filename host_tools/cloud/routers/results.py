"""How a command ended, in the reader's language. What is kept of it is its state, and perhaps a sentence."""

from __future__ import annotations

from host_tools.cloud.languages.text import _
from host_tools.cloud.routers.ownership import DONE
from host_tools.cloud.store.models import Command


def said(command: Command) -> str:
    """ "" while it is under way. A failure is a sentence of ours, of the hub, or the router's own."""
    if command.state == DONE and command.ended_at is not None:
        seconds = round(command.ended_at - command.asked_at)
        return _("Restarted, and back after %(seconds)s s.", seconds=seconds)
    return _(command.text)
