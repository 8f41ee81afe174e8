import asyncio
import socket
import unittest

from gatelodge import compat
from gatelodge.contract.errors import LineError
from gatelodge.network import dns
from gatelodge.network.dns import Resolver

PATH = "build/test_dns_resolv.conf"
TIMEOUT_MS = 10_000
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"  # 192.0.2.7 for 60 s


def answer(query):
    return query[:2] + b"\x81\x80\x00\x01\x00\x01\0\0\0\0" + query[12:] + ANSWER


def no_such_name(query):
    return query[:2] + b"\x81\x83\x00\x01\0\0\0\0\0\0" + query[12:]


def failing(query):
    return query[:2] + b"\x81\x82\x00\x01\0\0\0\0\0\0" + query[12:]


def write_resolv_conf(text):
    compat.makedirs("build")
    with open(PATH, "w") as file:
        file.write(text)


class NameServer:
    """A name server on the loopback: each of `replies` makes the packets for one question."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = self._bind()
        self.sock.setblocking(False)

    def _bind(self):
        # MicroPython has no getsockname, so a port is chosen here.
        for _ in range(50):
            port = 20000 + int.from_bytes(compat.entropy(2), "big") % 40000
            try:
                self.sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
                return port
            except OSError:
                continue
        raise OSError("no free port")

    async def serve(self):
        while True:
            await compat.wait_readable(self.sock)
            query, client = self.sock.recvfrom(512)
            packets = self.replies[min(self.asked, len(self.replies) - 1)]
            self.asked += 1
            for make in packets:
                self.sock.sendto(make(query), client)


def looked_up(server, *hosts):
    """What each host resolves to, one after the other: an address, or the LineError's text."""

    async def look_up():
        serving = asyncio.create_task(server.serve())
        resolver = Resolver(compat.entropy, PATH, server.port)
        found = []
        for host in hosts:
            found += [await resolved(resolver, host)]
        serving.cancel()
        server.sock.close()
        return found

    write_resolv_conf("# comment\nsearch home\nnameserver 127.0.0.1\n")
    return asyncio.run(look_up())


async def resolved(resolver, host):
    try:
        return await resolver.resolve(host, TIMEOUT_MS)
    except LineError as error:
        return str(error)


class DnsTest(unittest.TestCase):
    def tearDown(self):
        if compat.exists(PATH):
            compat.remove(PATH)

    def test_a_name_is_looked_up_once_and_kept(self):
        server = NameServer([answer])
        self.assertEqual(looked_up(server, "cloud.example", "Cloud.Example."), ["192.0.2.7"] * 2)
        self.assertEqual(server.asked, 1)

    def test_addresses_pass_through_without_a_question(self):
        server = NameServer([answer])
        hosts = ["198.51.100.1", "2001:db8::1", "127.0.0.1"]
        self.assertEqual(looked_up(server, *hosts), hosts)
        self.assertEqual((looked_up(NameServer([answer]), "localhost"), server.asked), (["127.0.0.1"], 0))

    def test_forged_packets_are_ignored(self):
        def wrong_id(query):
            return bytes([query[0] ^ 1]) + answer(query)[1:]

        def other_question(query):
            return answer(query).replace(b"cloud", b"clown")

        server = NameServer([wrong_id, other_question, answer])
        self.assertEqual(looked_up(server, "cloud.example"), ["192.0.2.7"])

    def test_a_server_that_fails_is_asked_again(self):
        server = NameServer([failing], [answer])
        self.assertEqual((looked_up(server, "cloud.example"), server.asked), (["192.0.2.7"], 2))

    def test_a_name_that_does_not_exist_is_asked_once(self):
        server = NameServer([no_such_name])
        text = "cloud.example was not found: the name cloud.example does not exist"
        self.assertEqual((looked_up(server, "cloud.example"), server.asked), ([text], 1))

    def test_resolv_conf_names_at_most_three_addresses(self):
        write_resolv_conf(
            "nameserver 192.0.2.1\n nameserver\t192.0.2.2 # x\noptions rotate\nnameserver router\n"
            "nameserver\nnameserver ::1\nnameserver 192.0.2.4"
        )
        self.assertEqual(dns.name_servers(PATH), ["192.0.2.1", "192.0.2.2", "::1"])

    def test_without_resolv_conf_the_error_names_it(self):
        resolver = Resolver(compat.entropy, "build/no-such-file")
        text = asyncio.run(resolved(resolver, "cloud.example"))
        self.assertIn("build/no-such-file names no name server", text)


if __name__ == "__main__":
    unittest.main()
