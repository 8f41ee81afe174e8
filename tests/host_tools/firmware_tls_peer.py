"""One end of a TLS connection, made of the firmware's streams. Run by MicroPython, for test_firmware_tls.py.

client PORT FOLDER CA CERTIFICATE     says hello, prints {"line": ...} or {"reason": ..., "text": ...}
server PORT FOLDER CERTIFICATE CA     prints "ready", echoes until it is killed
"-" is none; a server without a certificate speaks plain TCP.
"""

import asyncio
import sys

from gatelodge import log
from gatelodge.compat import json
from gatelodge.contract.errors import LineError
from gatelodge.streams.listener import serve
from gatelodge.streams.stream import TlsError, client_context, open_tls, server_context
from gatelodge.tasks import Tasks

HOST = "127.0.0.1"
TIMEOUT_MS = 1500


def read(folder, name):
    with open(f"{folder}/{name}.der", "rb") as file:
        return file.read()


def own_pair(folder, name):
    """(certificate, key), or None for "-"."""
    return None if name == "-" else (read(folder, name + ".crt"), read(folder, name + ".key"))


async def client(port, folder, ca, certificate):
    own = own_pair(folder, certificate) or ()
    try:
        stream = await open_tls(HOST, port, client_context(read(folder, ca), *own), "router.test", TIMEOUT_MS)
        await stream.write(b"hello\n")
        answer = {"line": (await stream.read_until(b"\n", 100)).decode()}
        stream.close()
    except TlsError as error:
        answer = {"reason": error.reason, "text": str(error)}
    except LineError as error:
        answer = {"reason": "line", "text": str(error)}
    print(json.dumps(answer))


async def echo(stream):
    while True:
        data = await stream.read(4096)
        if not data:
            return
        await stream.write(data)


async def server(port, folder, certificate, ca):
    own, client_ca = own_pair(folder, certificate), None if ca == "-" else read(folder, ca)
    context = server_context(own[0], own[1], client_ca) if own else None
    await serve(
        HOST,
        port,
        echo,
        tls_context=context,
        max_connections=8,
        handshake_timeout_ms=TIMEOUT_MS,
        owner=Tasks("peer"),
    )
    print("ready")
    await asyncio.sleep(60)


log.configure(with_debug=True)  # refused handshakes are told there
role, port, *rest = sys.argv[1:]
asyncio.run((client if role == "client" else server)(int(port), *rest))
