"""Listens, and gives each connection to a handler in a task of its own.

    listener = await serve("192.0.2.1", 443, handler, tls_context=context, max_connections=24, owner=tasks)
    listener.close()
"""

import asyncio
import socket

from gatelodge import compat, log
from gatelodge.compat import monotonic_ms
from gatelodge.contract.errors import LineError, OurError
from gatelodge.core import door
from gatelodge.streams.stream import IN_PROGRESS, IPPROTO_TCP, TCP_NODELAY, Stream, number_of, resolved

BACKLOG = 512  # connections that the kernel keeps for us: what comes while it is full comes again in 1 s
WINDOW = 16384  # bytes that the kernel keeps of what a client sends; it doubles that for its own accounts
ACCEPTED_AT_ONCE = 128  # before others have their turn
RETRY_ACCEPT_MS = 1000  # after the system was out of descriptors
_SO_RCVBUF, _SO_BINDTODEVICE = 8, 25  # socket(7); mips has another number for the first, and its own window


class Listener:
    """Accepts connections, each in a task of its own; made by `serve`.

    With all places taken the next one ends one that yields (`Stream.yields_since_ms`): each does until its
    handshake is over, later its handler decides. core/door.py has the rules. Where none yields the kernel
    keeps them waiting, and a browser that opens six connections sees a short delay, not an error.
    """

    def __init__(self, sock, handler, tls_context, max_connections, handshake_timeout_ms, owner, known):
        self._sock = sock
        self._handler = handler
        self._tls_context = tls_context
        self._places = max_connections
        self._place_is_free = asyncio.Event()
        self._streams = []  # one in each place that is taken
        self._handshake_timeout_ms = handshake_timeout_ms
        self._owner = owner
        self._known = known
        self._lane = door.Lane()

    def close(self):
        """Accepts no more. The connections that are open belong to the owner of the tasks."""
        sock, self._sock = self._sock, None
        if sock is not None:
            compat.wake(sock)
            sock.close()

    async def _accept(self):
        try:
            while self._sock is not None:
                await compat.wait_readable(self._sock)  # a listener's only wait without a deadline
                looked = door.Door(self._streams, self._places, self._known, monotonic_ms())
                if looked.is_shut:
                    self._place_is_free.clear()
                    await self._place_is_free.wait()
                elif not self._accept_some(looked):
                    await asyncio.sleep(RETRY_ACCEPT_MS / 1000)
        finally:
            self.close()

    def _accept_some(self, looked):
        """Many at a time: the kernel drops what comes while its queue is full. False where none can be."""
        for _ in range(ACCEPTED_AT_ONCE if self._sock is not None else 0):
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                if number_of(error) in IN_PROGRESS:
                    break
                log.warning("streams", "no connection could be accepted: %s", error)
                return False
            peer = compat.address_of(address)
            ended = looked.way_for(peer[0])
            if ended is door.TURNED_AWAY:
                sock.close()
                continue
            if ended is not None:
                ended.close()
            looked.entered(self._take(sock, peer))
        return True

    def _take(self, sock, peer):
        sock.setblocking(False)
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        stream = Stream(sock, sock, peer)
        stream.yields_since_ms = monotonic_ms()
        self._streams.append(stream)
        self._owner.start(self._served(stream), "a connection")
        return stream

    async def _served(self, stream):
        try:
            if self._tls_context is not None:
                await self._shake_hands(stream)
            stream.yields_since_ms = None
            await self._handler(stream)
        except LineError as error:
            # Not louder: a browser that asks its owner about the certificate hangs up first, and a flood of
            # such connections would push everything else out of the log.
            log.debug("streams", "%s", error)
        except Exception as error:  # a fault of ours ends this connection, not everybody's
            log.exception("streams", f"serving {stream} failed", error)
        finally:
            stream.close()
            self._streams.remove(stream)
            self._place_is_free.set()

    async def _shake_hands(self, stream):
        deadline = monotonic_ms() + self._handshake_timeout_ms
        await stream._wait_for_first_bytes(deadline)
        await self._lane_is_free_for(stream, deadline)
        began_ms = monotonic_ms()
        stream._start_tls_as_server(self._tls_context)
        self._lane.took(began_ms, monotonic_ms())
        await stream._handshake_as_server(deadline)

    async def _lane_is_free_for(self, stream, deadline):
        """At once for who opens no more than a browser."""
        while not stream.is_closed and door.is_crowd(stream, self._streams):
            left_ms = self._lane.left_ms(monotonic_ms())
            if not left_ms:
                break
            if monotonic_ms() >= deadline:
                raise LineError(f"{stream} was one of too many")
            await asyncio.sleep(left_ms / 1000)


async def serve(
    bind_host,
    port,
    handler,
    *,
    tls_context=None,
    max_connections,
    handshake_timeout_ms=10_000,
    owner,
    interface="",
    known=set,
):
    """A Listener whose tasks belong to `owner`, a Tasks.

    Only what comes in by `interface` reaches it, if one is given: an address alone would not do, for Linux
    answers for all of its addresses on every port.

    `handler(stream)` is a coroutine; its stream is closed after it. OurError when the address is taken.
    With TLS a client must also send its first byte before the handshake's deadline: one that only connects
    keeps no place. known(): the addresses whose connections are ended for no stranger.
    """
    family, address = resolved(bind_host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if interface:
            sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode() + b"\0")
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUF, WINDOW)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        where = f"{bind_host} port {port}" + (f" of {interface}" if interface else "")
        raise OurError(f"{where} cannot be listened on ({error}): is it taken, is the interface there?")
    sock.setblocking(False)
    listener = Listener(sock, handler, tls_context, max_connections, handshake_timeout_ms, owner, known)
    owner.start(listener._accept(), f"the listener on port {port}")
    return listener
