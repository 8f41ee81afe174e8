"""HTTP/1.1 on the wire, without I/O: whether a head is one that we serve, and the bytes that answer it.

Every malformed head is refused here, with the status code that tells why; message.Request reads what is let
through, and trusts it. Sections are of RFC 9112.
"""

from collections import namedtuple

from gatelodge.contract.errors import TheirError

MAX_HEAD = 8192  # bytes; a browser's head with our cookies is about 1.2 KB, and servers commonly stop at 8 KB
MAX_LINE = 2048  # bytes: an address, or one header field with all our cookies
MAX_FIELDS = 48  # Chromium sends 16
MAX_LENGTH_DIGITS = 9  # a body length with more digits is refused before it is turned into a number

END_OF_HEAD = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

REASONS = {
    200: "OK",
    204: "No Content",
    303: "See Other",
    304: "Not Modified",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}

# path, query: texts of the target, still escaped. fields: the header fields, a line of bytes each.
# body_length: bytes, 0 if none.
Head = namedtuple(
    "Head", ("method", "path", "query", "host", "keep_alive", "body_length", "expects_continue", "fields")
)

_WITH_BODY = (b"POST", b"PUT", b"PATCH")
_ONCE = (b"content-length", b"host", b"transfer-encoding", b"connection", b"expect")


class Refusal(TheirError):
    """A request that is answered with `status` and nothing else; `text` is fit for a page."""

    def __init__(self, status, text, headers=None):
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers or {}


def check_head(head):
    """Return Head for the bytes up to and with the empty line. Raises Refusal."""
    if b"\0" in head or not head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n"):
        raise Refusal(400, "The request holds bytes that no request may hold.")
    lines = head.split(b"\r\n")
    if not lines[0]:
        lines = lines[1:]  # one empty line before the request is ignored (section 2.2)
    method, target, version = _check_request_line(lines[0])
    fields = _check_fields(lines[1:-2])
    path, _, query = target.partition("?")
    if version == b"HTTP/1.1" and b"host" not in fields:
        raise Refusal(400, "The request names no host.")  # section 3.2
    return Head(
        str(method, "utf-8"),
        path,
        query,
        str(fields.get(b"host", b""), "utf-8"),
        _keep_alive(version, fields),
        _body_length(method, fields),
        fields.get(b"expect", b"").lower() == b"100-continue",
        lines[1:-2],
    )


def is_get(asked):
    """Whether a request line that has this before its version gets something: whoever wants to know what is
    wrong with another one asks `check_head`."""
    return asked.startswith(b"GET /") and asked.count(b" ") == 1 and min(asked) >= 0x20 and max(asked) < 0x7F


def check_partial(head):
    """Raise Refusal when the beginning of a head is already too long to become one that we serve."""
    if len(head) <= MAX_HEAD:
        return
    end = head.find(b"\r\n", 2)
    if end < 0 or end > MAX_LINE:
        raise Refusal(414, "The address of the request is too long.")
    raise Refusal(431, "The header fields of the request are too large.")


def _check_request_line(line):
    if len(line) > MAX_LINE:
        raise Refusal(414, "The address of the request is too long.")
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[0].isalpha() or parts[0] != parts[0].upper():
        raise Refusal(400, "The request line is not HTTP.")
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Refusal(505, "This server speaks HTTP/1.1.")
    if not target.startswith(b"/"):
        raise Refusal(400, "The address of the request has to begin with a slash.")
    if not _is_visible(target):
        raise Refusal(400, "The address of the request holds characters that have to be escaped.")
    return method, str(target, "utf-8"), version


def _check_fields(lines):
    """The header fields that frame the message, by lower-case name."""
    if len(lines) > MAX_FIELDS:
        raise Refusal(431, "The request has too many header fields.")
    fields = {}
    for line in lines:
        if len(line) > MAX_LINE:
            raise Refusal(431, "A header field of the request is too large.")
        colon = line.find(b":")
        name = line[:colon].lower()
        # No folding, no space before the colon (section 5.1): both have smuggled requests past servers.
        if colon < 1 or not _is_visible(name):
            raise Refusal(400, "A header field of the request is malformed.")
        _text(line)
        if name in _ONCE:
            if name in fields:
                raise Refusal(400, "A header field that may occur once occurs twice.")
            fields[name] = line[colon + 1 :].strip(b" \t")
            if not _is_visible(fields[name].replace(b" ", b"").replace(b"\t", b"")):
                raise Refusal(400, "A header field of the request is malformed.")
    return fields


def _is_visible(data):
    """Whether it is ASCII without spaces and control characters."""
    return not data or (min(data) > 0x20 and max(data) < 0x7F)


def _text(line):
    try:
        return str(line, "utf-8")
    except UnicodeError:
        raise Refusal(400, "The request holds bytes that are not UTF-8.")


def _keep_alive(version, fields):
    wish = fields.get(b"connection", b"").lower()
    return version == b"HTTP/1.1" and b"close" not in wish


def _body_length(method, fields):
    """Section 6.3. No chunked bodies: everything sent here is a small form, and its sender knows its size."""
    if b"transfer-encoding" in fields:
        raise Refusal(501, "Send the body with a Content-Length, not in chunks.")
    digits = fields.get(b"content-length")
    if digits is None:
        if method in _WITH_BODY:
            raise Refusal(411, "Send the body with a Content-Length.")
        return 0
    if not digits.isdigit():
        raise Refusal(400, "The Content-Length is not a number.")
    if len(digits) > MAX_LENGTH_DIGITS:
        raise Refusal(413, "The body is too large.")
    return int(digits)


def head_bytes(status, headers, keep_alive):
    """The head of an answer. headers: {name: text or list of texts}; Content-Length is the caller's."""
    return head_start(status, headers, keep_alive) + b"\r\n\r\n"


def head_start(status, headers, keep_alive):
    """The head but for its empty line, so that one which is sent often can be kept, and its length added.

    No Date: a server whose clock may be wrong does not send one (RFC 9110 section 6.6.1).
    """
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Answer"))]
    for name in headers:
        values = headers[name]
        lines.extend([name + ": " + value for value in (values if isinstance(values, list) else [values])])
    if not keep_alive:
        lines.append("Connection: close")
    text = "\r\n".join(lines)
    if "\0" in text:
        raise ValueError("a header field of the answer holds a NUL")
    return text.encode() + SECURITY


# Inline script and inline style are refused, so injected markup stays text. data: is for the favicon alone,
# which saves a request. No Strict-Transport-Security: the certificate comes from the router's own maker and a
# browser that has seen the header would no longer let the owner pass after a certificate has changed. With
# no-referrer as the policy, browsers would send our own forms with "Origin: null".
SECURITY = (
    b"\r\nContent-Security-Policy: default-src 'self'; img-src 'self' data:; object-src 'none'; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    b"\r\nX-Content-Type-Options: nosniff"
    b"\r\nReferrer-Policy: same-origin"
    b"\r\nCross-Origin-Opener-Policy: same-origin"
    b"\r\nCross-Origin-Resource-Policy: same-origin"
    b"\r\nPermissions-Policy: camera=(), microphone=(), geolocation=()"
)
