"""What programs read: the router's own values by subject, each with its scope, and the API's description.

A poll of these puts off the end of no session.
"""

from gatelodge import compat, log
from gatelodge.web import live, log_lines, reply, scopes
from gatelodge.web.message import Response
from gatelodge.web.routes import WATCHER, api, get

LONGEST_FIND = 64
MOST_LOG_BYTES = 16 * 1024
_LOG_FIELDS = {"level?": log_lines.LEVELS, "find?": LONGEST_FIND}
# All of it is our own, hexadecimal and whole numbers: nothing has to be escaped, letter by letter.
_SESSION = b'{"id":"%s","csrf_token":"%s","ends_in_s":%d,"is_proved":%s}'
_NO_CLOUD = {"state": "offline", "since": None, "owner": None, "last_error": None}


class ApiPages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        read = self._read
        return [
            get(
                "/api/openapi.json",
                WATCHER,
                self.description,
                about=api("This description", "Description", scopes.ANY),
            ),
            get("/api/session", WATCHER, self.session, about=api("The session that asks", "Session")),
            read("router", self.router, "What this router is and how it does", "Router", "status:read"),
            read("devices", self.devices, "The devices of the home", "Devices", "devices:read"),
            read("internet", self.internet, "The way out, and its interfaces", "Internet", "internet:read"),
            read(
                "traffic",
                self.traffic,
                "Bits per second, down and up, oldest first",
                "Traffic",
                "internet:read",
            ),
            read("cloud", self.cloud, "The link to the cloud", "Cloud", "cloud:read"),
            read("history", self.history, "The last sign-ins and changes", "History", "history:read"),
            read("log", self.log, "The newest lines of the log", "Log", "log:read", _LOG_FIELDS),
        ]

    def _read(self, name, handler, summary, shape, scope, fields=None):
        return get("/api/" + name, WATCHER, handler, fields, api(summary, shape, scope))

    def description(self, _visit, _values):
        from gatelodge.web import openapi  # 16 KB of the heap, seldom asked for

        described = openapi.Description(self._site.rows, self._site.version)
        compat.unload(openapi.MODULES)
        return Response(described, 200, {"Content-Type": reply.JSON, "Cache-Control": reply.NO_STORE})

    def session(self, visit, _values):
        """Programs that sign in as a browser does find here what their changes have to carry."""
        session = visit.session
        is_proved = b"true" if session.is_proved else b"false"
        told = (session.id.encode(), session.csrf_token.encode(), session.ends_in_s, is_proved)
        return reply.Data(_SESSION % told, 200)

    def router(self, _visit, _values):
        site = self._site
        told = dict(site.router.facts())
        told["serial_number"] = site.identity.get("serial_number", "")
        told["firmware"] = site.version
        told["slot"] = site.slot
        told["clock"] = {"now": site.clock.now(), "state": site.clock.state}
        return reply.data(told)

    def devices(self, _visit, _values):
        return reply.data({"devices": self._site.router.devices.now()})

    def internet(self, _visit, _values):
        router = self._site.router
        told = dict(router.internet())
        told["line"] = router.line()
        told["interfaces"] = router.interfaces()
        return reply.data(told)

    def traffic(self, _visit, _values):
        return reply.data({"step_s": live.PERIOD_S, "samples": self._site.router.traffic.since(0)})

    def cloud(self, _visit, _values):
        cloud = self._site.cloud
        state = cloud.state if cloud is not None else _NO_CLOUD
        told = {key: state[key] for key in _NO_CLOUD}
        if told["owner"]:
            told["owner"] = {key: told["owner"].get(key) or "" for key in ("name", "email")}
        return reply.data(told)

    def history(self, _visit, _values):
        return reply.data({"entries": self._site.owner.security.history()})

    def log(self, _visit, values):
        """It holds no secrets (log.py)."""
        found = log_lines.matching(log.lines(), values["level"], values["find"])
        return reply.data({"lines": log_lines.newest(found, MOST_LOG_BYTES)})
