"""Internet: whether it works, what the line is made of, and what went over it."""

from gatelodge.text import N_, _
from gatelodge.web import reply, view, words
from gatelodge.web.html import fill
from gatelodge.web.pages.parts import card, chart, headline, live_facts, live_page, table
from gatelodge.web.routes import OWNER, get

HEADS = (N_("Interface"), N_("Link"), N_("Address"), N_("Received"), N_("Sent"))

# (name, key of the live text): what the line is made of.
FACTS = (
    (N_("Interface"), "line.interface"),
    (N_("Link"), "line.link"),
    (N_("Addresses"), "line.addresses"),
    (N_("Gateway"), "line.gateways"),
    (N_("DNS servers"), "line.name_servers"),
    (N_("Hardware address"), "line.mac"),
)
_ROLES = {"wan": N_("Internet"), "lan": N_("Home network"), "other": N_("Other")}

_ADDRESS = '<div class="who"><h2>{title}</h2><p>{address!}</p></div>'

_ROW = """<tr><th scope="row">{role}<span class="quiet">{name} · {mac}</span></th>
<td data-label="{link}"><span class="pill" data-state="{state}">{word}</span></td><td
data-label="{address}">{at}</td>
<td data-label="{received}" class="figure" data-live="if.{name}.received"></td>
<td data-label="{sent}" class="figure" data-live="if.{name}.sent"></td></tr>"""
_EMPTY = '<tr class="empty"><td colspan="5">{text}</td></tr>'


class InternetPages:
    def __init__(self, site):
        self._site = site
        sections = (
            ("internet", view.View.internet),
            ("traffic", view.View.traffic),
            ("line", _line),
            ("interfaces", _interfaces),
        )
        self._view = site.views["internet"] = view.View(site, sections)

    def rows(self):
        return [get("/internet", OWNER, self.page)]

    def page(self, visit, _values):
        now = self._view.now()
        address = fill(_ADDRESS, title=_("This router's address"), address=view.shown(now, "line.address"))
        line = card(now, "line", _("The line"), live_facts(now, FACTS), " wide")
        interfaces = table(now, "interfaces", _("Interfaces"), HEADS, " wide")
        cards = '<div class="cards">' + chart(now) + line + interfaces + "</div>"
        body = live_page(self._site, "internet", headline(now, "internet", address) + cards)
        return reply.page(self._site.shell.signed_in("/internet", _("Internet"), body, visit.session))


def _line(shown):
    line = shown.site.router.line()
    addresses = line["addresses"] or [_("None yet")]
    texts = {
        "line.address": addresses[0],
        "line.addresses": ", ".join(addresses),
        "line.interface": line["interface"] or view.UNKNOWN,
        "line.link": _link(line),
        "line.gateways": ", ".join(line["gateways"]) or _("None"),
        "line.name_servers": ", ".join(line["name_servers"]) or _("None"),
        "line.mac": line["mac"] or view.UNKNOWN,
    }
    return texts, "works", None


def _link(line):
    if not line["up"]:
        return _("Down")
    return _("Up, %s") % words.rate(line["speed_mbit"] * 1000000) if line["speed_mbit"] else _("Up")


def _interfaces(shown):
    texts, rows = {}, []
    for interface in shown.site.router.interfaces():
        texts["if." + interface["name"] + ".received"] = words.size(interface["rx_bytes"])
        texts["if." + interface["name"] + ".sent"] = words.size(interface["tx_bytes"])
        rows.append(_row(interface))
    return texts, "works", "".join(rows) or fill(_EMPTY, text=_("The kernel names no interface."))


def _row(interface):
    return fill(
        _ROW,
        role=_(_ROLES[interface["role"]]),
        name=interface["name"],
        mac=interface["mac"] or view.UNKNOWN,
        state="works" if interface["up"] else "off",
        word=_("Up") if interface["up"] else _("Down"),
        at=interface["address"] or view.UNKNOWN,
        link=_(HEADS[1]),
        address=_(HEADS[2]),
        received=_(HEADS[3]),
        sent=_(HEADS[4]),
    )
