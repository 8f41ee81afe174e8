"""Cloud: whether the link works, whose account this router is in, and how to put it in or take it out."""

from gatelodge import log
from gatelodge.contract.errors import StateError
from gatelodge.refusals import SigninError
from gatelodge.text import N_, _
from gatelodge.web import reply, view, words
from gatelodge.web.html import fill
from gatelodge.web.pages.parts import card, claim, failed, headline, live_facts, live_page, qr_drawing
from gatelodge.web.routes import OWNER, api, get, post

FACTS = (
    (N_("State"), "link.state"),
    (N_("Since"), "link.since"),
    (N_("Last error"), "link.error"),
    (N_("Address of the cloud"), "link.address"),
)

_WHO = '<div class="who"><h2>{title}</h2><p>{who!}</p></div>'

_ACCOUNT = """<section class="card" data-live-state="account" data-state="{state}"><h2>{title}</h2>
<div data-live-html="account">{body!}</div>{failed!}</section>
"""

_OWNED = """<p><strong>{name}</strong> ({email}) {may}</p>
<form class="reveal" data-post="/api/cloud/release"><h3>{title}</h3><p class="hint">{loss}</p>
<button class="danger">{go}</button><p class="error" data-error="form" role="alert"></p></form>
"""

_INVITE = """{note!}<p>{gain}</p>
<form class="begin" data-post="/api/cloud/invite"><button class="primary">{go}</button>
<p class="error" data-error="form" role="alert"></p></form>
<details><summary>{other}</summary><ol class="ways"><li>{first}</li><li>{second}</li><li>{third}</li></ol>
</details>
"""

_INVITED = """<h3>{title}</h3><div class="enrol">{picture!}<div><p><a href="{link}" target="_blank"
rel="noopener noreferrer">{go}</a></p><p class="hint">{then}</p><p class="hint" data-live="account.left"></p>
<form class="begin" data-post="/api/cloud/uninvite"><button>{stop}</button></form></div></div>
"""

_QR = """<figure class="qr" role="img" aria-label="{label}"><svg viewBox="{view_box}"
shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/>
<path d="{path}" fill="#000"/></svg></figure>"""

_NOTE = '<p class="note" data-state="{state}">{text}</p>'

# The link's state -> its word.
_STATES = {"online": N_("Connected"), "connecting": N_("Connecting"), "offline": N_("Not connected")}


