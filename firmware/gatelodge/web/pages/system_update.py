"""Firmware on the system page: what runs, an update from a file, the start into it, and the way back.

The script asks first whether the file may come (`ask`), and is told where to: so a code that is missing is
asked for before a few hundred KB travel. The file goes as it is, and is never in the heap as a whole.
"""

from gatelodge.refusals import refusal
from gatelodge.text import N_, _, speak
from gatelodge.web import language, reply
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.parts import card, facts
from gatelodge.web.pages.security_dialogs import dialog, paragraph
from gatelodge.web.pages.security_parts import hint, opening
from gatelodge.web.pages.shell import field, form_error
from gatelodge.web.routes import OWNER, api, get, post, upload

UPDATE = "firmware-update"
PATH = "/api/system/firmware"
BUNDLE = PATH + "/bundle"
MOST_SENT = 5 << 20  # bytes, as owner/updates.py takes them
OLDER = ("no", "yes")

_ACT = """<form data-post="/api/system/firmware/start"><button{kind!}>{go}</button>{error!}</form>"""
_FORM = """<form data-post="/api/system/firmware/ask" novalidate>{field!}
<label class="tick"><input type="checkbox" name="older" value="yes"> {older}</label>
<progress max="1" value="0" aria-label="{progress}" hidden></progress>{error!}
<div class="row"><button class="primary">{go}</button><button type="button" data-close>{cancel}</button></div>
</form>
"""

# state of the last update -> what the card says of it, of (version, version before).
_TOLD = {
    "waiting": N_("Version %s is installed. It runs after the next start; if it fails, %s comes back."),
    "done": N_("Updated to %s. Before that, %s ran."),
    "failed": N_("Version %s did not start. Version %s runs, as before."),
}


class UpdatePages:
    def __init__(self, site):
        self._site = site
        self._updates = site.updates

    def rows(self):
        about = api("Install firmware from a signed bundle, which then waits for its start")
        asked = {"bundle": 12, "older?": OLDER}  # how many bytes it has
        return [
            get(PATH, OWNER, self.told, about=api("Which firmware runs, and which could", "Firmware")),
            self._sensitive("/ask", self.ask, asked, "Ask to send firmware", "Room"),
            upload(BUNDLE, OWNER, self.take, MOST_SENT, {"older?": OLDER}, about),
            self._sensitive("/start", self.start, None, "Start the firmware of the other slot", "Done"),
        ]

    def _sensitive(self, path, handler, fields, summary, shape):
        return post(PATH + path, OWNER, handler, fields, True, api(summary, shape))

    def card(self, now):
        told = self._updates.told()
        rows = [(_("Running"), escape(told.running))]
        if told.other is not None:
            rows.append((_("In the other slot"), escape(told.other)))
        body = facts(rows)
        is_waiting = told.update is not None and told.update["state"] == "waiting"
        if told.update is not None:
            body += hint(_(_TOLD[told.update["state"]]) % (told.update["version"], told.update["before"]))
        buttons = opening(UPDATE, _("Install an update"))
        if told.can_switch:
            buttons = _act(told.other, is_waiting) + buttons
        return card(now, "firmware", _("Firmware"), body + '<div class="row">' + buttons + "</div>")

    def told(self, _visit, _values):
        told = self._updates.told()
        found = {"running": told.running, "other": told.other, "can_switch": told.can_switch}
        return reply.data(dict(found, update=told.update))

    def ask(self, _visit, values):
        if not values["bundle"].isdigit():
            raise refusal("bundle_not_one")
        self._updates.check_room(int(values["bundle"]))
        return reply.data({"upload": BUNDLE + "?older=" + values["older"]})

    async def take(self, visit, values):
        def speak_again():
            speak(language.of(visit.request))

        takes_older = values["older"] == "yes"
        version = await self._updates.take(visit.request.body, visit.visitor, takes_older, speak_again)
        speak_again()
        return reply.data({"again": True, "say": _("Version %s is installed. Restart into it.") % version})

    def start(self, visit, _values):
        version = self._updates.switch(visit.visitor)
        self._site.power.start_again(visit.by)
        told = _("The router starts version %s. In a few seconds it is back.") % version
        return reply.data({"say": told, "down": True})


def _act(version, is_waiting):
    go = _("Restart into version %s") if is_waiting else _("Switch to version %s")
    kind = ' class="primary"' if is_waiting else ""
    return fill(_ACT, go=go % version, kind=kind, error=form_error())


def updating():
    """Markup of the dialog."""
    hint_text = _("A file gatelodge-*.tar of this router's maker.")
    chosen = field("bundle", _("Signed bundle"), hint_text, type="file", required="")
    form = fill(
        _FORM,
        field=chosen,
        older=_("Install it even if it is older"),
        progress=_("How much has arrived"),
        error=form_error(),
        go=_("Check and install"),
        cancel=_("Cancel"),
    )
    lead = _("Only what the maker has signed is installed. What runs now stays until the new firmware works.")
    return dialog(UPDATE, _("Install an update"), paragraph(lead) + form)
