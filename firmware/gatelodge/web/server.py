"""HTTP/1.1 with keep-alive: connections, limits, deadlines, and answers in one write.

    server = WebServer(routes, guard, refusal_body)
    await server.handle(stream)       # one connection of the admin page, until it ends
    await Redirect(guard, https_port).handle(stream)   # one connection of plain HTTP: told to use HTTPS

wire.py checks a head, message.Request reads it, routes.Routes answers it.
"""

from gatelodge import compat, log
from gatelodge.contract.errors import LineError
from gatelodge.text import speak
from gatelodge.web import language, wire
from gatelodge.web.guard import host_name
from gatelodge.web.message import Request, Response
from gatelodge.web.reply import Data
from gatelodge.web.upload import Upload
from gatelodge.web.wire import Refusal

IDLE_MS = 75000  # between requests: a TLS handshake costs this router more than an open connection does
HEAD_MS = 10000  # for a whole head, however it trickles in
BODY_MS = 10000  # for a whole body
WRITE_MS = 10000  # without any progress of an answer
CHUNK = 2048  # bytes asked of a stream at once
MAX_REQUESTS = 1000  # on one connection, so that none lives for ever
MAX_KEPT_HEAD = 2048  # bytes of a head that is kept with what was read of it: four times its size in all
MAX_DRAIN = 16384  # bytes of a refused body that are still read, so that the refusal arrives before a reset


