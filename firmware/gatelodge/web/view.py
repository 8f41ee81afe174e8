"""What the overview says right now, by name: the page is filled from it, live updates send what changed.

    View(site).now() -> {"text": {key: text}, "state": {key: word}, "html": {key: markup}}

`text` goes into [data-live=key], `state` into the data-state of [data-live-state=key], `html` inside
[data-live-html=key]. A section that cannot be read says so in its state ("failed") and takes no other
section along.
"""

from gatelodge import log
from gatelodge.text import _
from gatelodge.web import words
from gatelodge.web.html import escape, fill

UNKNOWN = "–"
MAX_YEARS_S = 10 * 366 * 86400  # a time further back was taken before the clock was set

_ROLES = {"wan": _("Internet"), "lan": _("Home network"), "other": _("Other")}
_TIME_SOURCES = {
    "sntp": _("Set by network time"),
    "cloud": _("Set by the cloud"),
    "rtc": _("Set by the battery clock"),
    "bench": _("Set at the factory"),
}

# What is known of the way out -> title, detail, state.
_INTERNET = {
    "no link": (
        _("No internet"),
        _("The internet port has no link. Check the cable to the modem."),
        "trouble",
    ),
    "no route": (
        _("No internet"),
        _("The line is there, but gives no way out. Restart the modem."),
        "trouble",
    ),
    "silent": (
        _("Waiting for the internet"),
        _("The line is there, but no server has answered yet. This is checked all the time."),
        "waiting",
    ),
    "answered": (_("The internet works"), _("Servers outside answer this router."), "works"),
}

_INTERFACE = """<tr><th scope="row">{role}<span class="quiet">{name} · {mac}</span></th>
<td data-label="{link}"><span class="pill" data-state="{state}">{word}</span></td><td
data-label="{address}">{at}</td>
<td data-label="{received}" class="figure" data-live="if.{name}.received"></td>
<td data-label="{sent}" class="figure" data-live="if.{name}.sent"></td></tr>"""

_NEIGHBOUR = """<tr><th scope="row">{address}</th><td data-label="{mac_label}" class="mono">{mac}</td>
<td data-label="{state_label}"><span class="pill" data-state="{state}">{word}</span></td></tr>"""

_EMPTY = '<tr class="empty"><td colspan="5">{text}</td></tr>'

_CLAIM = """<h2>{title}</h2><p><strong>{name}</strong> ({email}) {wants}</p>
<p class="number">{number}</p><p>{compare} <span data-live="claim.left" aria-live="off"></span></p>
<form class="row" data-post="/api/claim"><input type="hidden" name="claim_id" value="{id}">
<button class="primary" name="answer" value="approve">{approve}</button>
<button name="answer" value="refuse">{refuse}</button></form>"""


