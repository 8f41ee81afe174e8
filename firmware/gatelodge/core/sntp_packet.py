"""The packets of SNTP: RFC 4330, with the formats of RFC 5905 section 7.3. Bytes in, decisions out."""

import struct
from collections import namedtuple

from gatelodge.contract.errors import TheirError

SIZE = 48
_FORMAT = ">BBbbIII8s8s8s8s"  # flags, stratum, poll, precision, root delay, dispersion, id, four timestamps
_VERSION_4_CLIENT = 4 << 3 | 3
_MODE_SERVER = 4
_ALARM = 3  # leap indicator: the server's own clock is not synchronised
_MAX_STRATUM = 15
_UNIX_EPOCH = 2_208_988_800  # seconds from 1900, where NTP counts from, to 1970
_ERA_S = 2**32  # an NTP second counter wraps in 2036
MAX_DELAY_S = 3  # the answer is off by half of it at most: a TOTP step has 30
MAX_ROOT_DISTANCE_S = 3  # what the server says of its own error

# unix_s: the time when the answer arrived. delay_s: how long the network took, both ways.
Sample = namedtuple("Sample", ("unix_s", "delay_s"))


class SntpError(TheirError):
    """An answer that is not to be used."""


class KissOfDeathError(SntpError):
    """The server wants to be left alone (RFC 5905 section 7.4). `code`: "RATE" is for a while."""

    def __init__(self, code):
        super().__init__(f"the server says {code}")
        self.code = code


def request(token):
    """A question. `token`: 8 random bytes in the place of our time, which we do not know.

    The server sends them back without reading them: who has not seen them cannot answer.
    """
    return struct.pack(_FORMAT, _VERSION_4_CLIENT, 0, 0, 0, 0, 0, 0, bytes(8), bytes(8), bytes(8), token)


def answers(packet, token):
    """Whether the packet answers our question, usable or not. Others are to be ignored."""
    return len(packet) >= SIZE and packet[0] & 7 == _MODE_SERVER and packet[24:32] == token


def read(packet, elapsed_s, not_before):
    """The Sample in an answer that came `elapsed_s` after the question. Checks of RFC 4330 section 5.

    `not_before` (unix seconds) tells the era: the answer is the first such time after it.
    """
    flags, stratum, _, _, delay, dispersion, identifier, _, _, received, sent = struct.unpack(
        _FORMAT, packet[:SIZE]
    )
    if stratum == 0:
        raise KissOfDeathError(_text(identifier))
    if flags >> 6 == _ALARM or stratum > _MAX_STRATUM:
        raise SntpError("the server does not know the time itself")
    if sent == bytes(8):
        raise SntpError("the server sent no time")
    if delay / 131072 + dispersion / 65536 > MAX_ROOT_DISTANCE_S:
        raise SntpError("the server says that it may be seconds off")
    received_s, sent_s = _unix(received, not_before), _unix(sent, not_before)
    delay_s = max(0, elapsed_s - (sent_s - received_s))
    if delay_s > MAX_DELAY_S or sent_s < received_s:
        raise SntpError(f"the answer took {delay_s:.1f} s")
    return Sample(sent_s + delay_s / 2, delay_s)


def _text(identifier):
    code = struct.pack(">I", identifier)
    return "".join([chr(byte) if 65 <= byte <= 90 else "?" for byte in code])


def _unix(timestamp, not_before):
    seconds, fraction = struct.unpack(">II", timestamp)
    unix_s = seconds - _UNIX_EPOCH
    while unix_s < not_before:
        unix_s += _ERA_S
    return unix_s + fraction / _ERA_S


def median(samples):
    """The sample in the middle: one false server of three is outvoted. Of two, the one that was nearer."""
    if len(samples) == 2:
        return min(samples, key=lambda sample: sample.delay_s)
    return sorted(samples, key=lambda sample: sample.unix_s)[len(samples) // 2]