class Connection:
    """Bytes in, bytes out: finds the end of a head, keeps what came after it for the next request."""

    def __init__(self, stream, monotonic_ms=compat.monotonic_ms, answer=None):
        """answer: Routes.answer, by which a request like the last one is answered on its arrival."""
        self.stream = stream
        self.left = MAX_REQUESTS
        self._answer = answer
        self.client = stream.peer[0] if stream.peer else ""
        self._monotonic_ms = monotonic_ms
        self._came = b""
        # The last request without a body. A browser asks again and again in the same bytes, or in bytes that
        # differ in what is asked for alone: what was checked and read of the fields need not be again. Who
        # may, and the session, are asked each time: that is the handler's business.
        self.last_raw = self.last_request = None
        self._last_asked = self._last_rest = None  # what one that differed asked for; all behind it
        self._may_repeat = False
        self.response = None  # made already, to the request that came last

    async def next_head(self):
        """The bytes of the next head with its empty line, or None when the other side has gone or is idle.

        From here on the connection may be ended for another, until an answer without an end has begun: else
        a few that are slow to ask, or slow to take what they asked for, would keep everybody out.
        """
        stream = self.stream
        stream.yields_since_ms = self._monotonic_ms()
        came = self._came
        if not came:
            stream.timeout_ms = WRITE_MS  # of what is answered meanwhile
            try:
                came = await stream.read_unanswered(self._answer_at_once, IDLE_MS)
            except LineError:
                return None
            if not came:
                return None
        if self.response is not None or came == self.last_raw:
            self._came = b""
            return came
        return await self._whole_head(came)

    async def _whole_head(self, came):
        deadline = self._monotonic_ms() + HEAD_MS
        while True:
            end = came.find(wire.END_OF_HEAD)
            head = came if end < 0 else came[: end + 4]
            wire.check_partial(head)
            if end >= 0:
                self._came = came[end + 4 :]
                return head
            came += await self._more(deadline)

    def remember(self, raw, request):
        if len(raw) > MAX_KEPT_HEAD:
            return
        end = raw.find(b"\r\n", 2) - len(b" HTTP/1.1")
        self.last_raw, self.last_request = raw, request
        self._last_asked, self._last_rest = None, memoryview(raw)[end:]
        self._may_repeat = request.keep_alive and request.method == "GET"

    def _answer_at_once(self, came):
        """The bytes that answer what came, if it is like the last request and needs no waiting. Else None,
        and the response if there is one: the server goes on with it. came: bytes, good until this returns."""
        if not self._may_repeat or self.left < 2 or not (came == self.last_raw or self._is_like_last(came)):
            return None
        response = self._answer(self.last_request)
        if not isinstance(response, Data):
            self.response = response
            return None
        self.left -= 1
        self.stream.yields_since_ms = self._monotonic_ms()
        return response.in_place()

    def _is_like_last(self, came):
        """Whether it is the last request but for its target, which that asks for from now on. Where anything
        else is different, or in doubt, it is read as a new one."""
        rest = self._last_rest
        at = len(came) - len(rest)
        if at <= 0 or len(came) > MAX_KEPT_HEAD or came[at:] != rest:
            return False
        asked = bytes(came[:at])
        if asked == self._last_asked:
            self.last_raw = bytes(came)  # a third time, it is found at once
            return True
        if not (wire.is_get(asked) and self.last_request.turn_to(asked)):
            return False
        self.last_raw, self._last_asked = None, asked
        return True

    async def body(self, length):
        """The `length` bytes of a body. Raises Refusal(408) when they do not come in time."""
        deadline = self._monotonic_ms() + BODY_MS
        parts = [self._came[:length]]
        self._came = self._came[length:]
        missing = length - len(parts[0])
        while missing:
            part = await self._more(deadline, missing)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    async def piece(self, most, deadline):
        """Between 1 and `most` bytes of a body, the first of which came with the head. As `body` raises."""
        came = self._came[:most]
        if came:
            self._came = self._came[most:]
            return came
        return await self._more(deadline, most)

    async def drain(self, length):
        """Reads a body that nobody wants, within reason: closing with unread bytes resets the connection.

        Raises as `body`: what is still missing would be taken for the next request.
        """
        deadline = self._monotonic_ms() + BODY_MS
        missing = min(length, MAX_DRAIN) - len(self._came)
        self._came = self._came[length:]
        while missing > 0:
            missing -= len(await self._more(deadline, missing))

    async def write(self, data):
        self.stream.timeout_ms = WRITE_MS
        await self.stream.write(data)

    async def pause(self, ms):
        """Sleep within an answer without an end. LineError as soon as the other side has gone; whoever sends
        more, behind such an answer, is treated alike."""
        if not await self.stream.is_silent(ms):
            raise LineError("the other side left")

    async def _more(self, deadline, most=CHUNK):
        left = deadline - self._monotonic_ms()
        if left <= 0:
            raise Refusal(408, "The request did not arrive in time.")
        try:
            came = await self._read(left, min(most, CHUNK))
        except LineError:
            raise Refusal(408, "The request did not arrive in time.")
        if not came:
            raise LineError("the other side left in the middle of a request")
        return came

    async def _read(self, timeout_ms, most=CHUNK):
        self.stream.timeout_ms = timeout_ms
        return await self.stream.read(most)


