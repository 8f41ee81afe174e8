"""The connections of browsers: aiohttp's, but for what it leaves open to strangers.

Who does not begin TLS, or does not take an answer, is given up: such a line would be held for as long as they
like. What is no HTTP is answered with the headers of every other answer, without a version, and unquoted.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from functools import partial

from aiohttp import web

from host_tools.cloud.http_log import HTTP_LOG
from host_tools.cloud.systemd.sockets import BACKLOG, Address

KEEP_ALIVE_S = 30  # for the head of a request, the first and each that follows
HANDSHAKE_S = 15
UNREAD_S = 30  # for a peer to make room, where our buffers are full
NO_HTTP = "400: This is no request of HTTP/1.1 that can be read in one way only."


class Line(web.RequestHandler):
    """headers: of every answer that no page gives."""

    __slots__ = ("_given_up", "_headers")

    def __init__(self, server: web.Server, headers: Mapping[str, str]):
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # as its runner takes it: accesses are in no log
            logger=HTTP_LOG,
            keepalive_timeout=KEEP_ALIVE_S,
        )
        self._headers = headers
        self._given_up: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.transport is not None:
            self._given_up = self._loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        answer = super().handle_error(request, status, exc, NO_HTTP if message else None)
        answer.headers.update(self._headers)
        return answer


class Lines(web.BaseSite):
    """A port at which a runner's application is served, over TLS."""

    __slots__ = ("_at", "_headers")

    def __init__(
        self,
        runner: web.AppRunner,
        at: Address | socket.socket,
        context: ssl.SSLContext,
        headers: Mapping[str, str],
    ):
        """at: to be opened, or a socket that is open."""
        super().__init__(runner, ssl_context=context, backlog=BACKLOG)
        self._at, self._headers = at, headers

    @property
    def name(self) -> str:
        at = self._at if isinstance(self._at, Address) else Address(*self._at.getsockname()[:2])
        return f"https://{at}"

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        at = self._at._asdict() if isinstance(self._at, Address) else {"sock": self._at}
        self._server = await asyncio.get_running_loop().create_server(
            partial(Line, server, self._headers),
            **at,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=HANDSHAKE_S,
        )
