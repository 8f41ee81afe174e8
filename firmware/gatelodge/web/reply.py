"""What a handler answers: a page, data for the script, or another place to go."""

from gatelodge import compat
from gatelodge.text import _, language
from gatelodge.web import wire
from gatelodge.web.html import escape
from gatelodge.web.message import Response

HTML = "text/html; charset=utf-8"
JSON = "application/json"
NO_STORE = "no-store"  # pages and data are of this moment and of this person


def is_for_script(path):
    return path.startswith("/api/") or path == "/live"


def page(html, status=200, cookies=()):
    return Response(html, status, _headers(HTML, cookies))


class Data(Response):
    """JSON for the script. Pages ask for it all the time, so its head is made once for each status."""

    _heads = {}  # status, negative where the connection ends -> the head up to the length
    _places = {}  # status -> Place

    after = b""  # what the body follows, of bytes that others are sent too

    def __init__(self, body, status):
        self.body = body
        self.status_code = status

    @property
    def headers(self):
        return _headers(JSON, ())

    def as_bytes(self, keep_alive, head_only):
        key = self.status_code if keep_alive else -self.status_code
        start = self._heads.get(key)
        if start is None:
            start = wire.head_start(self.status_code, self.headers, keep_alive) + b"\r\nContent-Length: "
            self._heads[key] = start
        length = b"%d\r\n\r\n" % (len(self.after) + len(self.body))
        return b"".join((start, length) if head_only else (start, length, self.after, self.body))

    def in_place(self):
        """`as_bytes(True, False)`, good until the next call: a small answer makes no garbage of its size."""
        place = self._places.get(self.status_code)
        if place is None:
            empty = Data(b"", self.status_code).as_bytes(True, False)
            place = self._places[self.status_code] = Place(empty[: -len(b"0\r\n\r\n")])
        return place.filled(self.after, self.body) or self.as_bytes(True, False)


class Place:
    """Room for answers with the same head, whose bodies are small."""

    ROOM = 2048  # an overview of a home with six devices

    def __init__(self, head):
        """head: up to the length of the body."""
        self._begins = len(head)
        self._bytes = bytearray(head + bytes(self.ROOM))
        self._view = memoryview(self._bytes)
        self._length = -1  # of the last body, whose figure stands there already
        self._body_at = 0

    def filled(self, after, body):
        """The whole answer, or None where there is no room for it. after: the body's beginning, often b""."""
        length = len(after) + len(body)
        if length != self._length and not self._has_room(length):
            return None
        at, end = self._body_at + len(after), self._body_at + length
        if after:
            self._bytes[self._body_at : at] = after
        self._bytes[at:end] = body
        return self._view[:end]

    def _has_room(self, length):
        """Whether a body of that length fits: then its figure stands there."""
        figure = b"%d\r\n\r\n" % length
        if len(figure) + length > self.ROOM:
            return False
        self._length, self._body_at = length, self._begins + len(figure)
        self._bytes[self._begins : self._body_at] = figure
        return True


def data(value, status=200, cookies=()):
    if cookies:
        return Response(compat.json.encoded(value), status, _headers(JSON, cookies))
    return Data(compat.json.encoded(value), status)


def beginning(value):
    """Of a dict's JSON: what is the same in many answers is made into text once."""
    return compat.json.encoded(value)[:-1] + b","


def data_after(begun, rest):
    """begun: a `beginning`. rest: the other members of that object as JSON in bytes, and its last brace."""
    answer = Data(rest, 200)
    answer.after = begun
    return answer


class Seldom:
    """The JSON of a dict that seldom changes: to compare it is cheaper than to print it letter by letter."""

    def __init__(self):
        self._value, self._text = None, b"null"

    def told(self, value):
        """In bytes. value: a dict, whose inner ones are replaced and never changed, or None."""
        if value != self._value:
            kept = None if value is None else dict(value)
            self._text = compat.json.encoded(value)
            self._value = kept
        return self._text


def see_other(target, cookies=()):
    headers = {"Location": target, "Cache-Control": NO_STORE}
    if cookies:
        headers["Set-Cookie"] = list(cookies)
    return Response(b"", 303, headers)


def signin_error(error):
    """The answer to SigninError: 429 when waiting helps, else 422."""
    body = {"field": error.field, "text": error.text, "wait_s": error.wait_s, "offer": error.offer}
    text = compat.json.dumps({"error": body}).encode()
    headers = _headers(JSON, ())
    if error.wait_s:
        headers["Retry-After"] = str(error.wait_s)
    return Response(text, 429 if error.wait_s else 422, headers)


def refusal_body(path, refusal):
    """(content type, bytes) that say why a request was refused."""
    if is_for_script(path):
        error = {"field": "form", "text": _(refusal.text), "wait_s": None, "offer": None}
        return JSON, compat.json.dumps({"error": error}).encode()
    text = escape(_(refusal.text))
    # Without style or script: it has to be right when nothing else is.
    return HTML, (
        "<!doctype html><html lang=%s><title>%s</title><h1>%s</h1><p><a href='/'>Gatelodge</a></p>"
        % (language().tag, text, text)
    ).encode()


def _headers(kind, cookies):
    headers = {"Content-Type": kind, "Cache-Control": NO_STORE}
    if cookies:
        headers["Set-Cookie"] = list(cookies)
    return headers
