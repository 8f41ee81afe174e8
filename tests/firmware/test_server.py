import unittest

from gatelodge.contract.errors import LineError
from gatelodge.web import reply, routes, server, wire
from gatelodge.web.guard import Guard
from gatelodge.web.message import PiecesResponse, Request, Response
from gatelodge.web.wire import Refusal

BODY = b'{"word":"hello"}'
POST = (
    b"POST /api/echo HTTP/1.1\r\nHost: gatelodge.home\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)
ECHO = POST % (len(BODY), BODY)
PAGE = b"GET /page HTTP/1.1\r\nHost: gatelodge.home\r\n\r\n"
PIECES = PAGE.replace(b"/page", b"/pieces")
COUNT = PAGE.replace(b"/page", b"/count")
CLOSE = b"GET /page HTTP/1.1\r\nHost: gatelodge.home\r\nConnection: close\r\n\r\n"


class Line:
    """A stream whose other side sends the given pieces, then leaves (or falls silent)."""

    peer = ("192.168.1.23", 50000)
    is_quiet = True  # within an answer without an end

    def __init__(self, *pieces, silent=False):
        self.pieces = list(pieces)
        self.silent = silent
        self.written = []
        self.at_once = 0  # answers without a task
        self.timeout_ms = 0
        self.is_closed = False

    async def read(self, most):
        if self.pieces:
            piece, rest = self.pieces[0][:most], self.pieces[0][most:]
            self.pieces[:1] = [rest] if rest else []
            return piece
        if self.silent:
            raise LineError("nothing was received in time")
        return b""

    async def is_silent(self, ms):
        return self.is_quiet

    async def read_unanswered(self, answer, idle_ms):
        while True:
            came = await self.read(server.CHUNK)
            answered = answer(memoryview(came)) if came else None
            if answered is None:
                return came
            self.at_once += 1
            await self.write(bytes(answered))

    async def write(self, data):
        self.written.append(data)

    def close(self):
        self.is_closed = True

    @property
    def answers(self):
        """The status of each answer."""
        came = b"".join(self.written)
        return [int(part[:3]) for part in came.split(b"HTTP/1.1 ")[1:]]


class Ticks:
    """A body without an end, which the server's side ends after three."""

    async def stream_to(self, connection):
        connection.stream.yields_since_ms = None
        for _count in range(3):
            await connection.write(b"tick\n")
            await connection.pause(2000)


class NoOwner:
    is_set_up = True

    def session_of(self, token_hash, acting):
        return None


counted = []


def count(_visit, _values):
    counted.append(1)
    return reply.data(len(counted))


def pieces(_visit, _values):
    return PiecesResponse((piece for piece in (b"one", b"two")), 6, {"Content-Type": "text/plain"})


async def slow(_visit, _values):
    return reply.page("slow")


def failing(_visit, _values):
    raise KeyError("a fault of ours")


ROWS = [
    routes.get("/page", routes.ANYONE, lambda visit, values: reply.page("a page for " + visit.client)),
    routes.get(
        "/ticks", routes.ANYONE, lambda visit, values: Response(Ticks(), 200, {"Content-Type": "text/plain"})
    ),
    routes.get("/pieces", routes.ANYONE, pieces),
    routes.get("/count", routes.ANYONE, count),
    routes.get("/echo", routes.ANYONE, lambda visit, values: reply.data(values["word"]), {"word": 10}),
    routes.get("/slow", routes.ANYONE, slow),
    routes.get("/fails", routes.ANYONE, failing),
    routes.post("/api/echo", routes.ANYONE, lambda visit, values: reply.data(values), {"word": 10}),
]


def make_server():
    return server.WebServer(routes.Routes(NoOwner(), ROWS), Guard(["gatelodge.home"]), reply.refusal_body)


class TestServer(unittest.IsolatedAsyncioTestCase):
    async def serve(self, *pieces, silent=False):
        line = Line(*pieces, silent=silent)
        await make_server().handle(line)
        self.assertTrue(line.is_closed)
        return line

    async def test_a_page_is_one_write_with_its_length(self):
        line = await self.serve(PAGE)
        self.assertEqual(len(line.written), 1)
        self.assertIn(b"\r\nContent-Length: 23\r\n", line.written[0])
        self.assertTrue(line.written[0].endswith(b"\r\n\r\na page for 192.168.1.23"))

    async def test_what_comes_in_pieces_is_sent_so_and_the_connection_is_kept(self):
        line = await self.serve(PIECES, PAGE)
        self.assertEqual(line.answers, [200, 200])
        self.assertIn(b"\r\nContent-Length: 6\r\n", line.written[0])
        self.assertEqual(line.written[1:3], [b"one", b"two"])

    async def test_of_what_comes_in_pieces_the_head_can_be_had_alone(self):
        line = await self.serve(PIECES.replace(b"GET", b"HEAD"))
        self.assertEqual(len(line.written), 1)
        self.assertIn(b"\r\nContent-Length: 6\r\n", line.written[0])

    async def test_a_long_head_is_not_kept_for_the_next_request(self):
        def after(head):
            connection = server.Connection(Line(head))
            connection.remember(head, Request(wire.check_head(head), b"", Line.peer))
            return connection.last_raw

        self.assertEqual(after(PAGE), PAGE)
        long = PAGE[:-2] + (b"X: " + b"x" * 1000 + b"\r\n") * 3 + b"\r\n"
        self.assertIsNone(after(long))

    async def test_a_connection_is_kept_until_the_client_ends_it(self):
        line = await self.serve(PAGE, ECHO, PAGE)
        self.assertEqual(line.answers, [200, 200, 200])

    async def test_the_same_request_is_answered_anew_each_time(self):
        counted.clear()
        line = await self.serve(*[COUNT] * 5)
        self.assertEqual([written[-1:] for written in line.written], [b"1", b"2", b"3", b"4", b"5"])

    async def test_what_differs_in_its_target_alone_is_answered_at_once_and_as_any_other(self):
        targets = (b"/count?n=1", b"/echo?word=a+b", b"/nowhere", b"/page", b"/echo?word=c", b"/echo?word=c")
        line = await self.serve(*[PAGE.replace(b"/page", target) for target in targets])
        self.assertEqual(line.answers, [200, 200, 404, 200, 200, 200])
        told = [written.split(b"\r\n\r\n", 1)[1] for written in line.written]
        self.assertEqual([told[at] for at in (1, 3, 4)], [b'"a b"', b"a page for 192.168.1.23", b'"c"'])
        self.assertEqual(line.at_once, 3)  # the first is read, and pages and refusals are sent by the task

    async def test_what_differs_in_anything_else_is_read_anew(self):
        first = b"GET /count HTTP/1.1\r\nHost: gatelodge.home\r\nCookie: a=1\r\n\r\n"
        others = (
            (first.replace(b"a=1", b"a=2"), [200, 200]),
            (first.replace(b"GET", b"PUT"), [200, 411]),
            (first.replace(b"GET", b"HEAD"), [200, 200]),
            (first.replace(b"HTTP/1.1", b"HTTP/1.0"), [200, 200]),
            (first.replace(b"HTTP/1.1", b"HTTP/3"), [200, 505]),
            (first.replace(b"/count", b"count"), [200, 400]),
            (first.replace(b"/count", b"/count?a=%zz"), [200, 400]),
            (first.replace(b"/count", b"/co\0unt"), [200, 400]),
            (first.replace(b"/count", b"/co\r\nX:unt"), [200, 400]),
            (first.replace(b"/count", b"/count HTTP/1.1\r\nHost: elsewhere"), [200, 400]),
            (b"\r\n" + first, [200, 200]),
            (first + first, [200, 200, 200]),
        )
        for sent, answers in others:
            line = await self.serve(first, sent)
            self.assertEqual((line.answers, line.at_once), (answers, 0), sent)

    async def test_a_connection_ends_after_so_many_requests_and_says_so(self):
        line = await self.serve(*[COUNT] * (server.MAX_REQUESTS + 5))
        self.assertEqual(len(line.written), server.MAX_REQUESTS)
        self.assertIn(b"\r\nConnection: close\r\n", line.written[-1])
        self.assertNotIn(b"\r\nConnection: close\r\n", line.written[-2])

    async def test_an_answer_that_takes_its_time_may_be_asked_for_again(self):
        line = await self.serve(*[PAGE.replace(b"/page", b"/slow")] * 3)
        self.assertEqual([written[-4:] for written in line.written], [b"slow"] * 3)

    async def test_requests_that_arrive_together_are_answered_in_order(self):
        line = await self.serve(PAGE + ECHO + PAGE)
        self.assertEqual(line.answers, [200, 200, 200])
        self.assertTrue(line.written[1].endswith(BODY))

    async def test_a_request_that_arrives_byte_by_byte_is_the_same_request(self):
        line = await self.serve(*[ECHO[i : i + 1] for i in range(len(ECHO))])
        self.assertEqual(line.answers, [200])
        self.assertTrue(line.written[0].endswith(BODY))

    async def test_a_request_cut_anywhere_is_never_answered_with_success(self):
        for length in range(len(ECHO)):
            line = await self.serve(ECHO[:length])
            self.assertEqual(line.answers, [])

    async def test_a_client_that_stops_in_a_request_is_told_so(self):
        for beginning in (PAGE[:20], ECHO[:-3]):
            line = await self.serve(beginning, silent=True)
            self.assertEqual(line.answers, [408])

    async def test_an_idle_connection_ends_without_a_word(self):
        line = await self.serve(PAGE, silent=True)
        self.assertEqual(line.answers, [200])

    async def test_nothing_is_answered_after_the_client_asked_to_close(self):
        line = await self.serve(CLOSE + PAGE)
        self.assertEqual(line.answers, [200])
        self.assertIn(b"\r\nConnection: close\r\n", line.written[0])

    async def test_after_a_malformed_request_nothing_more_is_read(self):
        line = await self.serve(b"GET\r\n\r\n" + PAGE)
        self.assertEqual(line.answers, [400])

    async def test_a_body_beyond_the_routes_limit_is_refused_unread(self):
        line = await self.serve(POST % (1_000_000_000 - 1, b"x" * 100), silent=True)
        self.assertEqual(line.answers, [413])

    async def test_a_page_takes_no_body(self):
        line = await self.serve(PAGE[:-2] + b"Content-Length: 2\r\n\r\nhi")
        self.assertEqual(line.answers, [413])

    async def test_an_unknown_page_and_a_wrong_method_are_told_apart(self):
        line = await self.serve(PAGE.replace(b"/page", b"/nowhere"), PAGE.replace(b"GET", b"DELETE"))
        self.assertEqual(line.answers, [404, 405])
        self.assertIn(b"\r\nAllow: GET\r\n", line.written[1])

    async def test_a_body_for_no_route_is_passed_over(self):
        line = await self.serve(ECHO.replace(b"/api/echo", b"/nowhere"), PAGE)
        self.assertEqual(line.answers, [404, 200])

    async def test_head_is_answered_without_a_body(self):
        line = await self.serve(PAGE.replace(b"GET", b"HEAD"))
        self.assertIn(b"\r\nContent-Length: 23\r\n", line.written[0])
        self.assertTrue(line.written[0].endswith(b"\r\n\r\n"))

    async def test_a_client_that_waits_for_leave_gets_it(self):
        pieces = ECHO.split(b"{")
        line = await self.serve(
            pieces[0].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), b"{" + pieces[1]
        )
        self.assertEqual(line.answers, [100, 200])

    async def test_a_body_without_an_end_is_closed_to_end_it(self):
        line = await self.serve(PAGE.replace(b"/page", b"/ticks"), PAGE)
        self.assertEqual(line.answers, [200])
        self.assertNotIn(b"Content-Length", line.written[0])
        self.assertEqual(line.written[1:], [b"tick\n"] * 3)

    async def test_an_endless_body_ends_as_soon_as_its_reader_has_gone(self):
        line = Line(PAGE.replace(b"/page", b"/ticks"))
        line.is_quiet = False
        await make_server().handle(line)
        self.assertEqual(line.written[1:], [b"tick\n"])
        self.assertTrue(line.is_closed)

    async def test_asking_for_the_head_of_an_endless_body_ends(self):
        line = await self.serve(PAGE.replace(b"GET /page", b"HEAD /ticks"))
        self.assertEqual(len(line.written), 1)

    async def test_a_fault_of_ours_is_answered_and_tells_nothing(self):
        line = await self.serve(PAGE.replace(b"/page", b"/fails"))
        self.assertEqual(line.answers, [500])
        self.assertNotIn(b"a fault of ours", line.written[0])

    async def test_a_foreign_host_and_a_foreign_origin_are_refused(self):
        foreign = ECHO.replace(b"gatelodge.home", b"evil.example")
        line = await self.serve(foreign)
        self.assertEqual(line.answers, [421])
        line = await self.serve(
            ECHO.replace(b"\r\nContent-Type", b"\r\nOrigin: https://evil.example\r\nContent-Type")
        )
        self.assertEqual(line.answers, [403])

    async def test_an_escape_in_the_query_that_is_none_is_refused(self):
        line = await self.serve(PAGE.replace(b"/page", b"/page?a=%zz"))
        self.assertEqual(line.answers, [400])


