"""Host names to IPv4 addresses without blocking: getaddrinfo would stop the whole daemon for seconds.

    resolver = Resolver(entropy)
    address = await resolver.resolve("cloud.example", timeout_ms)

Against forged answers: a random id, a new socket and so a new random port for each question (RFC 5452),
connected, so that the kernel drops what comes from elsewhere. What is found is then proved by TLS.
"""

import socket

from gatelodge import compat, log
from gatelodge.compat import monotonic_ms
from gatelodge.contract.errors import LineError
from gatelodge.core import dns_wire
from gatelodge.core.dns_wire import DnsError, NotOurs
from gatelodge.tasks import with_deadline

PORT = 53
ROUNDS = 2  # each server is asked twice, as the C library does
ATTEMPT_MS = 2000
SERVERS_LIMIT = 3  # MAXNS of resolv.conf(5)
CACHE_LIMIT = 16  # names: the cloud's and the time servers' are under ten
FORGERIES_LIMIT = 20  # packets that are not ours, within one attempt: after that somebody is guessing the id
_FILE_LIMIT = 4096  # bytes of resolv.conf that are read


class Resolver:
    def __init__(self, entropy, path="/etc/resolv.conf", port=PORT):
        self._entropy = entropy
        self._path = path
        self._port = port
        self._cache = {}  # name -> (address, until when, in monotonic ms)

    async def resolve(self, host, timeout_ms):
        """An address of the host; an address is returned as it is. Raises LineError, ValueRangeError."""
        if is_address(host):
            return host
        name = host.lower().rstrip(".")
        if name == "localhost":  # RFC 6761 section 6.3
            return "127.0.0.1"
        address, until_ms = self._cache.get(name, (None, 0))
        if monotonic_ms() < until_ms:
            return address
        return await with_deadline(self._look_up(name), timeout_ms, "looking up %s" % name)

    async def _look_up(self, name):
        servers = name_servers(self._path)
        if not servers:
            raise LineError("%s names no name server: is the internet connection up?" % self._path)
        problem = None
        for server in servers * ROUNDS:
            try:
                addresses, ttl_s = await self._ask(server, name)
            except (DnsError, LineError, OSError) as error:
                log.debug("dns", "%s: %s", server, error)
                problem = error
                if isinstance(error, DnsError) and error.is_final:
                    break
            else:
                self._remember(name, addresses[0], ttl_s)
                return addresses[0]
        raise LineError("%s was not found: %s" % (name, problem))

    async def _ask(self, server, name):
        query_id = int.from_bytes(self._entropy(2), "big")
        query = dns_wire.query(query_id, name)
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(socket.getaddrinfo(server, self._port)[0][-1])  # an address: this does not block
            sock.send(query)
            return await with_deadline(_answer(sock, query_id, name), ATTEMPT_MS, "the answer of " + server)
        finally:
            compat.wake(sock)
            sock.close()

    def _remember(self, name, address, ttl_s):
        if name not in self._cache and len(self._cache) >= CACHE_LIMIT:
            self._cache.clear()  # it never holds so many honest names
        self._cache[name] = (address, monotonic_ms() + ttl_s * 1000)


async def _answer(sock, query_id, name):
    for _ in range(FORGERIES_LIMIT):
        await compat.wait_readable(sock)
        try:
            return dns_wire.parse_answer(sock.recv(dns_wire.SIZE_LIMIT), query_id, name)
        except NotOurs as error:
            log.debug("dns", "%s", error)
    raise LineError("too many packets that answer nothing came from the name server")


def name_servers(path):
    """The addresses that a resolv.conf names, at most three; none when there is no such file."""
    if not compat.exists(path):
        return []
    with open(path) as file:
        lines = file.read(_FILE_LIMIT).split("\n")
    fields = [line.split() for line in lines]
    servers = [words[1] for words in fields if len(words) >= 2 and words[0] == "nameserver"]
    return [server for server in servers if is_address(server)][:SERVERS_LIMIT]


def is_address(host):
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True
