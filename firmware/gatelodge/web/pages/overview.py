"""The overview: whether the internet works, who can reach this router, and what it is doing now."""

from microdot import Response

from gatelodge import log
from gatelodge.contract.errors import StateError
from gatelodge.refusals import SigninError
from gatelodge.text import _
from gatelodge.web import live, reply, view
from gatelodge.web.html import escape, fill
from gatelodge.web.routes import ANYONE, OWNER, WATCHER, get, post
from gatelodge.web.wire import Refusal

_PAGE = """<div data-live-page data-run="{run}">
<section class="headline" data-live-state="internet" data-state="{internet}">
<svg class="sign" viewBox="0 0 32 32" width="48" height="48" aria-hidden="true"><circle cx="16" cy="16"
r="13"/>
<path class="when-works" d="m10 16.5 4.2 4.2L22.5 12"/><path class="when-waiting" d="M16 9v7l4.5 3"/>
<path class="when-trouble" d="M16 9v8.5M16 22.4v.2"/></svg>
<div aria-live="polite"><h1>{title!}</h1><p>{detail!}</p></div>
<div class="who"><h2>{who}</h2><p>{reach!}</p></div></section>
<section class="card claim" data-live-state="claim" data-state="{claim_state}" data-live-html="claim"
aria-live="assertive">
{claim!}</section>
{cards!}</div>
"""

_TRAFFIC = """<section class="card wide" data-live-state="traffic" data-state="{state}"><h2>{title}</h2>
<figure class="chart" data-chart data-per-s="{units}" data-down="{down}" data-up="{up}" data-now="{now}"
 data-minutes="{minutes}"><div class="skeleton tall"></div></figure>
<p class="lasts"><span class="series-1">{down} {received!}</span><span class="series-2">{up}
{sent!}</span></p>{failed!}</section>
"""

_CARD = """<section class="card" data-live-state="{key}"
data-state="{state}"><h2>{title}</h2>{body!}{failed!}</section>
"""

_TABLE = """<section class="card{wide}" data-live-state="{key}" data-state="{state}"><h2>{title}</h2>
<table><thead><tr>{heads!}</tr></thead><tbody
data-live-html="{key}">{rows!}</tbody></table>{failed!}</section>
"""


_ANSWERED = {True: _("Approved. The cloud account will show this router."), False: _("Refused.")}


class OverviewPages:
    def __init__(self, site):
        self._site = site
        self._view = view.View(site)

    def rows(self):
        return [
            get("/", OWNER, self.page),
            get("/live", WATCHER, self.live),
            get("/api/overview", WATCHER, self.data),
            get("/api/status", ANYONE, self.status),
            post("/api/claim", OWNER, self.claim, {"claim_id": 64, "answer": 8}),
        ]

    def page(self, visit, _values):
        now = self._view.now()
        body = fill(
            _PAGE,
            run=self._site.run_id,
            internet=now["state"]["internet"],
            title=view.shown(now, "internet.title"),
            detail=view.shown(now, "internet.detail"),
            who=_("Who can reach this router"),
            reach=view.shown(now, "reach.detail"),
            claim_state=now["state"]["claim"],
            claim=now["html"].get("claim", ""),
            cards='<div class="cards">' + self._cards(now) + "</div>",
        )
        return reply.page(self._site.shell.signed_in("/", _("Overview"), body, visit.session))

    def _cards(self, now):
        beside = '<div class="stack">' + _cloud(now) + _neighbours(now) + "</div>"
        return _traffic(now) + _router(now) + beside + _interfaces(now)

    def live(self, visit, _values):
        if self._site.open_streams >= live.MAX_OPEN:
            raise Refusal(503, _("Too many pages of this router are open. Close one."), {"Retry-After": "10"})
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        return Response(live.LiveBody(self._site, visit.session_token), 200, headers)

    def data(self, _visit, _values):
        """The router's own values, for scripts."""
        router = self._site.router
        return reply.data(
            {
                "facts": router.facts(),
                "firmware": self._site.version,
                "interfaces": router.interfaces(),
                "internet": router.internet(),
                "neighbours": router.neighbours(),
                "cloud": self._site.cloud.state if self._site.cloud is not None else None,
                "clock": {"now": self._site.clock.now(), "state": self._site.clock.state},
            }
        )

    def status(self, visit, _values):
        """What a page asks that has lost its router: whether it is the same run, and whether it is still
        signed in."""
        token = visit.session_token
        signed_in = bool(token) and self._site.owner.session(token, False) is not None
        return reply.data(
            {"run": self._site.run_id, "set_up": self._site.owner.is_set_up, "signed_in": signed_in}
        )

    def claim(self, visit, values):
        if values["answer"] not in ("approve", "refuse"):
            raise Refusal(400, "answer is approve or refuse.")
        approved = values["answer"] == "approve"
        try:
            self._site.cloud.answer_claim(values["claim_id"], approved)
        except (StateError, AttributeError):  # no such claim any more, or no cloud at all
            raise SigninError("form", _("That request has ended. Start it again in the cloud account."))
        log.info("web", "a registration was %s from %s", "approved" if approved else "refused", visit.client)
        return reply.data({"say": _ANSWERED[approved]})


