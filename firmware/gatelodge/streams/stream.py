"""TCP and TLS streams that sleep on the descriptor.

MicroPython's asyncio asks a TLS object every millisecond whether it has something. Here the poller is given
the raw socket, and the TLS object is read or written until it says None: an idle connection costs no wakeup.

    stream = await open_tls("192.0.2.1", 8445, client_context(ca), "cloud.example", timeout_ms=10_000)
    await stream.write(b"hello\\n")
    line = await stream.read_until(b"\\n", limit=1000)
    stream.close()

Every wait ends at a deadline. One task may read a stream while another writes it.
TLS ends here without a close_notify, which MicroPython cannot send; a peer that does the same is taken to
have ended too. So the protocols above must say themselves where a message ends; HTTP and WebSocket do.
"""

import socket

from gatelodge import compat
from gatelodge.compat import monotonic_ms
from gatelodge.contract.errors import LineError, ValueRangeError
from gatelodge.tasks import with_deadline

CHUNK = 4096  # bytes read at once: most requests in one piece, and little garbage for the rest

# Of Linux, on every architecture that Gatelodge runs on except mips, where connect says 149 and 150.
IN_PROGRESS = (11, 115, 149, 150)
_ALREADY_CONNECTED = (106, 133)
IPPROTO_TCP, TCP_NODELAY = 6, 1

# mbedtls/ssl.h
_FATAL_ALERT = -0x7780
_CONNECTION_ENDED = -0x7280
_NO_CLIENT_CERTIFICATE = -0x7480

# What mbedtls_x509_crt_verify_info says, in the order in which it matters to a person.
_VERIFY_REASONS = (
    ("not correctly signed by the trusted CA", "untrusted"),
    ("does not match with the expected CN", "name"),
    ("validity has expired", "expired"),
    ("validity starts in the future", "expired"),
    ("", "untrusted"),
)


class TlsError(LineError):
    """TLS could not be agreed on. `reason`:

    untrusted  the peer's certificate is missing, or is not signed by our CA
    name       its certificate is for another name
    expired    its certificate is not valid now, by this system's clock
    alert      the peer refused us: it told no more than that
    handshake  anything else
    """

    def __init__(self, reason, text):
        super().__init__(text)
        self.reason = reason


