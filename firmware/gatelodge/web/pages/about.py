"""About: what this router is and runs, under which licences, and its service code for who gives a code."""

from gatelodge import compat
from gatelodge.text import N_, _
from gatelodge.web import reply, view
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.parts import facts
from gatelodge.web.routes import OWNER, api, get, post

_PAGE = """<h1>{model}</h1><p class="quiet">{serial_label} <span class="mono">{serial}</span></p>
<div class="cards">
<section class="card"><h2>{versions_title}</h2>{versions!}</section>
<section class="card"><h2>{label}</h2><p class="hint">{what}</p>
<form class="begin" data-post="/api/service-code" data-show="#code"><p class="key" id="code"
aria-live="polite"></p><button>{show}</button>
<p class="error" data-error="form" role="alert"></p></form></section>
<section class="card wide"><h2>{licences_title}</h2><table><thead><tr><th scope="col">{part}</th><th
scope="col">{role}</th><th scope="col">{licence}</th></tr></thead><tbody>{licences!}</tbody></table></section>
</div>
"""

_LICENCE = """<tr><th scope="row">{name}</th><td data-label="{role}">{what}</td><td
data-label="{licence}">{under}</td></tr>"""

# (part, what it does here, SPDX name of its licence): what the bundle holds, then what runs it.
LICENCES = (
    ("Gatelodge", N_("This page and everything behind it"), "MIT"),
    ("MicroPython", N_("Runs all of that"), "MIT"),
    ("Mbed TLS", N_("Encrypts, inside MicroPython"), "Apache-2.0"),
    ("libffi", N_("Lets MicroPython call the system"), "MIT"),
)


class AboutPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        return [
            get("/about", OWNER, self.page),
            post(
                "/api/service-code",
                OWNER,
                self.service_code,
                proof=True,
                about=api("The service code of the label", "ServiceCode"),
            ),
        ]

    def page(self, visit, _values):
        identity = self._site.identity
        body = fill(
            _PAGE,
            model=identity.get("model", view.UNKNOWN),
            serial_label=_("Serial number"),
            serial=identity.get("serial_number", view.UNKNOWN),
            versions_title=_("What it runs"),
            versions=facts([(name, escape(text)) for name, text in self._versions()]),
            label=_("Service code"),
            what=_("It registers this router in a cloud account, as the label does. Show it to nobody else."),
            show=_("Show the service code"),
            licences_title=_("Licences"),
            part=_("Part"),
            role=_("What it does"),
            licence=_("Licence"),
            licences="".join([_licence(*row) for row in LICENCES]),
        )
        return reply.page(self._site.shell.signed_in("/about", _("About"), body, visit.session))

    def _versions(self):
        """(name, text) pairs. A router that cannot be asked for its kernel tells the rest."""
        try:
            kernel = self._site.router.facts()["kernel"]
        except OSError:
            kernel = ""
        return (
            (_("Firmware"), self._site.version),
            (_("Slot"), self._site.slot.upper() or view.UNKNOWN),
            compat.INTERPRETER,
            (_("Kernel"), kernel or view.UNKNOWN),
        )

    def service_code(self, _visit, _values):
        return reply.data({"show": self._site.owner.service_code()})


def _licence(name, what, under):
    return fill(_LICENCE, name=name, what=_(what), under=under, role=_("What it does"), licence=_("Licence"))
