"""A small SNTP server on this computer's loopback: the emulated router's network time.

Packets follow RFC 5905 section 7.3 and, where a client is simple, RFC 4330 section 4. The two packet
functions are pure; the responder only carries bytes.
"""

import asyncio
import struct
import time
from collections.abc import Callable

PACKET = 48  # bytes, without extension fields and authenticator
UNIX_TO_NTP = 2_208_988_800  # seconds from 1900 to 1970, RFC 5905 figure 4
VERSIONS = (3, 4)
MODE_CLIENT, MODE_SERVER = 3, 4
STRATUM = 2  # we have our time from somebody who has it from a reference
PRECISION = -20  # log2 of seconds: about a microsecond
ROOT_DISPERSION = 0x00000042  # 1 ms in 16.16 fixed point


def to_ntp(unix_s: float) -> int:
    """Return the 64-bit NTP timestamp: 32 bits of seconds since 1900, 32 bits of fraction."""
    return (round((unix_s + UNIX_TO_NTP) * 2**32)) & 0xFFFFFFFFFFFFFFFF


def answer(request: bytes, received_at: float, sent_at: float) -> bytes | None:
    """Return the server's packet for a client's, or None for what is not a client's request."""
    if len(request) < PACKET:
        return None
    version, mode = request[0] >> 3 & 7, request[0] & 7
    if version not in VERSIONS or mode != MODE_CLIENT:
        return None
    head = bytes((version << 3 | MODE_SERVER, STRATUM, request[2])) + struct.pack("b", PRECISION)
    # The client's transmit timestamp comes back as the originate timestamp: it is the client's nonce.
    times = (to_ntp(received_at), int.from_bytes(request[40:48], "big"), to_ntp(received_at), to_ntp(sent_at))
    return head + struct.pack(">II4s4Q", 0, ROOT_DISPERSION, b"LOCL", *times)


class SntpResponder(asyncio.DatagramProtocol):
    """Answers on one UDP port. `silent` keeps the port and answers nobody, as a dead network does."""

    def __init__(self, now: Callable[[], float] = time.time):
        self.now = now
        self.silent = False
        self.transport: asyncio.DatagramTransport | None = None

    async def start(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", port))

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        received_at = self.now()
        reply = None if self.silent else answer(data, received_at, self.now())
        if reply and self.transport:
            self.transport.sendto(reply, address)

    def close(self) -> None:
        if self.transport:
            self.transport.close()
