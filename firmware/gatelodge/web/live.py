"""Live updates: one event stream per open page, which sends what has changed every two seconds.

Events (HTML Living Standard, server-sent events): `history` {step_s, samples: [[received, sent], ...]}
once where the page has the chart, then `update` {text, state, html, samples} as view.View describes;
`ended` when the session has ended.
"""

import asyncio

from gatelodge import compat
from gatelodge.text import speak
from gatelodge.web import view

PERIOD_S = 2  # as often as traffic is sampled
MAX_OPEN = 6  # streams at once: each holds a TLS connection, 40 KB


class LiveBody:
    """The body of `/live`. session_token: looked at each time, so that it ends with its session. shown: the
    View of the page. language: the tag of the page's own, whatever was chosen since."""

    def __init__(self, site, session_token, shown, language):
        self._site = site
        self._token = session_token
        self._view = shown
        self._language = language

    async def stream_to(self, write):
        """write(bytes): coroutine. Returns when the session has ended; raises LineError when the browser has
        gone."""
        self._site.open_streams += 1
        try:
            await self._run(write)
        finally:
            self._site.open_streams -= 1

    async def _run(self, write):
        traffic = self._site.router.traffic
        before, count = self._now(), traffic.count
        if self._view.has_traffic:
            await write(event("history", {"step_s": PERIOD_S, "samples": traffic.since(0)}))
        await write(event("update", before))
        while True:
            await asyncio.sleep(PERIOD_S)
            if self._site.owner.session(self._token, False) is None:
                await write(event("ended", {}))
                return
            after = self._now()
            update = view.changes(before, after)
            if self._view.has_traffic:
                update["samples"] = traffic.since(count)
            before, count = after, traffic.count
            await write(event("update", update))

    def _now(self):
        speak(self._language)  # others were answered since
        return self._view.now()


def event(name, value):
    return ("event: %s\ndata: %s\n\n" % (name, compat.json.dumps(value))).encode()
