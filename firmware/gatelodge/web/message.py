"""A request as the pages read it, and an answer as they give it.

Both are made of what web/wire.py has checked: a request's head is text, each field on its own line, and its
target holds visible ASCII only.
"""

from gatelodge.web import wire

MOST_PAIRS = 64  # of a query, and of cookies: more are refused


class Fields:
    """The header fields of a request, by name in any case. Of a field that comes again, the last counts."""

    def __init__(self, lines):
        self._texts = {}
        for line in lines:
            name, _, value = str(line, "utf-8").partition(":")
            self._texts[name.lower()] = value.strip()

    def get(self, name, default=None):
        return self._texts.get(name.lower(), default)


class Request:
    """method, path; args: {name: text} of the query; headers: Fields; cookies: {name: text}; body: bytes;
    client_addr: (address, port); keep_alive: whether the connection is to go on. A page asks again and again,
    so a request without a body is kept for the next one with the same fields: nothing in it may depend on
    when it is asked.

    Raises ValueError where an escape of the query is none, or there are too many pairs."""

    language = ""  # its tag, once web/language.py has looked
    way = None  # what answers it, once web/routes.py has looked
    bearer = None  # the token that it shows, once web/visit.py has looked
    session_hash = None  # of its session's token, once web/visit.py has looked
    stranger = None  # who asks, where it takes no session, once web/visit.py has looked

    def __init__(self, head, body, client_addr):
        """head: wire.Head."""
        self.method = head.method
        self.path = head.path
        self._asked = b""  # what the next request asked for, until somebody wants its args
        self._known = None  # how that began, up to its query
        self._args = _read_query(head.query)
        self.keep_alive = head.keep_alive
        self.headers = Fields(head.fields)
        self.cookies = _cookies(self.headers.get("Cookie", ""))
        self.content_type = self.headers.get("Content-Type")
        self.body = body
        self.client_addr = client_addr

    @property
    def args(self):
        if self._args is None:
            self._args = _read_query(str(self._asked, "utf-8").partition("?")[2])
        return self._args

    def turn_to(self, asked):
        """Ask for another target from now on, with the same fields. asked: as wire.is_get takes it. False,
        and nothing has changed, where its query may be malformed."""
        if b"%" in asked or asked.count(b"&") >= MOST_PAIRS:
            return False
        if self._known is None or not asked.startswith(self._known):
            self._turn_to_path(asked)
        self._asked, self._args = asked, None
        return True

    def _turn_to_path(self, asked):
        """The fewest texts: for each new one MicroPython looks through all that it knows."""
        before, _, _ = asked.partition(b"?")
        self._known = before + b"?"
        self.path, self.way = str(before[4:], "utf-8"), None


class Response:
    """body: bytes, text, or what has `await stream_to(connection)`, which writes what it has by
    `connection.write(bytes)`, and sleeps by `connection.pause(ms)`: both raise LineError once the other side
    has gone. headers: {name: text, or a list of texts}."""

    pieces = ()  # of bytes, which follow those of `as_bytes`

    def __init__(self, body, status_code, headers):
        self.body = body.encode() if isinstance(body, str) else body
        self.status_code = status_code
        self.headers = headers

    def as_bytes(self, keep_alive, head_only):
        """The whole answer, as it is sent; without its body where only the head was asked for."""
        self.headers["Content-Length"] = str(len(self.body))
        head = wire.head_bytes(self.status_code, self.headers, keep_alive)
        return head if head_only else head + self.body


class PiecesResponse(Response):
    """An answer as long as its headers say, of pieces of bytes that are made one by one while they are sent:
    large ones never lie in the heap as a whole, however slowly somebody takes them."""

    def __init__(self, pieces, length, headers):
        super().__init__(b"", 200, headers)
        self.headers["Content-Length"] = str(length)
        self.pieces = pieces

    def as_bytes(self, keep_alive, head_only):
        """The head: `pieces` follow it."""
        return wire.head_bytes(self.status_code, self.headers, keep_alive)


def _read_query(text):
    """{name: text} of a query; the first value of a name counts. ValueError."""
    found = {}
    for part in _parts(text, "&") if text else ():
        name, _, value = part.partition("=")
        if part:
            found.setdefault(unescaped(name), unescaped(value))
    return found


def _cookies(text):
    """{name: value} of a Cookie field; of a name that comes again, the last counts. ValueError."""
    found = {}
    for part in _parts(text, ";"):
        name, _, value = part.partition("=")
        if part:
            found[name.strip(" \t")] = value.strip(" \t")  # no other space: browsers let it stand in a name
    return found


def _parts(text, separator):
    if text.count(separator) >= MOST_PAIRS:
        raise ValueError("too many pairs")
    return text.split(separator)


def unescaped(text):
    """The text of a part of a query (URL Standard, application/x-www-form-urlencoded). ValueError."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    first, *rest = text.split("%")
    parts = [first.encode()]
    for piece in rest:
        if len(piece) < 2:
            raise ValueError("an escape is cut short")
        parts.append(bytes([int(piece[0], 16) << 4 | int(piece[1], 16)]) + piece[2:].encode())
    return str(b"".join(parts), "utf-8")
