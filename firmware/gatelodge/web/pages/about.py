"""About: what this router is, and its service code for whoever is signed in."""

from gatelodge.text import _
from gatelodge.web import reply
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.overview import facts
from gatelodge.web.routes import OWNER, get, post

_PAGE = """<h1>{title}</h1><div class="cards">
<section class="card"><h2>{label}</h2>{facts!}
<form class="reveal" data-post="/api/service-code" data-show="#code"><h3>{code}</h3>
<p class="hint">{what}</p><p class="key" id="code" aria-live="polite"></p><button>{show}</button>
<p class="error" data-error="form" role="alert"></p></form></section>
<section class="card"><h2>{signin}</h2>{factors!}</section></div>
"""


class AboutPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        return [
            get("/about", OWNER, self.page),
            post("/api/service-code", OWNER, self.service_code),
        ]

    def page(self, visit, _values):
        body = fill(
            _PAGE,
            title=_("About this router"),
            label=_("The label"),
            facts=facts(self._label()),
            code=_("Service code"),
            what=_("It registers this router in a cloud account. Show it to nobody else."),
            show=_("Show the service code"),
            signin=_("Signing in"),
            factors=facts(self._factors()),
        )
        return reply.page(self._site.shell.signed_in("/about", _("About"), body, visit.session))

    def _label(self):
        identity = self._site.identity
        return (
            (_("Model"), escape(identity.get("model", "–"))),
            (
                _("Serial number"),
                '<span class="mono">' + escape(identity.get("serial_number", "–")) + "</span>",
            ),
            (_("Firmware"), escape(self._site.version)),
        )

    def _factors(self):
        status = self._site.owner.status()
        names = ", ".join([authenticator["name"] for authenticator in status["authenticators"]]) or _("none")
        return (
            (_("Authenticators"), escape(names)),
            (_("Recovery codes left"), escape(status["recovery_codes_left"])),
        )

    def service_code(self, visit, _values):
        self._site.owner.require_proof(visit.session_token)
        return reply.data({"show": self._site.owner.service_code()})
