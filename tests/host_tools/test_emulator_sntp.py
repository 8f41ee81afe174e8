import asyncio
import struct

import pytest

from host_tools.emulator import sntp_responder
from host_tools.emulator.sntp_responder import SntpResponder, answer, to_ntp

NONCE = bytes(range(1, 9))


def request(version=4, mode=3):
    return bytes([version << 3 | mode]) + bytes(39) + NONCE


def test_the_epochs_are_those_of_rfc_5905_figure_4():
    assert to_ntp(0) >> 32 == 2_208_988_800  # 1 January 1970
    assert to_ntp(-2_208_988_800) == 0  # 1 January 1900
    assert to_ntp(0.5) & 0xFFFFFFFF == 1 << 31


def test_an_answer_returns_the_clients_nonce_and_both_times():
    reply = answer(request(), 1000.25, 1000.5)
    originate, receive, transmit = struct.unpack(">8sQQ", reply[24:48])
    assert originate == NONCE
    assert (receive, transmit) == (to_ntp(1000.25), to_ntp(1000.5))


@pytest.mark.parametrize("version", [3, 4])
def test_the_answer_speaks_the_clients_version_as_a_synchronised_server(version):
    reply = answer(request(version), 1, 1)
    assert reply[0] == version << 3 | 4  # leap indicator 0: synchronised
    assert 1 <= reply[1] <= 15


@pytest.mark.parametrize("length", range(48))
def test_a_packet_cut_short_is_not_answered(length):
    assert answer(request()[:length], 1, 1) is None


def test_servers_broadcasts_and_old_versions_are_not_answered():
    assert [answer(request(4, mode), 1, 1) for mode in (0, 1, 2, 4, 5, 6, 7)] == [None] * 7
    assert [answer(request(version), 1, 1) for version in (0, 1, 2, 5)] == [None] * 4


class Asker(asyncio.DatagramProtocol):
    def __init__(self):
        self.replies = asyncio.Queue()

    def datagram_received(self, data, address):
        self.replies.put_nowait(data)


async def ask(port):
    loop = asyncio.get_running_loop()
    transport, asker = await loop.create_datagram_endpoint(Asker, remote_addr=("127.0.0.1", port))
    transport.sendto(request())
    try:
        return await asyncio.wait_for(asker.replies.get(), 1)
    except TimeoutError:
        return None
    finally:
        transport.close()


async def test_the_responder_answers_until_it_is_told_to_be_silent():
    responder = SntpResponder(now=lambda: 1000.0)
    await responder.start(0)
    port = responder.transport.get_extra_info("sockname")[1]
    assert len(await ask(port)) == sntp_responder.PACKET
    responder.silent = True
    assert await ask(port) is None
    responder.close()
