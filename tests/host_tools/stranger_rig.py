"""Somebody who means the router no good: connections of which we write every byte, floods of them, and what
the router's process holds meanwhile."""

import collections
import contextlib
import os
import select
import socket
import ssl
import threading
import time

DEADLINE_S = 20
STRANGER = "127.0.0.2"  # another computer than the owner's, as far as the router can tell

# The most that a stranger makes one connection hold: a head of nearly 8 KB, and a body that is nearly whole.
# Whether they may restore anything is not asked before it is.
_FIELDS = b"".join(b"X-%02d: %s\r\n" % (number, b"x" * 160) for number in range(44))
HALF_RESTORE = (
    b"POST /api/system/restore HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 10000\r\n" + _FIELDS + b"\r\n" + b"x" * 9999
)


class Stranger:
    """A TLS connection of which we write every byte, and go on reading whatever became of our writing."""

    def __init__(self, port):
        self._sock = connect(port)
        self._sock.settimeout(DEADLINE_S)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
        self._tls = context.wrap_bio(self._in, self._out)
        self._came = b""
        while not self._is_agreed():
            self._sock.sendall(self._out.read())
            data = self._sock.recv(65536)
            assert data, "the admin page hung up in the TLS handshake"
            self._in.write(data)
        self._sock.sendall(self._out.read())

    def _is_agreed(self):
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def send(self, data):
        self._tls.write(data)
        self._sock.sendall(self._out.read())

    def finish(self, data=b"", hangs_up=False):
        """Send, then all that is answered until the other side ends it. With `hangs_up`, we end it first."""
        if data:
            self._tls.write(data)
        rest, ended = memoryview(self._out.read()), time.monotonic() + DEADLINE_S
        with self._sock:
            while time.monotonic() < ended:
                if hangs_up and not rest:
                    end_sending(self._sock)
                    hangs_up = False
                writers = [self._sock] if rest else []
                readable, writable, _ = select.select([self._sock], writers, [], DEADLINE_S)
                if readable and not self._receive():
                    return self._came
                if writable:
                    rest = self._transmit(rest)
        raise AssertionError("the admin page neither answered to the end nor hung up")

    def _transmit(self, rest):
        try:
            return rest[self._sock.send(rest[:65536]) :]
        except OSError:  # it has refused and closed; what it said is still to be read
            return memoryview(b"")

    def _receive(self):
        try:
            data = self._sock.recv(65536)
        except OSError:
            data = b""
        self._in.write(data)
        while self._in.pending:
            try:
                self._came += self._tls.read(65536)
            except ssl.SSLWantReadError:
                break
        return data


def connect(port, address=STRANGER):
    sock = socket.create_connection(("127.0.0.1", port), DEADLINE_S, source_address=(address, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def secured(port):
    """A blocking TLS connection of the stranger's."""
    context = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
    return context.wrap_socket(connect(port))


def end_sending(sock):
    """Unless the other side has ended it all already."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)


class Flood:
    """For the time of a `with` block a stranger opens connections as fast as they are taken, sends `data` on
    each, and holds the last `held` of them."""

    THREADS = 2

    def __init__(self, port, held, data):
        self.port, self.data = port, data
        self.opened = 0
        self._held = collections.deque(maxlen=held)
        self._is_over = threading.Event()
        self._is_full = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(self.THREADS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        if not self._is_full.wait(DEADLINE_S * 3):
            self.__exit__()
            raise AssertionError(f"the router took {self.opened} connections of a stranger, and no more")
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        for sock in self._held:
            sock.close()

    def _run(self):
        while not self._is_over.is_set():
            with contextlib.suppress(OSError):  # as one is refused, the next comes
                self._hold(self._opened())

    def _opened(self):
        sock = secured(self.port)
        sock.sendall(self.data)
        return sock

    def _hold(self, sock):
        self.opened += 1
        oldest = self._held[0] if len(self._held) == self._held.maxlen else None
        self._held.append(sock)
        if oldest is not None:
            self._is_full.set()
            oldest.close()


class RawFlood(Flood):
    """The same as fast as the kernel takes them: connections that say nothing, not even in TLS."""

    def __init__(self, port, held):
        super().__init__(port, held, b"")

    def _opened(self):
        return connect(self.port)


class Process:
    """What a process holds, as the kernel tells it."""

    def __init__(self, pid):
        self._folder = f"/proc/{pid}"

    def resident_kb(self):
        with open(self._folder + "/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def descriptors(self):
        return len(os.listdir(self._folder + "/fd"))

    def descriptors_after(self, most):
        """As soon as there are at most so many, or when the deadline is over."""
        ended = time.monotonic() + DEADLINE_S
        while self.descriptors() > most and time.monotonic() < ended:
            time.sleep(0.02)
        return self.descriptors()