class WebServer:
    """routes: routes.Routes. guard: guard.Guard. refusal_body(path, refusal): (content type, bytes) that tell
    a person or a script why."""

    def __init__(self, routes, guard, refusal_body):
        self._routes = routes
        self._guard = guard
        self._refusal_body = refusal_body

    async def handle(self, stream):
        """Serve one connection until either side ends it. Raises nothing but a cancellation."""
        connection = Connection(stream, answer=self._routes.answer)
        try:
            while await self._serve_next(connection):
                pass
        except (LineError, OSError) as error:
            log.debug("web", "%s: %s", connection.client, error)
        finally:
            stream.close()

    async def _serve_next(self, connection):
        """Answer one request. False when the connection is to end."""
        path, raw = "/", None
        try:
            raw = await connection.next_head()
            if raw is None:
                return False
            if connection.response is not None or raw == connection.last_raw:
                request = connection.last_request
                path = request.path
            else:
                head = wire.check_head(raw)
                path = head.path
                request = await self._request(connection, raw, head)
            response, connection.response = connection.response or self._routes.answer(request), None
            if not isinstance(response, Response):
                response = await response
        except Refusal as refusal:
            speak(language.of_head(raw))
            await connection.write(self._refused(path, refusal).as_bytes(False, False))
            return False
        head_only = request.method == "HEAD"
        if hasattr(response.body, "stream_to"):
            await self._send_stream(connection, response, head_only)
            return False
        connection.left -= 1
        keep = connection.left > 0 and request.keep_alive and response.status_code != 500
        if isinstance(request.body, Upload) and not await request.body.finish():
            keep = False
        answer = response.as_bytes(keep, head_only)
        pieces = () if head_only else response.pieces
        raw = head = request = response = None  # who is slow to take the answer holds the answer, and no more
        await connection.write(answer)
        for piece in pieces:
            await connection.write(piece)
        return keep

    async def _request(self, connection, raw, head):
        """The Request of a head that was checked, with its body."""
        self._guard.check_host(head.host)
        body = await self._body(connection, head)
        try:
            request = Request(head, body, connection.stream.peer)
        except ValueError:  # UnicodeError is one: an escape in the query that is none
            raise Refusal(400, "The address of the request is malformed.")
        self._guard.check_origin(head.method, head.host, request.headers)
        if not head.body_length:
            connection.remember(raw, request)
        return request

    async def _body(self, connection, head):
        """The body, if the route takes one of that size: bytes, or an Upload where the handler is to read it.
        One for no route at all is read and forgotten."""
        limit, is_upload = self._routes.limit_of(head.method, head.path)
        if head.body_length > (limit or 0):
            await self._pass_over(connection, head, limit is not None or head.body_length > MAX_DRAIN)
            return b""
        if is_upload:
            return Upload(connection, head.body_length, head.expects_continue)
        if head.expects_continue and head.body_length:
            await connection.write(wire.CONTINUE)
        return await connection.body(head.body_length)

    async def _pass_over(self, connection, head, is_refused):
        if is_refused and head.expects_continue:  # the client sends nothing before our word
            raise Refusal(413, "The body is too large.")
        try:
            await connection.drain(head.body_length)
        except (LineError, Refusal) as error:
            if not is_refused:
                raise
            log.debug("web", "%s left with its body half sent: %s", connection.client, error)
        if is_refused:
            raise Refusal(413, "The body is too large.")

    def _refused(self, path, refusal):
        kind, body = self._refusal_body(path, refusal)
        headers = {"Content-Type": kind, "Cache-Control": "no-store"}
        headers.update(refusal.headers)
        return Response(body, refusal.status, headers)

    async def _send_stream(self, connection, response, head_only):
        """An answer of unknown length: it is told by closing the connection (RFC 9112 section 6.3)."""
        await connection.write(wire.head_bytes(response.status_code, response.headers, False))
        if not head_only:
            await response.body.stream_to(connection)


class Redirect:
    """Plain HTTP: one answer that leads to the same page by HTTPS, and nothing else."""

    def __init__(self, guard, https_port):
        self._guard = guard
        self._port = "" if https_port == 443 else ":%d" % https_port

    async def handle(self, stream):
        connection = Connection(stream)
        try:
            raw = await connection.next_head()
            if raw is not None:
                await connection.write(self._answer(raw))
        except (LineError, OSError) as error:
            log.debug("web", "%s: %s", connection.client, error)
        except Refusal as refusal:
            await self._refuse(connection, refusal)
        finally:
            stream.close()

    def _answer(self, raw):
        try:
            head = wire.check_head(raw)
            self._guard.check_host(head.host)
        except Refusal as refusal:
            return self._plain(refusal)
        target = head.path + ("?" + head.query if head.query else "")
        location = "https://" + host_name(head.host) + self._port + target
        return wire.head_bytes(308, {"Location": location, "Content-Length": "0"}, False)

    def _plain(self, refusal):
        body = (refusal.text + "\n").encode()
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
        return wire.head_bytes(refusal.status, headers, False) + body

    async def _refuse(self, connection, refusal):
        try:
            await connection.write(self._plain(refusal))
        except (LineError, OSError) as error:
            log.debug("web", "%s: %s", connection.client, error)
