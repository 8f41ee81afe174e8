"""A router's values as words. The page and its live updates say the same, because both come from here."""

from __future__ import annotations

import datetime

from host_tools.cloud.languages.figures import ago, duration, megabytes
from host_tools.cloud.routers.ownership import RouterView
from host_tools.cloud.routers.registry import NEVER
from host_tools.cloud.store.models import Router
from host_tools.cloud.warranty.routers import day_of, warranty
from host_tools.cloud.warranty.term import YEARS

ABSENT = "–"


def router_words(view: RouterView, now: float) -> dict[str, str]:
    """{state, state_word, since, uptime, load, memory, internet, firmware, heard}: all texts, none empty."""
    status = view.status or {}
    router = view.router
    heard = status.get("heard") or router.heard_at
    return {
        "state": _state(view),
        "state_word": _state_word(view),
        "since": _since(view, now),
        "uptime": duration(status["uptime_s"]) if status.get("uptime_s") is not None else ABSENT,
        "load": f"{status['load']:.2f}" if isinstance(status.get("load"), (int, float)) else ABSENT,
        "memory": megabytes(status["memory_free_kb"]) if status.get("memory_free_kb") else ABSENT,
        "internet": _internet(status),
        "firmware": status.get("firmware") or router.firmware or ABSENT,
        "heard": ago(heard, now),
    }


def warranty_words(router: Router, now: float) -> dict[str, str]:
    """{state, why}: both texts, none empty."""
    covered, today = warranty(router), day_of(now)
    if covered is None:
        return {"state": "Not known yet", "why": "It begins with the sale, or when it is registered."}
    since = "its sale" if covered.from_sale else "its first registration"
    why = f"{YEARS} years from {since} on {spoken(covered.begins)}"
    if covered.registered:
        why += ", and one more because it was registered"
    verb = "Until" if covered.runs(today) else "Ended on"
    return {"state": f"{verb} {spoken(covered.ends)}", "why": why + "."}


def spoken(day: datetime.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _state(view: RouterView) -> str:
    """For the style: online, offline, or arriving (online, and its first report is on its way)."""
    if view.status is None:
        return "offline"
    return "online" if "load" in view.status else "arriving"


def _state_word(view: RouterView) -> str:
    if view.online:
        return "Online"
    return "Not connected yet" if view.router.state == NEVER else "Offline"


def _since(view: RouterView, now: float) -> str:
    if view.status:
        return "connected " + ago(view.status.get("since"), now)
    if view.router.state == NEVER:
        return "plug it in and connect it to the internet"
    return "last heard " + ago(view.router.heard_at, now)


def _internet(status: dict) -> str:
    if status.get("wan_up") is None:
        return ABSENT
    return "Up" if status["wan_up"] else "Down"
