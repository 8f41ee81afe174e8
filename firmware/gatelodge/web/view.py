"""What a page says right now, by name: the page is filled from it, live updates send what changed.

    View(site, sections).now() -> {"text": {key: text}, "state": {key: word}, "html": {key: markup}}

sections: rows of (name, read(view) -> (texts, state word, markup or None)); the overview's by default.

`text` goes into [data-live=key], `state` into the data-state of [data-live-state=key], `html` inside
[data-live-html=key]. A section that cannot be read says so in its state ("failed") and takes no other
section along.
"""

from gatelodge import log
from gatelodge.text import N_, P_, _
from gatelodge.web import words
from gatelodge.web.html import escape, fill

UNKNOWN = "–"
MAX_YEARS_S = 10 * 366 * 86400  # a time further back was taken before the clock was set

TIME_SOURCES = {
    "sntp": N_("Set by network time"),
    "cloud": N_("Set by the cloud"),
    "rtc": N_("Set by the battery clock"),
    "two codes": N_("Set by two codes of an authenticator"),
    "bench": N_("Set at the factory"),
}

HERE = P_("%d device is here", "%d devices are here")
AWAY = P_("%d more is away.", "%d more are away.")
NO_DEVICE = N_("No device has spoken yet. Connect a phone or a laptop, and it is here within a minute.")

# What is known of the way out -> title, detail, state.
_INTERNET = {
    "no link": (
        N_("No internet"),
        N_("The internet port has no link. Check the cable to the modem."),
        "trouble",
    ),
    "no route": (
        N_("No internet"),
        N_("The line is there, but gives no way out. Restart the modem."),
        "trouble",
    ),
    "silent": (
        N_("Waiting for the internet"),
        N_("The line is there, but no server has answered yet. This is checked all the time."),
        "waiting",
    ),
    "answered": (N_("The internet works"), N_("Servers outside answer this router."), "works"),
}

_CLAIM = """<h2>{title}</h2><p><strong>{name}</strong> ({email}) {wants}</p>
<p class="number">{number}</p><p>{compare} <span data-live="claim.left" aria-live="off"></span></p>
<form class="row" data-post="/api/claim"><input type="hidden" name="claim_id" value="{id}">
<button class="primary" name="answer" value="approve">{approve}</button>
<button name="answer" value="refuse">{refuse}</button></form>"""


class View:
    def __init__(self, site, sections=None):
        self.site = site
        self._sections = sections or OVERVIEW

    @property
    def has_traffic(self):
        """Whether the page has the chart, and wants its samples."""
        return any(name == "traffic" for name, _read in self._sections)

    def now(self):
        found = {"text": {}, "state": {}, "html": {}}
        for name, read in self._sections:
            self._take(name, read, found)
        return found

    def _take(self, name, read, found):
        """Add one section."""
        try:
            texts, state, html = read(self)
        except Exception as error:
            log.debug("web", "a page could not read %s: %s", name, error)
            texts, state, html = {}, "failed", None
        for key in texts:
            found["text"][key] = texts[key]
        found["state"][name] = state
        if html is not None:
            found["html"][name] = html

    # The largest fact

    def internet(self):
        internet = self.site.router.internet()
        if not internet["up"]:
            case = "no link"
        elif not internet["route"]:
            case = "no route"
        else:
            case = "answered" if self._has_answer() else "silent"
        title, detail, state = _INTERNET[case]
        return told("internet", _(title), _(detail), state)

    def _has_answer(self):
        """Whether somebody outside has answered: the cloud now, or network time since the start."""
        return self._cloud_state() == "online" or self.site.clock.source in ("sntp", "cloud")

    def _reach(self):
        who = self._owner_name()
        if who:
            text = _("Whoever signs in from this network, and %s through the cloud.") % who
        else:
            text = _("Whoever signs in from this network. Nobody from outside.")
        return {"reach.detail": text}, "works", None

    # This router

    def router(self):
        facts = self.site.router.facts()
        memory, storage = facts["memory"], facts["storage"]
        used = memory["total_kb"] - memory["available_kb"]
        texts = {
            "router.model": facts["model"],
            "router.firmware": self.site.version,
            "router.kernel": facts["kernel"],
            "router.uptime": words.span(facts["uptime_s"]),
            "router.load": "  ".join([words.number(value, 2) for value in facts["load"]]),
            "router.memory": _use(used, memory["total_kb"]),
            "router.memory.percent": str(words.percent(used, memory["total_kb"])),
            "router.storage": UNKNOWN,
            "router.storage.percent": "0",
        }
        if storage:
            used = storage["total_kb"] - storage["free_kb"]
            texts["router.storage"] = _use(used, storage["total_kb"])
            texts["router.storage.percent"] = str(words.percent(used, storage["total_kb"]))
        return texts, "works", None

    def _clock(self):
        clock = self.site.clock
        if not clock.is_set:
            return (
                {"clock.detail": _("Not set yet. Two codes in a row set it at sign-in, or network time.")},
                "waiting",
                None,
            )
        source = _(TIME_SOURCES.get(clock.source, N_("Set")))
        return {"clock.detail": "%s: %s" % (source, words.moment(clock.now()))}, "works", None

    # The cloud

    def cloud(self):
        state = self._cloud_state()
        who = self._owner_name()
        if state == "online" and who:
            return told(
                "cloud", _("Connected"), _("This router belongs to the account of %s.") % who, "works"
            )
        if state == "online":
            text = _("This router belongs to no account. It works without one.")
            return told("cloud", _("Connected"), text, "works")
        if state == "connecting":
            return told("cloud", _("Connecting"), _("This page does not need the cloud."), "waiting")
        return told("cloud", _("Not connected"), self._why_offline(), "waiting")

    def _why_offline(self):
        cloud = self.site.cloud
        parts = [_("The router goes on trying. This page does not need the cloud.")]
        if cloud is not None and cloud.state.get("last_error"):
            parts.insert(0, sentence(_(cloud.state["last_error"])))
        since = self._since()
        return " ".join(parts) + (" " + since if since else "")

    def _since(self):
        cloud, clock = self.site.cloud, self.site.clock
        since = cloud.state.get("since") if cloud is not None else None
        gone = clock.now() - since if since and clock.is_set else -1
        return _("Last changed %s.") % words.ago(gone) if 0 <= gone < MAX_YEARS_S else ""

    def _cloud_state(self):
        return self.site.cloud.state.get("state", "offline") if self.site.cloud is not None else "offline"

    def _owner_name(self):
        """The account that owns this router, or ""."""
        owner = self.site.cloud.state.get("owner") if self.site.cloud is not None else None
        return (owner.get("name") or owner.get("email") or "") if owner else ""

    def claim(self):
        claim = self.site.cloud.claim if self.site.cloud is not None else None
        if not claim:
            return {"claim.left": ""}, "none", ""
        left = max(0, int(claim["expires_at"] - self.site.clock.now()))
        texts = {"claim.left": _("The request ends in %s.") % words.span(left)}
        return texts, "waiting", claim_card(claim)

    # Traffic and devices

    def traffic(self):
        received, sent = self.site.router.traffic.last
        return {"traffic.received": words.rate(received), "traffic.sent": words.rate(sent)}, "works", None

    def _devices(self):
        return devices_told(self.site.router.devices.now())


