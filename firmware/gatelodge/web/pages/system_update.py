"""Firmware on the system page: what runs, an update from a file, the start into it, and the way back.

The script asks first whether the file may come (`ask`), and is told where to: so a code that is missing is
asked for before a few hundred KB travel. The file goes as it is, and is never in the heap as a whole.
"""

from gatelodge import compat
from gatelodge.refusals import refusal
from gatelodge.text import _, speak
from gatelodge.web import language, reply
from gatelodge.web.routes import OWNER, api, get, post, upload

PATH = "/api/system/firmware"
BUNDLE = PATH + "/bundle"
MOST_SENT = 5 << 20  # bytes, as owner/updates.py takes them
OLDER = ("no", "yes")


class UpdatePages:
    def __init__(self, site):
        self._site = site
        self._updates = site.updates

    def rows(self):
        about = api("Install firmware from a signed bundle, which then waits for its start")
        asked = {"bundle": 12, "older?": OLDER}  # how many bytes it has
        return [
            get(PATH, OWNER, self.told, about=api("Which firmware runs, and which could", "Firmware")),
            _sensitive("/ask", self.ask, asked, "Ask to send firmware", "Room"),
            upload(BUNDLE, OWNER, self.take, MOST_SENT, {"older?": OLDER}, about),
            _sensitive("/start", self.start, None, "Start the firmware of the other slot", "Done"),
        ]

    def card(self, now):
        from gatelodge.web.pages import system_update_parts as parts  # 4 KB of the heap, for one page

        markup = parts.drawn(now, self._updates.told())
        compat.unload((parts.NAME,))
        return markup

    def dialog(self):
        from gatelodge.web.pages import system_update_parts as parts

        markup = parts.updating()
        compat.unload((parts.NAME,))
        return markup

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
        def turn():
            """Minutes may have passed, in which whoever sent it was put out."""
            speak(language.of(visit.request))
            if not self._site.owner.goes_on(visit.session.id, True):
                raise refusal("session_over")

        takes_older = values["older"] == "yes"
        version = await self._updates.take(visit.request.body, visit.visitor, takes_older, turn)
        return reply.data({"again": True, "say": _("Version %s is installed. Restart into it.") % version})

    def start(self, visit, _values):
        version = self._updates.switch(visit.visitor)
        self._site.power.start_again(visit.by)
        told = _("The router starts version %s. In a few seconds it is back.") % version
        return reply.data({"say": told, "down": True})


def _sensitive(path, handler, fields, summary, shape):
    return post(PATH + path, OWNER, handler, fields, True, api(summary, shape))
