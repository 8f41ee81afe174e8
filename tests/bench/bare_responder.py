"""The fastest TLS keep-alive responder that MicroPython allows: the yardstick. Runs on MicroPython.

    micropython bare_responder.py PORT CERTIFICATE.der KEY.der BODY.json

No asyncio, no parsing, one prepared answer. The poller watches the raw socket's descriptor, and the TLS
object is read and written until it returns None (it has nothing, or takes nothing, for now). It shares no
line with Gatelodge's streams, so that a fault there cannot hide here.
"""

import select
import socket
import sys

import tls

BACKLOG = 64
REQUEST_BYTES = 4096  # the bench's requests are under 300 bytes
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
END_OF_HEAD = b"\r\n\r\n"


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Connection:
    """One client: its TLS object, what came of a request so far, and what is still to be sent."""

    def __init__(self, sock, tls_object, answer):
        self.sock = sock
        self.tls = tls_object
        self.answer = answer
        self.came = b""
        self.unsent = b""

    def turn(self):
        """Read and answer until the TLS object has nothing more. False at the end of the connection."""
        while True:
            if self.unsent and not self.send():
                return True
            came = self.tls.read(REQUEST_BYTES)
            if came is None:
                return True
            if not came:
                return False
            self.take(came)

    def take(self, came):
        came = self.came + came if self.came else came
        if came.endswith(END_OF_HEAD):
            self.unsent += self.answer * came.count(END_OF_HEAD)
            came = b""
        self.came = came

    def send(self):
        """True when everything is sent."""
        sent = self.tls.write(self.unsent)
        if sent is None:
            return False
        self.unsent = self.unsent[sent:]
        return not self.unsent


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    listener.listen(BACKLOG)
    return listener


def accept(listener, context, answer):
    sock, _ = listener.accept()
    sock.setblocking(False)
    wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    return Connection(sock, wrapped, answer)


def turn_or_drop(connection):
    """False when the connection is over, by its end or by its fault."""
    try:
        return connection.turn()
    except OSError:
        return False


def serve(port, context, answer):
    listener = listen(port)
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    connections = {}
    while True:
        for sock, _ in poller.ipoll(-1):
            if sock is listener:
                connection = accept(listener, context, answer)
                connections[id(connection.sock)] = connection
                poller.register(connection.sock, select.POLLIN)
                continue
            connection = connections[id(sock)]
            alive = turn_or_drop(connection)
            if not alive:
                poller.unregister(sock)
                del connections[id(sock)]
                connection.tls.close()
            elif connection.unsent:
                poller.modify(sock, select.POLLIN | select.POLLOUT)


def main(port, certificate, key, body):
    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(read(certificate), read(key))
    body = read(body)
    serve(int(port), context, HEAD.encode() + str(len(body)).encode() + END_OF_HEAD + body)


main(*sys.argv[1:])