class CloudPages:
    def __init__(self, site):
        self._site = site
        self._drawn = ("", "")  # (link, its picture): drawing costs a slow router a fifth of a second
        sections = (
            ("cloud", view.View.cloud),
            ("claim", view.View.claim),
            ("link", self._link),
            ("account", self._account),
        )
        self._view = site.views["cloud"] = view.View(site, sections)

    def rows(self):
        return [
            get("/cloud", OWNER, self.page),
            post("/api/cloud/invite", OWNER, self.invite, about=api("Ask for a link to register by")),
            post("/api/cloud/uninvite", OWNER, self.uninvite, about=api("Drop that link")),
            post(
                "/api/cloud/release",
                OWNER,
                self.release,
                proof=True,
                about=api("Take the router out of its cloud account"),
            ),
        ]

    def page(self, visit, _values):
        now = self._view.now()
        who = fill(_WHO, title=_("Whose account it is in"), who=view.shown(now, "account.name"))
        account = fill(
            _ACCOUNT,
            state=now["state"]["account"],
            title=_("Cloud account"),
            body=view.filled(now, "account"),
            failed=failed(),
        )
        link = card(now, "link", _("The link"), live_facts(now, FACTS))
        body = headline(now, "cloud", who) + claim(now) + '<div class="cards">' + account + link + "</div>"
        body = live_page(self._site, "cloud", body)
        return reply.page(self._site.shell.signed_in("/cloud", _("Cloud"), body, visit.session))

    # --- what can be done ---

    def invite(self, visit, _values):
        self._ask(lambda cloud: cloud.invite())
        log.info("web", "a link to register this router was asked for from %s", visit.client)
        return reply.data({"go": "/cloud"})

    def uninvite(self, _visit, _values):
        self._ask(lambda cloud: cloud.uninvite())
        return reply.data({"go": "/cloud"})

    def release(self, visit, _values):
        self._ask(lambda cloud: cloud.release())
        log.info("web", "the router was released from %s", visit.client)
        return reply.data({"say": _("Released. This router belongs to no account any more.")})

    def _ask(self, act):
        cloud = self._site.cloud
        if cloud is None:
            raise SigninError("form", _("This router has no cloud."))
        try:
            act(cloud)
        except StateError as error:
            raise SigninError("form", _(str(error)))

    # --- what is shown ---

    def _link(self, _view):
        cloud = self._site.cloud
        state = cloud.state if cloud is not None else {}
        texts = {
            "link.state": _(_STATES.get(state.get("state"), N_("Not connected"))),
            "link.since": self._since(state.get("since")),
            "link.error": view.sentence(_(state["last_error"])) if state.get("last_error") else _("None"),
            "link.address": (self._site.identity.get("cloud") or {}).get("host", view.UNKNOWN),
        }
        return texts, "works", None

    def _since(self, unix_s):
        """When the link last changed; unknown where that was before the clock was set."""
        clock = self._site.clock
        gone_s = clock.now() - unix_s if unix_s and clock.is_set else -1
        if not 0 <= gone_s < view.MAX_YEARS_S:
            return view.UNKNOWN
        return "%s (%s)" % (words.ago(gone_s), words.moment(unix_s))

    def _account(self, _view):
        cloud = self._site.cloud
        state = cloud.state if cloud is not None else {}
        owner = state.get("owner")
        invitation = cloud.invitation if cloud is not None and not owner else None
        left = words.span(invitation["expires_s"]) if invitation else ""
        texts = {
            "account.name": (owner.get("name") or owner.get("email")) if owner else _("Nobody's"),
            "account.left": _("It works once, for %s.") % left if left else "",
        }
        if owner:
            return texts, "works", _owned(owner)
        if invitation and invitation["state"] == "open":
            return texts, "waiting", self._invited(invitation["link"])
        return texts, "works", _free(state, invitation)

    def _invited(self, link):
        if self._drawn[0] != link:
            self._drawn = (link, _picture(link))
        return fill(
            _INVITED,
            title=_("Open this in your cloud account"),
            picture=self._drawn[1],
            link=link,
            go=_("Register in my account"),
            then=_(
                "Scan it or open it, and sign in. Then the same number is here and there: approve it here."
            ),
            stop=_("Stop"),
        )


def _owned(owner):
    return fill(
        _OWNED,
        name=owner.get("name") or view.UNKNOWN,
        email=owner.get("email") or view.UNKNOWN,
        may=_("can see this router and restart it from anywhere."),
        title=_("Release"),
        loss=_(
            "That account can then no longer reach this router, and is told so by mail. Everything that is "
            "set here stays."
        ),
        go=_("Release router"),
    )


def _free(state, invitation):
    """For a router of nobody. state: of the link; invitation: one that is not open, or None."""
    if state.get("state") != "online":
        return _notes(state, None) + fill("<p>{text}</p>", text=_(_OFFLINE))
    if invitation and invitation["state"] == "asked":
        return fill("<p>{text}</p>", text=_("The cloud is asked for a link. It is here in a moment."))
    return fill(
        _INVITE,
        note=_notes(state, invitation),
        gain=_("In a cloud account you can see this router and restart it from anywhere."),
        go=_("Register this router"),
        other=_("With the service code instead"),
        first=_("Sign in to your cloud account, and choose to register a router."),
        second=_("Enter the service code. It is on the label, and on the page About."),
        third=_("A number is there and on this page. Compare them, and approve here."),
    )


# What the cloud answers in place of a link (host_tools/cloud/routers/invitations.py): said in `_notes`.
_REFUSALS = (
    N_("The cloud knows another service code of this router. Ask where you bought it."),
    N_("This router belongs to an account. Its owner releases it first."),
    N_("The cloud could not make a link. Try again in a minute."),
)
_OFFLINE = N_("To put it into an account, the router has to be connected to the cloud. It goes on trying.")


def _notes(state, invitation):
    """What has to be said first."""
    if state.get("releasing"):
        text = _("Released here. The cloud hears of it as soon as it is connected.")
        return fill(_NOTE, state="waiting", text=text)
    if invitation and invitation["state"] == "refused":
        return fill(_NOTE, state="trouble", text=view.sentence(_(invitation["error"])))
    return ""


def _picture(link):
    """The link as a QR code, or nothing where it is too long for one."""
    drawing = qr_drawing(link)
    return "" if drawing is None else fill(_QR, label=_("QR code of the link"), **drawing)
