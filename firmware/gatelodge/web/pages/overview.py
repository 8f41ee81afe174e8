"""The overview: whether the internet works, who can reach this router, and what it is doing now."""

from gatelodge import compat, log
from gatelodge.contract import languages
from gatelodge.contract.errors import StateError
from gatelodge.refusals import SigninError
from gatelodge.text import N_, _
from gatelodge.web import language, live, reply, view
from gatelodge.web.html import fill
from gatelodge.web.message import Response
from gatelodge.web.pages.parts import card, chart, claim, facts, headline, live_page, meter
from gatelodge.web.routes import ANYONE, OWNER, WATCHER, api, get, post
from gatelodge.web.wire import Refusal

_WHO = '<div class="who"><h2>{who}</h2><p>{reach!}</p></div>'

_LINKED = """<p class="word">{title!}</p><p>{detail!}</p><p class="on"><a href="{path}">{go}</a></p>"""

_ANSWERED = {True: N_("Approved. The cloud account will show this router."), False: N_("Refused.")}


class OverviewPages:
    def __init__(self, site):
        self._site = site
        self._view = site.views["overview"] = view.View(site)
        self._cloud = reply.Seldom()
        self._status = {}  # (is set up, has a session) -> the answer

    def rows(self):
        return [
            get("/", OWNER, self.page),
            get("/live", WATCHER, self.live),
            get("/api/overview", WATCHER, self.data),
            get(
                "/api/status",
                ANYONE,
                self.status,
                about=api("Whether it is the same run, is owned, and knows who asks", "Status"),
            ),
            post(
                "/api/claim",
                OWNER,
                self.claim,
                {"claim_id": 64, "answer": ("approve", "refuse")},
                about=api("Answer who wants to register this router; to approve takes a code"),
            ),
        ]

    def page(self, visit, _values):
        now = self._view.now()
        who = fill(_WHO, who=_("Who can reach this router"), reach=view.shown(now, "reach.detail"))
        cards = '<div class="cards">' + chart(now) + _router(now) + _beside(now) + "</div>"
        body = live_page(self._site, "overview", headline(now, "internet", who) + claim(now) + cards)
        return reply.page(self._site.shell.signed_in("/", _("Overview"), body, visit.session))

    def live(self, visit, values):
        """The stream of one page: `page` names it, the overview where nothing is named; `language` is the
        page's own."""
        shown = self._site.views.get(values.get("page", "overview"))
        if shown is None:
            raise Refusal(404, N_("There is no such page on this router."))
        if self._site.open_streams >= live.MAX_OPEN:
            text = N_("Too many pages of this router are open. Close one.")
            raise Refusal(503, text, {"Retry-After": "10"})
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        asked = visit.request.args.get("language")
        tag = asked if asked in languages.BY_TAG else language.of(visit.request)
        return Response(live.LiveBody(self._site, visit.session.id, shown, tag), 200, headers)

    def data(self, _visit, _values):
        """The router's own values, for scripts: the kernel's of this second, ours of this moment."""
        site = self._site
        of_second = site.router.recent.told("overview", self._of_second)
        cloud = site.cloud.state if site.cloud is not None else None
        clock = compat.json.encoded({"now": site.clock.now(), "state": site.clock.state})
        return reply.data_after(of_second, b'"cloud":%s,"clock":%s}' % (self._cloud.told(cloud), clock))

    def _of_second(self):
        router = self._site.router
        return reply.beginning(
            {
                "facts": router.facts(),
                "firmware": self._site.version,
                "interfaces": router.interfaces(),
                "internet": router.internet(),
                "devices": router.devices.now(),
            }
        )

    def status(self, visit, _values):
        """What a page asks that has lost its router: whether it is the same run, and whether it is still
        signed in. It asks all the time, and there are four answers."""
        site = self._site
        told = site.owner.is_set_up, site.owner.has_session(visit.session_hash)
        if told not in self._status:
            self._status[told] = reply.data({"run": site.run_id, "set_up": told[0], "signed_in": told[1]})
        return self._status[told]

    def claim(self, visit, values):
        """To approve takes a code: that account can then act here from anywhere. To refuse takes none."""
        approved = values["answer"] == "approve"
        if approved:
            self._site.owner.require_proof(visit.session_token)
        try:
            self._site.cloud.answer_claim(values["claim_id"], approved)
        except (StateError, AttributeError):  # no such claim any more, or no cloud at all
            raise SigninError("form", _("That request has ended. Start it again in the cloud account."))
        log.info("web", "a registration was %s from %s", "approved" if approved else "refused", visit.client)
        return reply.data({"say": _(_ANSWERED[approved])})


def _router(now):
    rows = (
        (_("Model"), view.shown(now, "router.model")),
        (_("Firmware"), view.shown(now, "router.firmware")),
        (_("Running for"), view.shown(now, "router.uptime")),
        (_("Load, 1 5 15 min"), view.shown(now, "router.load")),
        (_("Memory in use"), meter(now, "router.memory", _("Memory in use"))),
        (_("Storage in use"), meter(now, "router.storage", _("Storage in use"))),
        (_("Clock"), view.shown(now, "clock.detail")),
    )
    return card(now, "router", _("This router"), facts(rows))


def _beside(now):
    devices = _linked(now, "devices", "/devices", _("Devices"), _("Show the devices"))
    cloud = _linked(now, "cloud", "/cloud", _("Cloud"), _("Open the cloud page"))
    return '<div class="stack">' + devices + cloud + "</div>"


def _linked(now, key, path, title, go):
    """A card with one fact, and the way to the page that has more."""
    told, detail = view.shown(now, key + ".title"), view.shown(now, key + ".detail")
    return card(now, key, title, fill(_LINKED, title=told, detail=detail, path=path, go=go))
