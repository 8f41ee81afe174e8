"""Live updates: one event stream per open page, which sends what has changed every two seconds, and takes the
samples of the traffic as it does.

Events (HTML Living Standard, server-sent events): `history` {step_s, samples: [[received, sent], ...]}
once where the page has the chart, then `update` {text, state, html, samples} as view.View describes;
`ended` when the session has ended.
"""

from gatelodge import compat
from gatelodge.text import speak
from gatelodge.web import view

PERIOD_S = 2  # a step of the traffic's chart
MAX_OPEN = 6  # streams at once: each holds a TLS connection, 40 KB


class LiveBody:
    """The body of `/live`. session_id: looked for each time, so that it ends with its session. shown: the
    View of the page. language: the tag of the page's own, whatever was chosen since."""

    def __init__(self, site, session_id, shown, language):
        self._site = site
        self._session_id = session_id
        self._view = shown
        self._language = language

    async def stream_to(self, connection):
        """Returns when the session has ended; raises LineError as soon as the browser has gone. As it has no
        end of its own, it is ended for nobody else."""
        connection.stream.yields_since_ms = None
        self._site.open_streams += 1
        try:
            await self._run(connection)
        finally:
            self._site.open_streams -= 1

    async def _run(self, connection):
        traffic = self._site.router.traffic
        traffic.sample()
        before, count = self._now(), traffic.count
        if self._view.has_traffic:
            history = {"step_s": PERIOD_S, "samples": traffic.since(0)}
            await connection.write(event("history", history))
        await connection.write(event("update", before))
        while True:
            await connection.pause(PERIOD_S * 1000)
            if not self._site.owner.goes_on(self._session_id, False):
                await connection.write(event("ended", {}))
                return
            traffic.sample()
            after = self._now()
            update = view.changes(before, after)
            if self._view.has_traffic:
                update["samples"] = traffic.since(count)
            before, count = after, traffic.count
            await connection.write(event("update", update))

    def _now(self):
        speak(self._language)  # others were answered since
        return self._view.now()


def event(name, value):
    return ("event: %s\ndata: %s\n\n" % (name, compat.json.dumps(value))).encode()