def devices_told(rows):
    """How many devices there are, as a section without a table."""
    if not rows:
        return told("devices", _("No device yet"), _(NO_DEVICE), "waiting")
    here = len([row for row in rows if row["state"] == "here"])
    detail = words.counted(len(rows) - here, *AWAY) if len(rows) > here else _("Every known device is here.")
    return told("devices", words.counted(here, *HERE), detail, "works")


# What the overview reads, in its order.
OVERVIEW = (
    ("internet", View.internet),
    ("reach", View._reach),
    ("router", View.router),
    ("clock", View._clock),
    ("cloud", View.cloud),
    ("traffic", View.traffic),
    ("devices", View._devices),
    ("claim", View.claim),
)


def claim_card(claim):
    account = claim["account"]
    return fill(
        _CLAIM,
        title=_("Somebody wants to register this router"),
        name=account.get("name") or UNKNOWN,
        email=account.get("email") or UNKNOWN,
        wants=_("wants to add it to a cloud account, and could then restart it from anywhere."),
        number=words.grouped(claim["number"], 3),
        compare=_("Approve only if this is you, and the same number is on your other screen."),
        id=claim["claim_id"],
        approve=_("Approve"),
        refuse=_("Refuse"),
    )


def told(key, title, detail, state):
    return {key + ".title": title, key + ".detail": detail}, state, None


def sentence(text):
    """An error's text as a sentence on a page."""
    text = str(text)[:200]
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _use(used_kb, total_kb):
    return _("%s of %s") % (words.size(used_kb * 1024), words.size(total_kb * 1024))


def changes(before, after):
    """What of `after` is not in `before`, in the same shape; empty parts are left out."""
    found = {}
    for part in after:
        new = {
            key: after[part][key] for key in after[part] if before.get(part, {}).get(key) != after[part][key]
        }
        if new:
            found[part] = new
    return found


def shown(found, key, unknown=UNKNOWN):
    """A text of the view in its place, for live updates. unknown: what stands there until it is read."""
    text = escape(found["text"].get(key, unknown))
    return '<span data-live="' + key + '">' + text + "</span>"


def filled(found, key):
    """The markup of a section with its live texts in their places, as it is first shown."""
    markup = found["html"].get(key, "")
    if ' data-live="' not in markup:
        return markup
    for name in found["text"]:
        place = ' data-live="' + name + '">'
        markup = markup.replace(place, place + escape(found["text"][name]))
    return markup