class Dripper(Line):
    """A stream whose other side sends one byte at a time, each just before it is too late."""

    now_ms = 0

    def monotonic_ms(self):
        return self.now_ms

    async def read(self, most):
        self.now_ms += max(1, self.timeout_ms - 1)
        return b"x"


class Late(Line):
    """A stream whose other side falls silent before its last piece, and then goes on."""

    async def read(self, most):
        if len(self.pieces) == 1 and not self.silent:
            self.silent = True
            raise LineError("nothing was received in time")
        return await super().read(most)


class TestSlowness(unittest.IsolatedAsyncioTestCase):
    async def test_a_head_has_one_deadline_however_it_trickles_in(self):
        line = Dripper()
        with self.assertRaises(Refusal) as caught:
            await server.Connection(line, line.monotonic_ms)._whole_head(b"G")
        self.assertEqual(caught.exception.status, 408)
        self.assertLess(line.now_ms, server.HEAD_MS + 100)

    async def test_a_body_for_no_route_has_one_deadline_however_it_trickles_in(self):
        line = Dripper()
        with self.assertRaises(Refusal):
            await server.Connection(line, line.monotonic_ms).drain(server.MAX_DRAIN)
        self.assertLess(line.now_ms, server.BODY_MS + 100)

    async def test_the_rest_of_a_body_is_never_taken_for_a_request(self):
        line = Late(POST.replace(b"/api/echo", b"/nowhere") % (len(PAGE) + 1, b"x"), PAGE)
        await make_server().handle(line)
        self.assertEqual(line.answers, [408])

    async def test_a_connection_yields_until_an_answer_without_an_end_begins(self):
        line = Line(PAGE)
        await make_server().handle(line)
        self.assertIsNotNone(line.yields_since_ms)
        line = Line(PAGE.replace(b"/page", b"/ticks"))
        await make_server().handle(line)
        self.assertIsNone(line.yields_since_ms)


