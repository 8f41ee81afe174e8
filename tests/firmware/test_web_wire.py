import unittest

from gatelodge.web import wire
from gatelodge.web.wire import Refusal, check_head

GET = b"GET /about?because=out HTTP/1.1\r\nHost: gatelodge.home\r\nAccept: */*\r\n\r\n"

# (what is wrong, head, status)
REFUSED = (
    ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("nothing at all", b"\r\n\r\n", 400),
    ("not HTTP", b"hello\r\n\r\n", 400),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a method in lower case", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a whole address as target", b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a version of the future", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("a NUL", b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a bare line feed", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("a bare carriage return", b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
    ("bytes that are not UTF-8", b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\xfe\r\n\r\n", 400),
    ("a target that is not UTF-8", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a query that is not UTF-8", b"GET /?\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a target in another script", "GET /\u00a0 HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400),
    ("a vertical tab in a target", b"GET /api\x0b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a vertical tab before a name", b"GET / HTTP/1.1\r\nHost: a\r\n\x0bContent-Length: 3\r\n\r\n", 400),
    ("a form feed after a name", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length\x0c: 3\r\n\r\n", 400),
    ("a form feed before a length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \x0c3\r\n\r\n", 400),
    ("a host in another script", "GET / HTTP/1.1\r\nHost: 1.2.3.\u00b2\r\n\r\n".encode(), 400),
    ("a folded field", b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
    ("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("a field without a name", b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
    ("a field without a colon", b"GET / HTTP/1.1\r\nHost: a\r\nb\r\n\r\n", 400),
    ("a body of unknown length", b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411),
    ("a chunked body", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    (
        "two ways to end",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        501,
    ),
    ("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
    ("a length with a sign", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", 400),
    ("a length in words", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: three\r\n\r\n", 400),
    ("an empty length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
    (
        "a length beyond numbers",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1" + b"0" * 40 + b"\r\n\r\n",
        413,
    ),
    ("a long target", b"GET /" + b"a" * wire.MAX_LINE + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("a long field", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * wire.MAX_LINE + b"\r\n\r\n", 431),
    ("many fields", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: b\r\n" * wire.MAX_FIELDS + b"\r\n", 431),
)


def status_of(head):
    try:
        check_head(head)
    except Refusal as refusal:
        return refusal.status
    return None


class TestHead(unittest.TestCase):
    def test_a_request_of_a_browser_passes(self):
        head = check_head(GET)
        self.assertEqual((head.method, head.path, head.host), ("GET", "/about", "gatelodge.home"))
        self.assertTrue(head.keep_alive)
        self.assertEqual(head.body_length, 0)

    def test_the_target_and_the_fields_are_taken_apart(self):
        head = check_head(GET)
        self.assertEqual(head.query, "because=out")
        self.assertEqual(head.fields, [b"Host: gatelodge.home", b"Accept: */*"])

    def test_each_malformed_head_is_refused_with_its_status(self):
        for name, head, status in REFUSED:
            self.assertEqual((name, status_of(head)), (name, status))

    def test_every_truncation_is_refused_or_shorter_but_whole(self):
        for length in range(len(GET)):
            status = status_of(GET[:length] + b"\r\n\r\n")
            self.assertIn(status, (None, 400, 505), GET[:length])

    def test_one_empty_line_before_a_request_is_ignored(self):
        self.assertEqual(check_head(b"\r\n" + GET).path, "/about")

    def test_the_connection_ends_when_the_client_says_so_or_speaks_an_older_version(self):
        self.assertFalse(check_head(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n").keep_alive)
        self.assertFalse(check_head(b"GET / HTTP/1.0\r\n\r\n").keep_alive)

    def test_a_length_and_an_expectation_are_read(self):
        head = check_head(
            b"POST /api HTTP/1.1\r\nhost: a\r\nEXPECT: 100-Continue\r\ncontent-length: 12\r\n\r\n"
        )
        self.assertEqual((head.body_length, head.expects_continue), (12, True))


class TestPartialHead(unittest.TestCase):
    def status_of_beginning(self, beginning):
        try:
            wire.check_partial(beginning)
        except Refusal as refusal:
            return refusal.status
        return None

    def test_a_beginning_may_grow_to_the_limit(self):
        self.assertIsNone(self.status_of_beginning(b"G" * wire.MAX_HEAD))

    def test_beyond_the_limit_the_target_or_the_fields_are_to_blame(self):
        self.assertEqual(self.status_of_beginning(b"G" * (wire.MAX_HEAD + 1)), 414)
        self.assertEqual(self.status_of_beginning(b"GET / HTTP/1.1\r\n" + b"X: b\r\n" * 2000), 431)


class TestAnswer(unittest.TestCase):
    def test_every_answer_carries_the_security_headers(self):
        head = wire.head_bytes(200, {"Content-Type": "text/html"}, True)
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"))
        self.assertTrue(head.endswith(b"\r\n\r\n"))
        for field in (b"Content-Security-Policy: default-src 'self';", b"nosniff", b"-Policy: same-origin"):
            self.assertIn(field, head)

    def test_the_policy_allows_no_inline_script_or_style(self):
        self.assertNotIn(b"unsafe", wire.SECURITY)
        self.assertIn(b"frame-ancestors 'none'", wire.SECURITY)

    def test_several_cookies_are_several_fields(self):
        head = wire.head_bytes(200, {"Set-Cookie": ["a=1", "b=2"]}, True)
        self.assertIn(b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n", head)

    def test_an_answer_that_ends_the_connection_says_so(self):
        self.assertIn(b"\r\nConnection: close\r\n", wire.head_bytes(400, {}, False))
        self.assertNotIn(b"Connection", wire.head_bytes(200, {}, True))


class TestIsGet(unittest.TestCase):
    def test_only_what_a_head_would_be_let_through_with_gets_something(self):
        for asked in (b"GET /", b"GET /api/log?a=1&b=~", b"GET /!"):
            self.assertTrue(wire.is_get(asked), asked)
        for end in (b" ", b"\t", b"\0", b"\n", b"\x1f", b"\x7f", b"\x80", b"\xc2\xa0", b"?a= HTTP/1.1"):
            self.assertFalse(wire.is_get(b"GET /" + end), end)
        for asked in (b"", b"GET ", b"GET a", b"GET  /", b"HEAD /", b"get /", b"\r\nGET /"):
            self.assertFalse(wire.is_get(asked), asked)


if __name__ == "__main__":
    unittest.main()
