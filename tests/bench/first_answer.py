"""When a server first answers by HTTPS: asked again and again, in a way that costs it little."""

import contextlib
import http.client
import socket
import ssl
import time
import urllib.parse

BETWEEN_TRIES_S = 0.005
ANSWER_TIMEOUT_S = 5.0


class Page:
    """One page of the admin site, and how to trust its server."""

    def __init__(self, url, trust):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 443
        self.path = parts.path or "/"
        self.trust = trust

    def ask(self, timeout_s):
        """The status of one GET on a fresh connection. OSError while nobody answers."""
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=timeout_s, context=self.trust)
        with contextlib.closing(connection):
            connection.request("GET", self.path)
            answer = connection.getresponse()
            answer.read()
            return answer.status


def is_answered(page):
    """Whether the page is there, below 500. A refused certificate is raised: waiting will not help."""
    try:
        return page.ask(ANSWER_TIMEOUT_S) < 500
    except (ConnectionError, TimeoutError, ssl.SSLEOFError, http.client.HTTPException):
        return False


def wait(page, timeout_s, alive=lambda: True):
    """Return when the page was answered, below 500. TimeoutError when it was not, or nobody is alive."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and alive():
        if is_answered(page):
            return
        time.sleep(BETWEEN_TRIES_S)
    raise TimeoutError(f"no HTTPS answer from port {page.port} within {timeout_s} s")


def wait_for_plain_http(port, timeout_s):
    """Return when plain HTTP is answered on the port.

    Behind QEMU's user network a connection is taken before the guest is there, and may then hang for a second
    (its SYN was lost). So tries overlap, and they are plain: a TLS handshake each would keep the guest busy.
    """
    deadline = time.monotonic() + timeout_s
    tries = []
    try:
        while time.monotonic() < deadline:
            tries = [one for one in tries[-40:] if not _over(one)]
            if any(_answered(one) for one in tries):
                return
            with contextlib.suppress(OSError):
                tries.append(_plain_try(port))
            time.sleep(0.05)
    finally:
        for one in tries:
            one.close()
    raise TimeoutError(f"no HTTP answer from port {port} within {timeout_s} s")


def _plain_try(port):
    sock = socket.create_connection(("127.0.0.1", port), 1)
    sock.setblocking(False)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    return sock


def _answered(sock):
    try:
        return sock.recv(12, socket.MSG_PEEK).startswith(b"HTTP/1.")
    except OSError:
        return False


def _over(sock):
    """Whether a try ended without an answer."""
    try:
        over = sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        over = True
    if over:
        sock.close()
    return over
