"""The way of a request: the check of its head, the guard, the request made of it, the server around them.

Nothing but a Refusal or a LineError may come out. A head that passes is read as it was checked, and frames
the message as its bytes do by a reading of their own, here.
"""

import re

from gatelodge.web import message, reply, routes, server, wire
from gatelodge.web.guard import Guard

from tests.firmware.test_server import Line, NoOwner
from tests.fuzz import corpora
from tests.fuzz.mutations import mutated

SAMPLES = corpora.samples("heads")
READ_BY = (message, server, wire)
ROWS = [
    routes.get("/", routes.ANYONE, lambda visit, values: reply.page("a page")),
    routes.get("/about", routes.OWNER, lambda visit, values: reply.page("of the owner")),
    routes.get("/api/log", routes.ANYONE, lambda visit, values: reply.data(dict(values))),
    routes.post("/api/sign-in/password", routes.ANYONE, lambda visit, values: reply.data(values), {"a": 9}),
    routes.post("/api/sign-out", routes.ANYONE, lambda visit, values: reply.data(values)),
]
BODY = b'{"password":""}'
REQUEST_LINE = re.compile(rb"([A-Z]+) (/[\x21-\x7e]*) HTTP/1\.[01]")
UNSEEN = re.compile(rb"[\x00-\x20\x7f-\xff]")  # what one parser or another passes over in a name


def drawn(random):
    return mutated(random.choice(SAMPLES), SAMPLES, random)


def judge(sample, random):
    check(sample)
    serve(sample, random)
    serve_after_another(sample)


def check(sample):
    end = sample.find(wire.END_OF_HEAD)
    raw = sample[: end + 4] if end >= 0 else sample + wire.END_OF_HEAD
    _web, guard = make_server()
    try:
        wire.check_partial(raw)
        head = wire.check_head(raw)
        guard.check_host(head.host)
        request = message.Request(head, b"", Line.peer)
    except (wire.Refusal, ValueError):
        return
    lines = raw.removeprefix(b"\r\n").split(b"\r\n")
    method, target = REQUEST_LINE.fullmatch(lines[0]).groups()
    path = target.split(b"?")[0].decode()
    assert (head.method, head.path) == (method.decode(), path), (raw, "the check reads another address")
    assert (request.method, request.path) == (head.method, head.path), (raw, "the page reads another address")
    assert head.body_length == length_of(lines[1:-2]), (raw, "the check reads another length")
    assert request.headers.get("Host", "") == head.host, (raw, "the page reads another host")


def length_of(fields):
    """How long the body is that these fields announce; whatever resembles a framing field is one."""
    lengths = []
    for field in fields:
        name, _, value = field.partition(b":")
        name = UNSEEN.sub(b"", name.lower())
        assert name != b"transfer-encoding", (fields, "chunks were let through")
        if name == b"content-length":
            lengths.append(value.strip(b" \t"))
    assert len(lengths) < 2, (fields, "two lengths were let through")
    assert all(re.fullmatch(rb"[0-9]{1,9}", length) for length in lengths), (fields, "no length")
    return int(lengths[0]) if lengths else 0


def serve(sample, random):
    """The whole server, to which the bytes come in pieces, or the redirect of plain HTTP."""
    data, pieces = sample + BODY, []
    while data:
        size = random.choice((1, 7, 100, 9000))
        pieces.append(data[:size])
        data = data[size:]
    web, guard = make_server()
    for handler in (web, server.Redirect(guard, 8443)):
        line = Line(*pieces, silent=random.random() < 0.5)
        finished(handler.handle(line))
        assert line.is_closed, (sample, "was left open")
        answers = b"".join(line.written).split(b"HTTP/1.1 ")[1:]
        codes = [int(answer[:3]) for answer in answers]
        assert all(code in wire.REASONS or code == 100 for code in codes), (sample, codes)
        assert 500 not in codes, (sample, "was a fault of ours")


def serve_after_another(sample):
    """Behind a request with the same fields, where what was read of those is not read again, the answers to
    the sample are those that it has alone."""
    end = sample.find(wire.END_OF_HEAD)
    fields = sample[sample.find(b"\r\n", 2) : end + 4]
    first = b"GET /api/log?a=1 HTTP/1.1" + fields
    answered = b"".join(answers_to(first)) if end >= 0 else b""
    if answered.startswith(b"200 ") and b"\r\nConnection: close" not in answered:
        assert answers_to(first, sample)[1:] == answers_to(sample), (sample, "was read in another way")


def answers_to(*requests):
    line = Line(*requests)
    finished(make_server()[0].handle(line))
    return b"".join(line.written).split(b"HTTP/1.1 ")[1:]


def make_server():
    guard = Guard(["gatelodge.home"])
    return server.WebServer(routes.Routes(NoOwner(), ROWS), guard, reply.refusal_body), guard


def finished(coroutine):
    """The result of a coroutine that waits for nothing, for our Line does not."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the server waits for something that is no stream")
