"""Serves the operator's page: one document, three files, one stream of events, two actions.

Whoever reaches the address may use it, which is loopback unless it is told otherwise. Another site in the
same browser may not: the Host has to be one of ours (DNS rebinding), an action has to come from our own page
(Origin), and no page may frame this one.
"""

import json
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import NamedTuple, Protocol

from aiohttp import web

from host_tools.factory.operator.feed import Feed, FullError
from host_tools.release import places

STATIC = Path(__file__).with_name("static")
CONTRACT = places.FIRMWARE / "gatelodge" / "contract"
MOST_BODY_BYTES = 4096  # the name of a port
LONGEST_PORT = 1024  # characters of a path or a URL

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class File(NamedTuple):
    path: Path
    kind: str


FILES = {
    "/": File(STATIC / "bench.html", "text/html"),
    "/bench.css": File(STATIC / "bench.css", "text/css"),
    "/bench.js": File(STATIC / "bench.js", "text/javascript"),
    "/tokens.css": File(CONTRACT / "tokens.css", "text/css"),
    "/logo.svg": File(CONTRACT / "logo.svg", "image/svg+xml"),
}


class Line(Protocol):
    """What the page may ask of a line of boards. Both return at once; what comes of it is told as events."""

    def start(self, port: str | None = None) -> bool:
        """Start the board at the port, or at all that are ready; False when there is none."""

    def abort(self, port: str | None = None) -> bool:
        """Stop working on the board at the port, or on all; False when nothing is being worked on."""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    def __init__(self, feed: Feed, line: Line, hosts: Collection[str]):
        """`hosts`: what browsers may call this place, each as HOST:PORT."""
        self._feed = feed
        self._line = line
        self._hosts = hosts

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard], client_max_size=MOST_BODY_BYTES)
        for path in FILES:
            application.router.add_get(path, self._file)
        application.router.add_get("/events", self._events)
        application.router.add_post("/start", self._start)
        application.router.add_post("/abort", self._abort)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal:
            response: web.StreamResponse = _sentence(refusal, 403)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = _sentence(f"{error.reason}.", error.status)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _refusal(self, request: web.Request) -> str:
        if request.host.lower() not in self._hosts:
            return "This bench has another name: open the address that `gatelodge bench` prints."
        if request.method in ("GET", "HEAD"):
            return "" if self._may_read(request) else "Only this bench's own page may read that."
        # A browser sends the Origin with every POST, and no form of another site can send JSON.
        origin = request.headers.get("Origin", "")
        if not self._is_ours(origin) or request.content_type != "application/json":
            return "Only this bench's own page may do that."
        return ""

    def _may_read(self, request: web.Request) -> bool:
        """Another site may lead here by a link; it may not read, nor hold streams that the operator needs."""
        if request.path == "/":
            return True
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        return (origin is None or self._is_ours(origin)) and site in ("same-origin", "none")

    def _is_ours(self, origin: str) -> bool:
        return origin.lower() in {f"http://{host}" for host in self._hosts}

    async def _file(self, request: web.Request) -> web.Response:
        file = FILES[request.path]
        return web.Response(body=file.path.read_bytes(), content_type=file.kind, charset="utf-8")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        try:
            messages = self._feed.messages()
            first = await anext(messages)
        except FullError:
            return _sentence("Too many pages show this bench. Close one of them.", 503)
        await response.prepare(request)
        await response.write(first)
        try:
            async for data in messages:
                await response.write(data)
        except ConnectionError:
            pass  # the browser left
        finally:
            await messages.aclose()
        return response

    async def _start(self, request: web.Request) -> web.Response:
        if not self._line.start(await _port(request)):
            return _sentence("No board is waiting here. Connect one.", 409)
        return web.Response(status=204)

    async def _abort(self, request: web.Request) -> web.Response:
        if not self._line.abort(await _port(request)):
            return _sentence("Nothing is being worked on here.", 409)
        return web.Response(status=204)


async def _port(request: web.Request) -> str | None:
    """The port that is meant, None for all. Raises HTTPBadRequest."""
    try:
        fields = json.loads(await request.read())
        port = fields["port"]
        if port is not None and (not isinstance(port, str) or len(port) > LONGEST_PORT):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise web.HTTPBadRequest from None
    return port


def _sentence(text: str, status: int) -> web.Response:
    return web.Response(text=text, status=status)
