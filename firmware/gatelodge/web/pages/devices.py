"""Devices: who is in the home network, by name, address and maker, and since when."""

from gatelodge.text import N_, _
from gatelodge.web import reply, view, words
from gatelodge.web.html import fill
from gatelodge.web.pages.parts import headline, live_page, table
from gatelodge.web.routes import OWNER, get

HEADS = (N_("Device"), N_("State"), N_("First seen"), N_("Address"), N_("Hardware address"))

# What the list can and cannot say.
NOTES = (
    N_("Names come from the devices themselves, when the router gives them an address."),
    N_("A private address was made up by the device, so that nobody can follow it. It names no maker."),
    N_("First seen counts from the router's start. It is kept in memory only."),
    N_("The router keeps a silent device as here for some minutes."),
)
NO_IPV6 = N_("This router's system does not tell of devices that speak IPv6 alone.")

_ROW = """<tr><th scope="row">{name}<span class="quiet">{maker}</span></th>
<td data-label="{state_label}"><span class="pill" data-state="{state}">{word}</span><span class="quiet"
 data-live="device.{mac}.last"></span></td>
<td data-label="{first}" title="{moment}" data-live="device.{mac}.first"></td>
<td data-label="{at}">{address}<span class="quiet">{more}</span></td>
<td data-label="{hardware}" class="mono">{mac}</td></tr>"""

_EMPTY = '<tr class="empty"><td colspan="5">{text}</td></tr>'
_NOTES = "<details><summary>{title}</summary>{notes!}</details>"
_NOTE = '<p class="hint">{text}</p>'
MOST_FIRST_BYTES = 5000  # of the rows that the page comes with: a page has 15 KB, and its frame takes eight
STEADY_S = 3  # two readings of one moment, in whole seconds of two clocks, differ by less


class DevicesPages:
    def __init__(self, site):
        self._site = site
        self._moments = {}  # mac -> unix s: when each was first seen, as it was first told
        sections = (("devices", self._devices),)
        self._view = site.views["devices"] = view.View(site, sections)

    def rows(self):
        return [get("/devices", OWNER, self.page)]

    def page(self, visit, _values):
        now = self._view.now()
        now["html"]["devices"] = _first_rows(now["html"].get("devices", ""))
        after = notes_markup(self._site.router.tells_ipv6)
        devices = table(now, "devices", _("In the home network"), HEADS, " wide", after)
        body = headline(now, "devices") + '<div class="cards">' + devices + "</div>"
        body = live_page(self._site, "devices", body)
        return reply.page(self._site.shell.signed_in("/devices", _("Devices"), body, visit.session))

    def _devices(self, shown):
        found = self._site.router.devices.now()
        texts, state, _html = view.devices_told(found)
        moments, self._moments = self._moments, {}
        rows = []
        for device in found:
            mac = device["mac"]
            texts["device." + mac + ".first"] = _ago(device["first_seen_s"], view.UNKNOWN)
            is_away = device["state"] == "away"
            texts["device." + mac + ".last"] = _ago(device["last_seen_s"], "") if is_away else ""
            moment = self._moment(device, moments.get(mac))
            rows.append(_row(device, words.moment(moment) if moment else ""))
        return texts, state, "".join(rows) or fill(_EMPTY, text=_("Each is listed here by its name."))

    def _moment(self, device, told_before):
        """When it was first seen, as unix s, for whoever wants it exactly; None while no time is known."""
        clock = self._site.clock
        if device["first_seen_s"] is None or not clock.is_set:
            return None
        moment = clock.now() - device["first_seen_s"]
        if told_before is not None and abs(moment - told_before) <= STEADY_S:
            moment = told_before
        self._moments[device["mac"]] = moment
        return moment


def notes_markup(tells_ipv6):
    texts = NOTES if tells_ipv6 else NOTES + (NO_IPV6,)
    notes = "".join([fill(_NOTE, text=_(text)) for text in texts])
    return fill(_NOTES, title=_("About this list"), notes=notes)


def _first_rows(markup):
    """As many whole rows as the page may weigh. The live updates begin with all of them, at once."""
    data = markup.encode()
    if len(data) <= MOST_FIRST_BYTES:
        return markup
    return str(data[: data.rfind(b"</tr>", 0, MOST_FIRST_BYTES) + len(b"</tr>")], "utf-8")


def _row(device, moment):
    addresses = device["addresses"] or [view.UNKNOWN]
    is_here = device["state"] == "here"
    return fill(
        _ROW,
        name=device["name"] or _("Unnamed device"),
        maker=_("Private address") if device["is_private"] else device["vendor"],
        address=addresses[0],
        more=" ".join(addresses[1:]),
        mac=device["mac"],
        moment=moment,
        state="works" if is_here else "off",
        word=_("Here") if is_here else _("Away"),
        at=_(HEADS[3]),
        hardware=_(HEADS[4]),
        first=_(HEADS[2]),
        state_label=_(HEADS[1]),
    )


def _ago(seconds, unknown):
    return unknown if seconds is None else words.ago(seconds)
