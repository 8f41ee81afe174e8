"""A router's diagnostics as words, in the order of the contract's table: what is sent, and what was."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from gatelodge.contract import diagnostics

from host_tools.cloud.help.diagnostics import ASKED, FAILED, KEPT, STOPPED
from host_tools.cloud.pages.render import duration, exact
from host_tools.cloud.pages.words import ABSENT

TITLES = {
    "router": "Router",
    "clock": "Clock",
    "machine": "Load, memory and storage",
    "internet": "Internet",
    "home": "Home network",
    "cloud": "Link to this cloud",
    "settings": "Settings",
    "log": "Last lines of the log",
}
LABELS = {
    ("router", "model"): "Model",
    ("router", "board"): "Board",
    ("router", "firmware"): "Firmware",
    ("router", "slot"): "Slot",
    ("router", "interpreter"): "Interpreter",
    ("router", "kernel"): "Kernel",
    ("router", "uptime_s"): "Up for",
    ("clock", "now"): "The router's time",
    ("clock", "state"): "State",
    ("clock", "source"): "Set by",
    ("clock", "doubtful"): "Not proved",
    ("machine", "load_1"): "Load, 1 minute",
    ("machine", "load_5"): "Load, 5 minutes",
    ("machine", "load_15"): "Load, 15 minutes",
    ("machine", "memory_total_kb"): "Memory",
    ("machine", "memory_available_kb"): "Memory available",
    ("machine", "heap_used_kb"): "Heap used",
    ("machine", "heap_total_kb"): "Heap",
    ("machine", "storage_total_kb"): "Storage",
    ("machine", "storage_free_kb"): "Storage free",
    ("internet", "up"): "Up",
    ("internet", "route"): "Has a route",
    ("internet", "speed_mbit"): "Speed of the port, Mbit/s",
    ("internet", "addresses"): "Addresses",
    ("internet", "gateways"): "Gateways",
    ("internet", "name_servers"): "Name servers",
    ("home", "interfaces"): "Interfaces",
    ("home", "neighbours"): "Devices seen",
    ("home", "reachable"): "Devices reachable",
    ("cloud", "state"): "State",
    ("cloud", "since"): "Since",
    ("cloud", "last_error"): "Last error",
    ("cloud", "releasing"): "Being released",
    ("settings", "password"): "Password set",
    ("settings", "authenticators"): "Authenticators",
    ("settings", "recovery_codes"): "Recovery codes left",
    ("settings", "trusted_browsers"): "Trusted browsers",
    ("settings", "api_tokens"): "API tokens",
    ("settings", "sign_ins"): "Entries in its history",
    ("log", "lines"): "Lines",
}
MOMENTS = (("clock", "now"), ("cloud", "since"))
STATES = {
    ASKED: "Asked for",
    KEPT: "Attached",
    FAILED: "Not attached",
    STOPPED: "Removed",
}


class Section(NamedTuple):
    title: str
    rows: list[tuple[str, str]]  # (label, value)
    lines: list[str]  # of the log


def promised() -> list[tuple[str, str]]:
    """What a report holds: (title, the labels of its values)."""
    return [
        (TITLES[section], ", ".join(LABELS[section, field] for field, _check in rows))
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
    return [(LABELS[section, field], _spoken(section, field, value))]


def _spoken(section: str, field: str, value: Any) -> str:
    if value is None or value in ("", []):
        return ABSENT
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(value)
    if (section, field) in MOMENTS:
        return exact(value)
    if field.endswith("_s"):
        return duration(value)
    return size(value * 1024) if field.endswith("_kb") else str(value)


def _interface(each: dict[str, Any]) -> str:
    state = "up" if each["up"] else "down"
    counted = f"received {size(each['rx_bytes'])}, sent {size(each['tx_bytes'])}"
    return ", ".join(part for part in (state, each["address"], counted) if part)


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return ""