def failed():
    text = _("This part could not be read. It is tried again every two seconds.")
    return fill('<p class="failed note" data-state="trouble">{text}</p>', text=text)


def facts(rows):
    """A list of names and values; the values are markup."""
    row = "<div><dt>{name}</dt><dd>{value!}</dd></div>"
    return (
        '<dl class="facts">' + "".join([fill(row, name=name, value=value) for name, value in rows]) + "</dl>"
    )


def _traffic(now):
    return fill(
        _TRAFFIC,
        state=now["state"]["traffic"],
        title=_("Internet traffic, last 10 minutes"),
        units=_("bit/s,kbit/s,Mbit/s,Gbit/s"),
        down=_("Down"),
        up=_("Up"),
        now=_("now"),
        minutes=_("%d min"),
        received=view.shown(now, "traffic.received"),
        sent=view.shown(now, "traffic.sent"),
        failed=failed(),
    )


def _meter(now, key, label):
    percent = now["text"].get(key + ".percent", "0")
    return view.shown(now, key) + fill(
        '<meter min="0" max="100" low="80" high="92" optimum="20" value="{percent}" '
        'data-live="{key}.percent" aria-label="{label}"></meter>',
        percent=percent,
        key=key,
        label=label,
    )


def _router(now):
    rows = (
        (_("Model"), view.shown(now, "router.model")),
        (_("Firmware"), view.shown(now, "router.firmware")),
        (_("Running for"), view.shown(now, "router.uptime")),
        (_("Load, 1 5 15 min"), view.shown(now, "router.load")),
        (_("Memory in use"), _meter(now, "router.memory", _("Memory in use"))),
        (_("Storage in use"), _meter(now, "router.storage", _("Storage in use"))),
        (_("Clock"), view.shown(now, "clock.detail")),
    )
    return _card(now, "router", _("This router"), facts(rows))


def _cloud(now):
    title, detail = view.shown(now, "cloud.title"), view.shown(now, "cloud.detail")
    body = fill('<p class="word">{title!}</p><p>{detail!}</p>', title=title, detail=detail)
    return _card(now, "cloud", _("Cloud"), body)


def _card(now, key, title, body):
    return fill(_CARD, key=key, state=now["state"][key], title=title, body=body, failed=failed())


def _interfaces(now):
    heads = (_("Interface"), _("Link"), _("Address"), _("Received"), _("Sent"))
    return _table(now, "interfaces", _("Interfaces"), heads, " wide")


def _neighbours(now):
    return _table(now, "neighbours", _("Devices nearby"), (_("Address"), _("Hardware address"), _("State")))


def _table(now, key, title, heads, wide=""):
    cells = "".join(["<th scope=col>" + escape(head) + "</th>" for head in heads])
    rows = now["html"].get(key, "")
    for name in now["text"]:
        # The rows hold places for live texts; on the first showing they are filled here.
        rows = rows.replace(
            ' data-live="' + name + '">', ' data-live="' + name + '">' + escape(now["text"][name])
        )
    return fill(
        _TABLE,
        wide=wide,
        key=key,
        state=now["state"][key],
        title=title,
        heads=cells,
        rows=rows,
        failed=failed(),
    )
