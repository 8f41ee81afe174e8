"""A serial port on the network, on loopback: what a terminal server does with the cable of a bench.

    with PortServer(rig.port) as server:              # raw bytes: server.url is socket://...
    with PortServer(rig.port, with_speed=True) as server:   # RFC 2217, by pyserial's own server side: rfc2217://...

`server.speeds` are those that clients have asked for, in order.
"""

import contextlib
import select
import socket
import threading

import serial
from serial import rfc2217

PIECE = 1024


class PtySerial(serial.Serial):
    """A pty as a server's port: it takes any speed and has no modem lines."""

    cts = dsr = ri = cd = property(lambda self: False)

    def _update_rts_state(self):
        """There is none."""

    _update_dtr_state = _update_break_state = _update_rts_state


class PortServer:
    def __init__(self, port, with_speed=False):
        self._with_speed = with_speed
        self._serial = PtySerial(port, 115200, timeout=0)
        self.speeds = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._wake, self._waker = socket.socketpair()
        scheme = "rfc2217" if self._with_speed else "socket"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._waker.send(b"x")
        self._thread.join()
        for part in (self._listener, self._wake, self._waker, self._serial):
            part.close()

    def _serve(self):
        """One client after the other, as a port has one user."""
        while self._wake not in self._wait(self._listener):
            client, _ = self._listener.accept()
            with client, contextlib.suppress(ConnectionError):
                self._carry(client)

    def _wait(self, *sources):
        return select.select([*sources, self._wake], [], [])[0]

    def _carry(self, client):
        to_port, to_client = self._filters(client)
        while self._wake not in (ready := self._wait(client, self._serial)):
            if client in ready:
                data = client.recv(PIECE)
                if not data:
                    return
                self._serial.write(to_port(data))
                self._note_speed()
            if self._serial in ready:
                client.sendall(to_client(self._serial.read(PIECE)))

    def _filters(self, client):
        if not self._with_speed:
            return bytes, bytes
        manager = rfc2217.PortManager(self._serial, _Connection(client))
        return lambda data: b"".join(manager.filter(data)), lambda data: b"".join(manager.escape(data))

    def _note_speed(self):
        if not self.speeds or self.speeds[-1] != self._serial.baudrate:
            self.speeds.append(self._serial.baudrate)


class _Connection:
    """What PortManager writes its own answers to."""

    def __init__(self, client):
        self.write = client.sendall
