import asyncio
import socket
import struct
import unittest

from gatelodge import compat, log
from gatelodge.contract.errors import LineError
from gatelodge.core import sntp_packet
from gatelodge.core.sntp_packet import KissOfDeathError, Sample, SntpError
from gatelodge.network.sntp import POLL_S, RETRY_S, SntpClient
from gatelodge.tasks import Tasks

from tests.fakes.clock import FakeClock

HOST = "127.0.0.1"
PORT = 31000 + int.from_bytes(compat.entropy(2), "big") % 1000
TOKEN = b"8 random"
NOW = 1_795_281_600
BUILD = FakeClock.build_time


def timestamp(unix_s):
    return struct.pack(">II", (int(unix_s) + 2_208_988_800) % 2**32, int(unix_s % 1 * 2**32))


def answer(token=TOKEN, received=NOW, sent=NOW, leap=0, mode=4, stratum=2, identifier=b"TEST", dispersion=0):
    head = struct.pack(">BBbbII4s", leap << 6 | 4 << 3 | mode, stratum, 6, -20, 0, dispersion, identifier)
    return head + timestamp(NOW - 60) + token + timestamp(received) + (timestamp(sent) if sent else bytes(8))


class PacketTest(unittest.TestCase):
    def test_a_question_is_48_bytes_of_version_4_client_and_tells_only_the_token(self):
        self.assertEqual(sntp_packet.request(TOKEN), b"\x23" + bytes(39) + TOKEN)

    def test_an_answer_gives_the_time_of_its_arrival(self):
        sample = sntp_packet.read(answer(received=NOW + 0.25, sent=NOW + 0.5), 1.25, BUILD)
        self.assertEqual(sample, Sample(NOW + 1.0, 1.0))

    def test_only_a_servers_answer_with_our_token_is_ours(self):
        self.assertTrue(sntp_packet.answers(answer(), TOKEN))
        for packet in (answer(token=b"guessed!"), answer(mode=3), answer()[:47], b""):
            self.assertFalse(sntp_packet.answers(packet, TOKEN))

    def test_a_server_that_is_unsure_is_not_believed(self):
        for packet in (answer(leap=3), answer(stratum=16), answer(sent=0), answer(dispersion=4 << 16)):
            with self.assertRaises(SntpError):
                sntp_packet.read(packet, 0.01, BUILD)

    def test_a_slow_answer_or_one_sent_before_it_was_asked_is_not_believed(self):
        for packet, elapsed in ((answer(), 3.5), (answer(received=NOW + 5), 0.01)):
            with self.assertRaises(SntpError):
                sntp_packet.read(packet, elapsed, BUILD)

    def test_a_kiss_of_death_brings_its_code(self):
        for identifier, code in ((b"RATE", "RATE"), (b"\x1b[2J", "??" + "?J")):
            try:
                sntp_packet.read(answer(stratum=0, identifier=identifier), 0, BUILD)
                self.fail("a kiss was taken for a time")
            except KissOfDeathError as error:
                self.assertEqual(error.code, code)

    def test_the_era_after_2036_is_told_by_the_build_time(self):
        later = 2_085_978_496 + 1000  # 2036-02-07, the first second of era 1, and some
        self.assertEqual(sntp_packet.read(answer(received=later, sent=later), 0, BUILD).unix_s, later)

    def test_one_false_server_of_three_is_outvoted(self):
        samples = [Sample(NOW + 9e8, 0.01), Sample(NOW, 0.2), Sample(NOW + 1, 0.1)]
        self.assertEqual(sntp_packet.median(samples).unix_s, NOW + 1)

    def test_of_two_servers_the_nearer_is_believed(self):
        self.assertEqual(sntp_packet.median([Sample(5, 0.3), Sample(7, 0.1)]).unix_s, 7)


class Responder:
    """A server on this computer that answers each question with what `reply(token)` gives: packets."""

    def __init__(self, reply):
        global PORT
        PORT += 1
        self.server = (HOST, PORT)
        self.questions = 0
        self._reply = reply
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind(socket.getaddrinfo(HOST, PORT)[0][-1])

    async def run(self):
        while True:
            await compat.wait_readable(self._sock)
            question, asker = self._sock.recvfrom(100)
            self.questions += 1
            for packet in self._reply(question[40:48]):
                self._sock.sendto(packet, asker)

    def close(self):
        compat.wake(self._sock)
        self._sock.close()


class ClientTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        log.configure("/dev/null")
        self.tasks, self.responders = Tasks("test"), []
        self.clock = FakeClock(BUILD, is_set=False)

    async def asyncTearDown(self):
        await self.tasks.close()
        for responder in self.responders:
            responder.close()
        log.configure()

    def client(self, *replies):
        for reply in replies:
            self.responders.append(Responder(reply))
            self.tasks.start(self.responders[-1].run(), "responder")
        return SntpClient([responder.server for responder in self.responders], self.clock)

    async def test_an_answer_sets_the_clock_for_an_hour(self):
        rest_s = await self.client(lambda token: [answer(token)]).poll()
        self.assertEqual((rest_s, self.clock.source), (POLL_S, "sntp"))
        self.assertIn(self.clock.now(), range(NOW, NOW + 3))

    async def test_a_forged_packet_before_the_answer_is_ignored(self):
        forged = answer(token=b"guessed!", received=NOW + 9e7, sent=NOW + 9e7)
        await self.client(lambda token: [forged, b"?", answer(token)]).poll()
        self.assertIn(self.clock.now(), range(NOW, NOW + 3))

    async def test_without_a_usable_answer_the_next_tries_come_later_and_later(self):
        client = self.client(lambda token: [answer(token, leap=3)])
        rests = []
        for _ in range(len(RETRY_S) + 2):
            rests.append(await client.poll())  # noqa: PERF401 - MicroPython has no asynchronous comprehension
        self.assertEqual(rests, list(RETRY_S) + [RETRY_S[-1]] * 2)
        self.assertFalse(self.clock.is_set)

    async def test_a_server_that_says_a_kiss_is_left_alone(self):
        client = self.client(
            lambda token: [answer(token, stratum=0, identifier=b"RATE")], lambda token: [answer(token)]
        )
        for _ in range(3):
            await client.poll()
        self.assertEqual([responder.questions for responder in self.responders], [1, 3])
        self.assertTrue(self.clock.is_set)

    async def test_a_port_where_nobody_listens_is_a_line_error(self):
        with self.assertRaises(LineError):
            await self.client().query(HOST, PORT + 500)

    async def test_a_name_goes_through_the_resolver(self):
        responder = Responder(lambda token: [answer(token)])
        self.responders.append(responder)
        self.tasks.start(responder.run(), "responder")

        async def resolve(host):
            return {"time.test": HOST}[host]

        client = SntpClient([["time.test", responder.server[1]]], self.clock, resolve=resolve)
        self.assertEqual(await client.poll(), POLL_S)

    async def test_run_polls_at_once(self):
        client = self.client(lambda token: [answer(token)])
        self.tasks.start(client.run(), "sntp")
        for _ in range(1000):
            if self.clock.is_set:
                return
            await asyncio.sleep(0.02)
        self.fail("the clock was not set")


if __name__ == "__main__":
    unittest.main()
