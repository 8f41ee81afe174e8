"""Stock Microdot on asyncio's own TLS streams: what a router gets without Gatelodge's. Runs on MicroPython.

    micropython stock_microdot.py PORT CERTIFICATE.der KEY.der BODY.json [keep-alive]

As it ships, Microdot answers in HTTP/1.0 and closes, so every request pays for a handshake.
With `keep-alive` the same parser, routes and asyncio streams run in a loop, and the answer is gathered into
one write: line by line, Nagle and the client's delayed acknowledgement would hold each answer for 40 ms.
The product is compared with the better of the two.
"""

import sys

import tls
from microdot import Microdot, Response
from microdot.microdot import Request


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Gathered:
    """Where Microdot writes an answer line by line, to be sent as one piece."""

    def __init__(self):
        self.parts = []

    async def awrite(self, data):
        self.parts.append(data)


class KeptAliveMicrodot(Microdot):
    async def handle_request(self, reader, writer):
        try:
            while await self.answer_one(reader, writer):
                pass
        except (OSError, ValueError):  # the client left, or never spoke TLS
            pass
        writer.close()
        await writer.wait_closed()

    async def answer_one(self, reader, writer):
        """Answer one request. False at the end of the connection."""
        request = await Request.create(self, reader, writer, writer.get_extra_info("peername"))
        if request is None:
            return False
        response = await self.dispatch_request(request)
        response.headers["Connection"] = "keep-alive"
        gathered = Gathered()
        await response.write(gathered)
        await writer.awrite(b"".join(gathered.parts))
        return True


def application(kind, body):
    app = kind()

    @app.get("/")
    async def answer(request):
        return Response(body, 200, {"Content-Type": "application/json"})

    return app


def main(port, certificate, key, body, mode="as it ships"):
    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(read(certificate), read(key))
    app = application(KeptAliveMicrodot if mode == "keep-alive" else Microdot, read(body))
    app.run(host="127.0.0.1", port=int(port), ssl=context)


main(*sys.argv[1:])
