"""A page that stays open: its stream of live updates, read as a browser reads it."""

import contextlib
import http.client
import threading

from tests.bench import owner

EVENT_TIMEOUT_S = 30  # one is sent every two seconds


@contextlib.contextmanager
def opened(board, browser):
    """The overview's stream, on a connection of its own. Yields the list of lines, which grows."""
    at = browser.connection
    connection = http.client.HTTPSConnection(at.host, at.port, timeout=EVENT_TIMEOUT_S, context=board.trust)
    connection.request("GET", "/live?page=overview", headers={"Cookie": browser.cookie_header})
    stream = connection.getresponse()
    came, over = [stream.readline()], threading.Event()
    if not came[0].startswith(b"event"):
        raise owner.RefusedError(f"the live updates were answered with {stream.status}")
    reading = threading.Thread(target=_read, args=(stream, came, over))
    reading.start()
    try:
        yield came
    finally:
        over.set()
        reading.join(2 * EVENT_TIMEOUT_S)
        connection.close()


def _read(stream, came, over):
    """Until it is over: the next event, two seconds later at most, finds that out."""
    with stream:
        while not over.is_set() and (line := stream.readline()):
            came.append(line)
