"""A router's diagnostics as words, in the order of the contract's table: what is sent, and what was."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from gatelodge.contract import diagnostics

from host_tools.cloud.help.diagnostics import ASKED, FAILED, KEPT, STOPPED
from host_tools.cloud.languages.figures import duration, local, number
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.pages.words import ABSENT
from host_tools.cloud.store.help_models import HelpReport

TITLES = {
    "router": N_("Router"),
    "clock": N_("Clock"),
    "machine": N_("Load, memory and storage"),
    "internet": N_("Internet"),
    "home": N_("Home network"),
    "cloud": N_("Link to this cloud"),
    "settings": N_("Settings"),
    "log": N_("Last lines of the log"),
}
LABELS = {
    ("router", "model"): N_("Model"),
    ("router", "board"): N_("Board"),
    ("router", "firmware"): N_("Firmware"),
    ("router", "slot"): N_("Slot"),
    ("router", "interpreter"): N_("Interpreter"),
    ("router", "kernel"): N_("Kernel"),
    ("router", "uptime_s"): N_("Up for"),
    ("clock", "now"): N_("The router's time"),
    ("clock", "state"): N_("State"),
    ("clock", "source"): N_("Set by"),
    ("clock", "doubtful"): N_("Not proved"),
    ("machine", "load_1"): N_("Load, 1 minute"),
    ("machine", "load_5"): N_("Load, 5 minutes"),
    ("machine", "load_15"): N_("Load, 15 minutes"),
    ("machine", "memory_total_kb"): N_("Memory"),
    ("machine", "memory_available_kb"): N_("Memory available"),
    ("machine", "heap_used_kb"): N_("Heap used"),
    ("machine", "heap_total_kb"): N_("Heap"),
    ("machine", "storage_total_kb"): N_("Storage"),
    ("machine", "storage_free_kb"): N_("Storage free"),
    ("internet", "up"): N_("Up"),
    ("internet", "route"): N_("Has a route"),
    ("internet", "speed_mbit"): N_("Speed of the port, Mbit/s"),
    ("internet", "addresses"): N_("Addresses"),
    ("internet", "gateways"): N_("Gateways"),
    ("internet", "name_servers"): N_("Name servers"),
    ("home", "interfaces"): N_("Interfaces"),
    ("home", "neighbours"): N_("Devices seen"),
    ("home", "reachable"): N_("Devices reachable"),
    ("cloud", "state"): N_("State"),
    ("cloud", "since"): N_("Since"),
    ("cloud", "last_error"): N_("Last error"),
    ("cloud", "releasing"): N_("Being released"),
    ("settings", "password"): N_("Password set"),
    ("settings", "authenticators"): N_("Authenticators"),
    ("settings", "recovery_codes"): N_("Recovery codes left"),
    ("settings", "trusted_browsers"): N_("Trusted browsers"),
    ("settings", "api_tokens"): N_("API tokens"),
    ("settings", "sign_ins"): N_("Entries in its history"),
    ("log", "lines"): N_("Lines"),
}
MOMENTS = (("clock", "now"), ("cloud", "since"))
UNITS = (N_("%(amount)s bytes"), N_("%(amount)s KB"), N_("%(amount)s MB"), N_("%(amount)s GB"))
STEP = 1024  # from one to the next
DRAFT = "draft"  # kept, and seen by nobody else
STATES = {
    ASKED: N_("Asked for"),
    KEPT: N_("Attached"),
    FAILED: N_("Not attached"),
    STOPPED: N_("Removed"),
    DRAFT: N_("Only you see them yet: look at them, then attach or drop them"),
}


def state(report: HelpReport) -> str:
    return DRAFT if report.draft and report.state == KEPT else report.state


class Section(NamedTuple):
    title: str
    rows: list[tuple[str, str]]  # (label, value)
    lines: list[str]  # of the log


def promised() -> list[tuple[str, str]]:
    """What a report holds: (title, the labels of its values)."""
    return [
        (TITLES[section], ", ".join(_(LABELS[section, field]) for field, _check in rows))
        for section, rows in diagnostics.SECTIONS
        if section != diagnostics.LOG
    ]


def told(content: bytes) -> list[Section]:
    """The file that a report became (help/report.py), for reading."""
    document = json.loads(content)
    return [
        Section(TITLES[section], [], document[section])
        if section == diagnostics.LOG
        else Section(TITLES[section], _values(section, rows, document[section]), [])
        for section, rows in diagnostics.SECTIONS
        if document.get(section)
    ]


def _values(section: str, rows: Any, values: dict[str, Any]) -> list[tuple[str, str]]:
    return [row for field, _check in rows for row in _rows(section, field, values[field])]


def _rows(section: str, field: str, value: Any) -> list[tuple[str, str]]:
    if field == "interfaces":
        return [(f"{each['name']} ({each['role']})", _interface(each)) for each in value]
    return [(_(LABELS[section, field]), _spoken(section, field, value))]


def _spoken(section: str, field: str, value: Any) -> str:
    if value is None or value in ("", []):
        return ABSENT
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(value)
    if (section, field) in MOMENTS:
        return local(value)
    if field.endswith("_s"):
        return duration(value)
    return size(value * 1024) if field.endswith("_kb") else str(value)


def _interface(each: dict[str, Any]) -> str:
    counts = {"received": size(each["rx_bytes"]), "sent": size(each["tx_bytes"])}
    counted = _("received %(received)s, sent %(sent)s", **counts)
    state = _("up") if each["up"] else _("down")
    return " · ".join(part for part in (state, each["address"], counted) if part)


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in UNITS[:-1]:
        if count < STEP:
            return _(unit, amount=number(count, 0 if count >= 10 or unit == UNITS[0] else 1))
        count /= STEP
    return _(UNITS[-1], amount=number(count, 1))