class Stream:
    """A connection. `timeout_ms` bounds every call; set it on the stream for another deadline."""

    timeout_ms = 30_000
    # Since when (monotonic ms) the connection may be ended to make room for another; None: it may not be.
    yields_since_ms = None

    def __init__(self, sock, channel, peer):
        """`sock` is the raw socket to sleep on, `channel` what is read and written: it, or TLS over it."""
        self.peer = peer
        self._sock = sock
        self._channel = channel
        self._buffer = b""
        self._ended = False

    async def read(self, n):
        """Between 1 and `n` bytes, as soon as there are some; b"" at the end of the stream."""
        data = self._buffer
        if not data and await self._fill(monotonic_ms() + self.timeout_ms):
            data = self._buffer
        self._buffer = data[n:] if len(data) > n else b""
        return data[:n] if len(data) > n else data

    async def read_unanswered(self, answer, idle_ms):
        """As `read`, but what comes is shown to `answer(came)` first, and what it gives is sent: bytes, which
        may change with the next call. When it gives None, what came is returned. `came` is good until it
        returns. `idle_ms` is for each wait.

        For who is asked much that takes no waiting: this task sleeps on, and the poller takes the turns of
        `Repeats`.
        """
        repeats = Repeats(self, answer, idle_ms)
        turn = repeats.turns().__next__
        while not (self._buffer or self._ended):
            if self._sock is None:
                raise self._closed_here()
            if turn() is not None:
                if monotonic_ms() >= repeats.until_ms:
                    raise LineError(f"{self} was too slow")
                await compat.wait_readable(self._sock, repeats.until_ms, turn)
            if repeats.error is not None:
                raise repeats.error
            if repeats.unsent:
                unsent, repeats.unsent = repeats.unsent, b""
                await self.write(unsent)
        data, self._buffer = self._buffer, b""
        return data

    async def is_silent(self, ms):
        """Sleep `ms`. False as soon as the peer sends something or ends the stream; LineError if it broke."""
        deadline = monotonic_ms() + ms
        while not (self._buffer or self._ended):
            data = self._receive()
            if data is None:
                if monotonic_ms() >= deadline:
                    return True
                await compat.wait_readable(self._sock, deadline)
            else:
                self._buffer, self._ended = data, not data
        return False

    async def read_exactly(self, n):
        """`n` bytes. LineError when the stream ends before."""
        deadline = self._deadline()
        while len(self._buffer) < n:
            if not await self._fill(deadline):
                raise LineError(f"{self} ended {n - len(self._buffer)} bytes too early")
        data, self._buffer = self._buffer[:n], self._buffer[n:]
        return data

    async def read_until(self, separator, limit):
        """The bytes up to and with the separator; b"" at a clean end. LineError past `limit` or at a cut."""
        deadline, seen = self._deadline(), 0
        while True:
            at = self._buffer.find(separator, seen)
            end = at + len(separator) if at >= 0 else len(self._buffer)
            if end > limit:
                raise LineError(f"{self} sent more than {limit} bytes without an end")
            if at >= 0:
                data, self._buffer = self._buffer[:end], self._buffer[end:]
                return data
            seen = max(0, len(self._buffer) - len(separator) + 1)
            if not await self._fill(deadline):
                if self._buffer:
                    raise LineError(f"{self} ended in the middle of a message")
                return b""

    async def write(self, data):
        """All of `data`. `timeout_ms` is for each time that the peer must make room.

        When it fails or is cancelled, nobody knows how much was sent: the stream is closed.
        """
        try:
            sent = self._transmit(data)
            if sent != len(data):
                await self._write_on(memoryview(data), sent or 0)
        except BaseException:
            self.close()
            raise

    async def _write_on(self, data, sent):
        deadline = self._deadline()
        while sent < len(data):
            done = self._transmit(data[sent:])
            if done is None:
                await self._sleep(compat.wait_writable, deadline)
            else:
                sent, deadline = sent + done, self._deadline()

    def close(self):
        """Closes the connection at once. A task that sleeps in it gets a LineError. May be called again."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        compat.wake(sock)
        if self._channel is not sock:
            self._channel.close()
        sock.close()

    @property
    def is_closed(self):
        return self._sock is None

    def __str__(self):
        return f"{self.peer[0]} port {self.peer[1]}"

    def _deadline(self):
        return monotonic_ms() + self.timeout_ms

    async def _fill(self, deadline):
        """Adds what arrives to the buffer; False at the end of the stream."""
        while not self._ended:
            data = self._receive()
            if data:
                self._buffer = self._buffer + data if self._buffer else data
                return True
            if data is not None:
                self._ended = True
            elif monotonic_ms() >= deadline:
                raise LineError(f"{self} was too slow")
            else:
                await compat.wait_readable(self._sock, deadline)
        return False

    async def _sleep(self, wait, deadline):
        if monotonic_ms() >= deadline:
            raise LineError(f"{self} was too slow")
        await wait(self._sock, deadline)

    def _receive(self):
        if self._sock is None:
            raise self._closed_here()
        try:
            return compat.receive(self._channel, CHUNK)
        except (OSError, ValueError) as error:
            if number_of(error) == _CONNECTION_ENDED:
                return b""
            raise self._failure(error)

    def _transmit(self, data):
        if self._sock is None:
            raise self._closed_here()
        try:
            return compat.transmit(self._channel, data)
        except (OSError, ValueError) as error:
            raise self._failure(error)

    def _closed_here(self):
        return LineError(f"the connection with {self} was closed here")

    def _failure(self, error):
        """The error of our tree for one of the platform's. ValueError is how `tls` says a bad certificate."""
        if isinstance(error, ValueError):
            return _verify_error(self, str(error))
        number = number_of(error)
        if number == _FATAL_ALERT:
            return TlsError("alert", f"{self} refused our certificate or our TLS: see its log")
        if number == _NO_CLIENT_CERTIFICATE:
            return TlsError("untrusted", f"{self} showed no certificate: it needs one that our CA signed")
        if number < 0:
            return TlsError("handshake", f"TLS with {self} failed: {error}")
        return LineError(f"the connection with {self} broke: {error}")

    async def _handshake_as_client(self, deadline):
        """Reads until TLS is agreed on: then, and not before, the peer's certificate can be had.

        The first flight fits into any send buffer, so only reading can block here.
        """
        while self._channel.getpeercert(True) is None and not self._ended:
            data = self._receive()
            if data is None and self._channel.getpeercert(True) is None:
                await self._sleep(compat.wait_readable, deadline)
            elif data is not None:
                self._buffer += data
                self._ended = not data
        if self._ended:
            raise TlsError("handshake", f"{self} hung up in the TLS handshake")

    async def _wait_for_first_bytes(self, deadline):
        if self._sock is not None:  # else a newcomer has taken the place before this task ran
            await compat.wait_readable(self._sock, deadline)

    def _start_tls_as_server(self, context):
        """With the peer's first bytes: who says nothing gets none of TLS's 40 KB. What is dear of a
        handshake, the keys and the signature, is done when this returns."""
        if self._sock is None:
            raise self._closed_here()
        self._channel = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
        data = self._receive()
        if data is not None:
            self._buffer, self._ended = data, not data

    async def _handshake_as_server(self, deadline):
        """Reads until the peer's first byte, which needs the handshake before it."""
        if not self._buffer and not await self._fill(deadline):
            raise TlsError("handshake", f"{self} hung up in the TLS handshake")


