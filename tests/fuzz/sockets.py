"""The reader of WebSocket frames: events or a WebSocketError, the same however the bytes are cut."""

from gatelodge.core import websocket as ws
from gatelodge.core.websocket import WebSocket, WebSocketError

from tests.firmware.test_websocket import LIMIT, requested
from tests.fuzz import corpora
from tests.fuzz.mutations import mutated

SAMPLES = corpora.samples("sockets")
READ_BY = (ws,)
KINDS = {ws.OPENED: type(None), ws.TEXT: str, ws.PING: bytes, ws.PONG: bytes, ws.CLOSE: tuple}


def drawn(random):
    return mutated(random.choice(SAMPLES), SAMPLES, random)


def judge(sample, random):
    events, code = received(requested(), [sample])
    again, code_again = received(requested(), pieces_of(sample, random))
    assert code == code_again, (sample, "is a fault in one piece or in several only")
    assert code is not None or events == again, (sample, "means something else in pieces")
    for kind, value in again:
        assert isinstance(value, KINDS[kind]), (sample, kind, value)
        size = len(value.encode()) if kind == ws.TEXT else 0
        assert size <= LIMIT, (sample, "is a longer message than is taken")
    closes = [at for at, event in enumerate(again) if event[0] == ws.CLOSE]
    assert closes in ([], [len(again) - 1]), (sample, "goes on after a close")


def received(socket: WebSocket, pieces):
    """(events, close code of the fault or None)."""
    events = []
    try:
        for piece in pieces:
            events.extend(socket.receive(piece))
    except WebSocketError as error:
        return events, error.close_code
    return events, None


def pieces_of(data, random):
    pieces = []
    while data:
        size = random.choice((1, 2, 5, 50, 500))
        pieces.append(data[:size])
        data = data[size:]
    return pieces