class View:
    def __init__(self, site):
        self._site = site

    def now(self):
        found = {"text": {}, "state": {}, "html": {}}
        for name, read in (
            ("internet", self._internet),
            ("reach", self._reach),
            ("router", self._router),
            ("clock", self._clock),
            ("cloud", self._cloud),
            ("traffic", self._traffic),
            ("interfaces", self._interfaces),
            ("neighbours", self._neighbours),
            ("claim", self._claim),
        ):
            self._take(name, read, found)
        return found

    def _take(self, name, read, found):
        """Add one section. read() -> (texts, state word, markup or None)."""
        try:
            texts, state, html = read()
        except Exception as error:
            log.debug("web", "the overview could not read %s: %s", name, error)
            texts, state, html = {}, "failed", None
        for key in texts:
            found["text"][key] = texts[key]
        found["state"][name] = state
        if html is not None:
            found["html"][name] = html

    # The largest fact

    def _internet(self):
        internet = self._site.router.internet()
        if not internet["up"]:
            case = "no link"
        elif not internet["route"]:
            case = "no route"
        else:
            case = "answered" if self._has_answer() else "silent"
        title, detail, state = _INTERNET[case]
        return _told("internet", title, detail, state)

    def _has_answer(self):
        """Whether somebody outside has answered: the cloud now, or network time since the start."""
        return self._cloud_state() == "online" or self._site.clock.source in ("sntp", "cloud")

    def _reach(self):
        who = self._owner_name()
        if who:
            text = _("Whoever signs in from this network, and %s through the cloud.") % who
        else:
            text = _("Whoever signs in from this network. Nobody from outside.")
        return {"reach.detail": text}, "works", None

    # This router

    def _router(self):
        facts = self._site.router.facts()
        memory, storage = facts["memory"], facts["storage"]
        used = memory["total_kb"] - memory["available_kb"]
        texts = {
            "router.model": facts["model"],
            "router.firmware": self._site.version,
            "router.kernel": facts["kernel"],
            "router.uptime": words.span(facts["uptime_s"]),
            "router.load": "  ".join(["%.2f" % value for value in facts["load"]]),
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
        clock = self._site.clock
        if not clock.is_set:
            return (
                {"clock.detail": _("Not set yet. Codes cannot be judged until network time answers.")},
                "waiting",
                None,
            )
        source = _TIME_SOURCES.get(clock.source, _("Set"))
        return {"clock.detail": "%s: %s" % (source, words.moment(clock.now()))}, "works", None

    # The cloud

    def _cloud(self):
        state = self._cloud_state()
        who = self._owner_name()
        if state == "online" and who:
            return _told(
                "cloud", _("Connected"), _("This router belongs to the account of %s.") % who, "works"
            )
        if state == "online":
            text = _("Not registered. Enter the service code in a cloud account, then approve it here.")
            return _told("cloud", _("Connected"), text, "works")
        if state == "connecting":
            return _told("cloud", _("Connecting"), _("This page does not need the cloud."), "waiting")
        return _told("cloud", _("Not connected"), self._why_offline(), "waiting")

    def _why_offline(self):
        cloud = self._site.cloud
        parts = [_("The router goes on trying. This page does not need the cloud.")]
        if cloud is not None and cloud.state.get("last_error"):
            parts.insert(0, _sentence(cloud.state["last_error"]))
        since = self._since()
        return " ".join(parts) + (" " + since if since else "")

    def _since(self):
        cloud, clock = self._site.cloud, self._site.clock
        since = cloud.state.get("since") if cloud is not None else None
        gone = clock.now() - since if since and clock.is_set else -1
        return _("Last changed %s.") % words.ago(gone) if 0 <= gone < MAX_YEARS_S else ""

    def _cloud_state(self):
        return self._site.cloud.state.get("state", "offline") if self._site.cloud is not None else "offline"

    def _owner_name(self):
        """The account that owns this router, or ""."""
        owner = self._site.cloud.state.get("owner") if self._site.cloud is not None else None
        return (owner.get("name") or owner.get("email") or "") if owner else ""

    def _claim(self):
        claim = self._site.cloud.claim if self._site.cloud is not None else None
        if not claim:
            return {"claim.left": ""}, "none", ""
        left = max(0, int(claim["expires_at"] - self._site.clock.now()))
        texts = {"claim.left": _("The request ends in %s.") % words.span(left)}
        return texts, "waiting", claim_card(claim)

    # Traffic, interfaces, neighbours

    def _traffic(self):
        received, sent = self._site.router.traffic.last
        return {"traffic.received": words.rate(received), "traffic.sent": words.rate(sent)}, "works", None

    def _interfaces(self):
        texts, rows = {}, []
        for interface in self._site.router.interfaces():
            texts["if." + interface["name"] + ".received"] = words.size(interface["rx_bytes"])
            texts["if." + interface["name"] + ".sent"] = words.size(interface["tx_bytes"])
            rows.append(_interface_row(interface))
        return texts, "works", "".join(rows) or fill(_EMPTY, text=_("The kernel names no interface."))

    def _neighbours(self):
        rows = [_neighbour_row(neighbour) for neighbour in self._site.router.neighbours()]
        empty = _("No device has spoken yet. Connect a phone or a laptop, and it is here within a minute.")
        return {}, "works", "".join(rows) or fill(_EMPTY, text=empty)


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


def _told(key, title, detail, state):
    return {key + ".title": title, key + ".detail": detail}, state, None


def _sentence(text):
    """An error's text as a sentence on a page."""
    text = str(text)[:200]
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _use(used_kb, total_kb):
    return _("%s of %s") % (words.size(used_kb * 1024), words.size(total_kb * 1024))


def _interface_row(interface):
    return fill(
        _INTERFACE,
        role=_ROLES[interface["role"]],
        name=interface["name"],
        mac=interface["mac"] or UNKNOWN,
        state="works" if interface["up"] else "off",
        word=_("Up") if interface["up"] else _("Down"),
        at=interface["address"] or UNKNOWN,
        link=_("Link"),
        address=_("Address"),
        received=_("Received"),
        sent=_("Sent"),
    )


def _neighbour_row(neighbour):
    here = neighbour["state"] == "reachable"
    return fill(
        _NEIGHBOUR,
        address=neighbour["address"],
        mac=neighbour["mac"] if here else UNKNOWN,
        state="works" if here else "off",
        word=_("Here") if here else _("No answer"),
        mac_label=_("Hardware address"),
        state_label=_("State"),
    )


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


def shown(found, key):
    """A text of the view in its place, ready for live updates."""
    text = escape(found["text"].get(key, UNKNOWN))
    return '<span data-live="' + key + '">' + text + "</span>"