class Repeats:
    """Answers what a stream is asked, without a task: `Stream.read_unanswered`."""

    def __init__(self, stream, answer, idle_ms):
        self._stream = stream
        self._answer = answer
        self._idle_ms = idle_ms
        self.until_ms = monotonic_ms() + idle_ms
        self.unsent = b""  # what the peer had no room for
        self.error = None

    def turns(self):
        """Each `next` answers what has come, and gives until when to sleep on, or None: there is something
        for the task. A generator has its frame once; that of a function which catches errors MicroPython
        takes from the heap at each call."""
        while True:
            try:
                until_ms = self._turn()
            except Exception as error:  # for the task: the poller has nobody to tell
                until_ms = self._failed(error)
            yield until_ms

    def _turn(self):
        stream = self._stream
        came = compat.glimpse(stream._channel, CHUNK)
        if came is None:
            return self.until_ms
        reply = self._answer(came) if came else None
        if reply is None:
            stream._buffer, stream._ended = bytes(came), not came
            return None
        sent = compat.transmit(stream._channel, reply)
        self.until_ms = monotonic_ms() + self._idle_ms
        if sent == len(reply):
            return self.until_ms
        self.unsent = bytes(reply[sent or 0 :])
        return None

    def _failed(self, error):
        """Keeps it for the task. None: that is to be woken."""
        stream = self._stream
        if number_of(error) == _CONNECTION_ENDED:
            stream._ended = True
        elif isinstance(error, (OSError, ValueError)):
            self.error = stream._failure(error)
        else:
            self.error = error


def number_of(error):
    return (
        error.args[0] if isinstance(error, OSError) and error.args and isinstance(error.args[0], int) else 0
    )


def _verify_error(stream, text):
    reason = next(reason for words, reason in _VERIFY_REASONS if words in text)
    return TlsError(reason, f"the certificate of {stream} is refused: " + text.strip().replace("\n", "; "))


def client_context(ca_der, certificate_der=None, key_der=None):
    """TLS towards servers that `ca_der` signed; with a certificate and a SEC1 key, we show who we are."""
    import tls  # only MicroPython has it: plain streams work without

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    context.load_verify_locations(ca_der)
    if certificate_der is not None:
        context.load_cert_chain(certificate_der, key_der)
    return context


# What BSI TR-02102-2 recommends, sections 3.3.1 and 3.4.4, as far as it is fast: AES in Galois/counter mode,
# with a key of the moment. Mbed TLS's names; a library that knows none of them keeps its own choice.
SERVER_SUITES = (
    "TLS1-3-AES-256-GCM-SHA384",
    "TLS1-3-AES-128-GCM-SHA256",
    "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
    "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",
)


def server_context(certificate_der, key_der, client_ca_der=None):
    """TLS as a server; with `client_ca_der` only clients that it signed come in."""
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    suites = [name for name in context.get_ciphers() if name in SERVER_SUITES]
    if suites:
        context.set_ciphers(suites)
    context.load_cert_chain(certificate_der, key_der)
    if client_ca_der is not None:
        context.load_verify_locations(client_ca_der)
        context.verify_mode = tls.CERT_REQUIRED
    return context


def resolved(host, port):
    """What bind and connect take, of an address: on a name getaddrinfo would block (network/dns.py)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        raise ValueRangeError(f"{host} is not an address: resolve the name first")
    return family, socket.getaddrinfo(host, port)[0][-1]


async def open_tcp(host, port, timeout_ms):
    """A Stream to an address. LineError when nobody answers there."""
    family, address = resolved(host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    stream = Stream(sock, sock, (host, port))
    try:
        if not _connected(sock, address):
            await with_deadline(compat.wait_writable(sock), timeout_ms, f"connecting to {stream}")
            _connected(sock, address)  # asking again tells how it ended
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    except OSError as error:
        stream.close()
        raise LineError(f"{stream} cannot be reached: {error}")
    except BaseException:
        stream.close()
        raise
    return stream


def _connected(sock, address):
    """False while it goes on. OSError when it failed."""
    try:
        sock.connect(address)
    except OSError as error:
        if number_of(error) in _ALREADY_CONNECTED:
            return True
        if number_of(error) in IN_PROGRESS:
            return False
        raise
    return True


async def open_tls(host, port, context, server_name, timeout_ms):
    """A Stream to an address, once it has proved to be `server_name`. TlsError when it does not.

    `timeout_ms` is for connecting and the handshake together. A server that refuses our certificate may say
    so only after the handshake: then the first read raises the TlsError.
    """
    deadline = monotonic_ms() + timeout_ms
    stream = await open_tcp(host, port, timeout_ms)
    try:
        stream._channel = context.wrap_socket(
            stream._sock, server_hostname=server_name, do_handshake_on_connect=False
        )
        await stream._handshake_as_client(deadline)
    except BaseException:
        stream.close()
        raise
    return stream