class TestBodies(unittest.IsolatedAsyncioTestCase):
    async def answer(self, body, kind=b"application/json"):
        line = Line((POST % (len(body), body)).replace(b"application/json", kind))
        await make_server().handle(line)
        return line.answers[0]

    async def test_exactly_the_declared_fields_are_taken(self):
        self.assertEqual(await self.answer(BODY), 200)
        for body in (
            b"{}",
            b'{"word":"a","more":"b"}',
            b"[]",
            b"null",
            b'{"word":1}',
            b'{"word":null}',
            b'{1:"a","word":"b"}',
            b"{",
            b"\xff",
        ):
            self.assertEqual((body, await self.answer(body)), (body, 400))

    async def test_a_field_that_is_too_long_is_an_error_of_that_field(self):
        self.assertEqual(await self.answer(b'{"word":"12345678901"}'), 422)

    async def test_other_kinds_of_body_are_refused(self):
        for kind in (b"application/x-www-form-urlencoded", b"text/plain", b"multipart/form-data"):
            self.assertEqual((kind, await self.answer(BODY, kind)), (kind, 415))


class TestRedirect(unittest.IsolatedAsyncioTestCase):
    async def ask(self, request, port=8443):
        line = Line(request)
        await server.Redirect(Guard(["gatelodge.home"]), port).handle(line)
        return line.written[0]

    async def test_plain_http_leads_to_the_same_page_by_https(self):
        answer = await self.ask(b"GET /about?a=b HTTP/1.1\r\nHost: gatelodge.home:8080\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 308 "))
        self.assertIn(b"\r\nLocation: https://gatelodge.home:8443/about?a=b\r\n", answer)

    async def test_the_standard_port_is_not_named(self):
        answer = await self.ask(b"GET //evil.example HTTP/1.1\r\nHost: 192.168.1.1\r\n\r\n", port=443)
        self.assertIn(b"\r\nLocation: https://192.168.1.1//evil.example\r\n", answer)

    async def test_an_address_that_is_no_text_is_refused_and_leads_nowhere(self):
        answer = await self.ask(b"GET /?\xff HTTP/1.1\r\nHost: gatelodge.home\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "))
        self.assertNotIn(b"Location", answer)

    async def test_nobody_is_led_to_a_foreign_host(self):
        answer = await self.ask(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 421 "))
        self.assertNotIn(b"Location", answer)


if __name__ == "__main__":
    unittest.main()
