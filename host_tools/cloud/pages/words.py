"""A router's values as words, in the reader's language. The page and its live updates say the same, because
both come from here.
"""

from __future__ import annotations

from host_tools.cloud.languages.figures import ago, day, duration, megabytes, number
from host_tools.cloud.languages.text import _, ngettext
from host_tools.cloud.routers.ownership import RouterView
from host_tools.cloud.routers.registry import NEVER
from host_tools.cloud.store.models import Router
from host_tools.cloud.warranty.routers import day_of, warranty
from host_tools.cloud.warranty.term import YEARS, Term

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
        "load": number(status["load"], 2) if isinstance(status.get("load"), (int, float)) else ABSENT,
        "memory": megabytes(status["memory_free_kb"]) if status.get("memory_free_kb") else ABSENT,
        "internet": _internet(status),
        "firmware": status.get("firmware") or router.firmware or ABSENT,
        "heard": ago(heard, now),
    }


def warranty_words(router: Router, now: float) -> dict[str, str]:
    """{state, why}: both texts, none empty."""
    covered, today = warranty(router), day_of(now)
    if covered is None:
        return {"state": _("Not known yet"), "why": _("It begins with the sale, or when it is registered.")}
    ends = day(covered.ends)
    state = _("Until %(day)s", day=ends) if covered.runs(today) else _("Ended on %(day)s", day=ends)
    return {"state": state, "why": _why(covered)}


def _why(covered: Term) -> str:
    begins = day(covered.begins)
    if covered.from_sale and covered.registered:
        return ngettext(
            "%(num)s year from its sale on %(day)s, and one more because it was registered.",
            "%(num)s years from its sale on %(day)s, and one more because it was registered.",
            YEARS,
            day=begins,
        )
    if covered.from_sale:
        return ngettext(
            "%(num)s year from its sale on %(day)s.",
            "%(num)s years from its sale on %(day)s.",
            YEARS,
            day=begins,
        )
    return ngettext(
        "%(num)s year from its first registration on %(day)s, and one more because it was registered.",
        "%(num)s years from its first registration on %(day)s, and one more because it was registered.",
        YEARS,
        day=begins,
    )


def _state(view: RouterView) -> str:
    """For the style: online, offline, or arriving (online, and its first report is on its way)."""
    if view.status is None:
        return "offline"
    return "online" if "load" in view.status else "arriving"


def _state_word(view: RouterView) -> str:
    if view.online:
        return _("Online")
    return _("Not connected yet") if view.router.state == NEVER else _("Offline")


def _since(view: RouterView, now: float) -> str:
    if view.status:
        return _("connected %(ago)s", ago=ago(view.status.get("since"), now))
    if view.router.state == NEVER:
        return _("plug it in and connect it to the internet")
    return _("last heard %(ago)s", ago=ago(view.router.heard_at, now))


def _internet(status: dict) -> str:
    if status.get("wan_up") is None:
        return ABSENT
    return _("Up") if status["wan_up"] else _("Down")
