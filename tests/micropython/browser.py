"""A browser of the home, and its owner's phone, in the very process of the daemon, on MicroPython."""

import socket

import tls
from gatelodge.compat import json
from gatelodge.core import base32, totp
from gatelodge.streams.stream import Stream

from tests.fakes import quick_time

TIMEOUT_MS = 20000
ANSWER_MS = 50  # of real time that the kernel may take from one end of the loopback to the other
MOST_BYTES = 100000


class Phone:
    """An authenticator by the clock of quick time; it shows no code twice."""

    def __init__(self, secret):
        self._secret = base32.decode(secret)
        self._last = 0

    def code(self):
        self._last = max(self._last + 1, totp.step_at(int(quick_time.wall_time())))
        return totp.hotp(self._secret, self._last)


class Browser:
    """`address`: of this computer's own, 127.0.0.0/8, from which it comes."""

    def __init__(self, port, address):
        self._port = port
        self._address = address
        self._stream = None
        self._token = ""
        self.cookies = {}

    async def get(self, path):
        """(status, text)"""
        return await self._asked("GET", path, b"")

    async def post(self, path, **fields):
        """(status, what is answered in JSON)"""
        status, text = await self._asked("POST", path, json.dumps(fields).encode())
        return status, json.loads(text)

    async def send(self, path, data):
        """The same of a file that is sent as it is."""
        status, text = await self._asked("POST", path, data, "application/octet-stream")
        return status, json.loads(text)

    async def watch(self, path, count):
        """The live updates of a page: as many events as `count`. Returns their bytes."""
        self.leave()  # the other connection would be idle for too long
        stream = await self._connected()
        with quick_time.real(ANSWER_MS):
            await stream.write(self._head("GET", path, b""))
            await stream.read_until(b"\r\n\r\n", MOST_BYTES)
            total = len(await stream.read_until(b"\n\n", MOST_BYTES))
        for _ in range(count - 1):
            total += len(await stream.read_until(b"\n\n", MOST_BYTES))
        stream.close()
        return total

    async def know_token(self):
        self._token = json.loads((await self.get("/api/session"))[1])["csrf_token"]

    def leave(self):
        """Its connection ends; its cookies stay."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def _asked(self, method, path, body, kind="application/json"):
        stream = await self._kept()
        with quick_time.real(ANSWER_MS):
            await stream.write(self._head(method, path, body, kind) + body)
            head = str(await stream.read_until(b"\r\n\r\n", MOST_BYTES), "utf-8").split("\r\n")
            fields = [line.split(": ", 1) for line in head[1:] if line]
            self._keep_cookies(fields)
            length = [int(value) for name, value in fields if name == "Content-Length"]
            content = await (stream.read_exactly(length[0]) if length else _rest(stream))
        if not length or ["Connection", "close"] in fields:
            self.leave()
        return int(head[0].split(" ")[1]), str(content, "utf-8")

    def _head(self, method, path, body, kind="application/json"):
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        lines.append("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0")
        lines.append("Cookie: " + "; ".join([name + "=" + self.cookies[name] for name in self.cookies]))
        if method == "POST":
            lines.append(f"Origin: https://127.0.0.1:{self._port}")
            lines.append(f"Content-Type: {kind}\r\nContent-Length: {len(body)}")
            lines.append("X-CSRF-Token: " + self._token)
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _keep_cookies(self, fields):
        for name, value in fields:
            if name == "Set-Cookie":
                cookie, _, value = value.split(";")[0].partition("=")
                self.cookies[cookie] = value

    async def _kept(self):
        if self._stream is None:
            self._stream = await self._connected()
        return self._stream

    async def _connected(self):
        sock = socket.socket()
        sock.bind(socket.getaddrinfo(self._address, 0)[0][-1])
        sock.connect(socket.getaddrinfo("127.0.0.1", self._port)[0][-1])
        sock.setblocking(False)
        sock.setsockopt(6, 1, 1)  # TCP_NODELAY
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_NONE
        stream = Stream(sock, sock, ("127.0.0.1", self._port))
        stream.timeout_ms = TIMEOUT_MS
        stream._channel = context.wrap_socket(sock, do_handshake_on_connect=False)
        with quick_time.real(ANSWER_MS):
            await stream._handshake_as_client(quick_time.monotonic_ms() + TIMEOUT_MS)
        return stream


async def _rest(stream):
    parts = []
    while True:
        part = await stream.read(4096)
        if not part:
            return b"".join(parts)
        parts.append(part)
