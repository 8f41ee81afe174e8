"""Network time: asks the servers for it, every hour, and more often until one has answered."""

import asyncio
import socket

from gatelodge import compat, log
from gatelodge.compat import monotonic_ms
from gatelodge.contract.errors import GatelodgeError, LineError
from gatelodge.core import sntp_packet
from gatelodge.core.sntp_packet import KissOfDeathError, Sample
from gatelodge.tasks import with_deadline

ANSWER_TIMEOUT_MS = 2000
POLL_S = 3600  # a crystal of 100 ppm is off by 0.4 s after it
RETRY_S = (2, 4, 8, 16, 32, 64, 120, 300)  # the owner waits at first; later the servers' peace counts
MAX_SERVERS = 5
_KISS_REST_S = {"RATE": 2 * POLL_S}  # any other kiss means: not here
_KISSED_AWAY_S = 24 * 3600


class SntpClient:
    """`servers`: [(host, port)]. `clock`: `.set(unix_s, source) -> bool`, `.refusal`, `.build_time`.

    `resolve(host)` is a coroutine that gives an address; without it hosts must be addresses.
    """

    def __init__(self, servers, clock, entropy=compat.entropy, resolve=None):
        self._servers = [tuple(server) for server in servers][:MAX_SERVERS]
        self._clock = clock
        self._entropy = entropy
        self._resolve = resolve
        self._resting = {}  # server -> monotonic ms until which it wants peace
        self._failures = 0

    async def run(self):
        """Until cancelled. Its first question is asked at once: the owner may be waiting to sign in."""
        while True:
            await asyncio.sleep(await self.poll())

    async def poll(self):
        """Asks every server once and sets the clock. Returns how long to rest, in seconds."""
        samples = []
        for server in self._awake():
            sample, arrived_ms = await self._ask(server)
            if sample is not None:
                samples.append((sample, arrived_ms))
        if samples and self._set_clock(samples):
            self._failures = 0
            return POLL_S
        self._failures += 1
        return RETRY_S[min(self._failures, len(RETRY_S)) - 1]

    def _awake(self):
        now = monotonic_ms()
        return [server for server in self._servers if self._resting.get(server, 0) <= now]

    def _set_clock(self, samples):
        """As of now: the first answers are some seconds old when the last server was asked."""
        now = monotonic_ms()
        present = [Sample(s.unix_s + (now - at) / 1000, s.delay_s) for s, at in samples]
        if self._clock.set(sntp_packet.median(present).unix_s, "sntp"):
            return True
        log.warning("sntp", "the network's time is refused: %s", self._clock.refusal)
        return False

    async def _ask(self, server):
        """(Sample, when it arrived) or (None, None); a server that fails is logged."""
        host, port = server
        try:
            address = host if self._resolve is None else await self._resolve(host)
            return await self.query(address, port)
        except KissOfDeathError as error:
            rest_s = _KISS_REST_S.get(error.code, _KISSED_AWAY_S)
            self._resting[server] = monotonic_ms() + rest_s * 1000
            log.warning("sntp", "%s: %s; it is left alone for %d s", host, error, rest_s)
        except GatelodgeError as error:
            log.debug("sntp", "%s: %s", host, error)
        return None, None

    async def query(self, address, port):
        """(Sample, when it arrived in monotonic ms). LineError without an answer, SntpError for a bad one."""
        token = self._entropy(8)
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(socket.getaddrinfo(address, port)[0][-1])  # so that others' packets do not arrive
            sent_ms = monotonic_ms()
            sock.send(sntp_packet.request(token))
            packet = await with_deadline(_answer(sock, token), ANSWER_TIMEOUT_MS, f"the answer of {address}")
            arrived_ms = monotonic_ms()
        except OSError as error:
            raise LineError(f"{address} cannot be asked: {error}")
        finally:
            compat.wake(sock)
            sock.close()
        elapsed_s = (arrived_ms - sent_ms) / 1000
        return sntp_packet.read(packet, elapsed_s, self._clock.build_time), arrived_ms


async def _answer(sock, token):
    while True:
        await compat.wait_readable(sock)
        packet = sock.recv(512)
        if sntp_packet.answers(packet, token):
            return packet
