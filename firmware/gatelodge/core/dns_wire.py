"""DNS messages (RFC 1035) as far as a router needs them to find its cloud: ask for A, read the answer."""

import struct

from gatelodge.contract.errors import TheirError, ValueRangeError

NAME_LIMIT = 255  # bytes on the wire, section 2.3.4
LABEL_LIMIT = 63
SIZE_LIMIT = 512  # of a message over UDP without EDNS, section 2.3.4
POINTER_LIMIT = 16  # jumps within one name; honest servers use one or two
RECORD_LIMIT = 32  # answers that are looked at
LONGEST_TTL_S = 86400  # a wrong answer is not kept for longer

_HEADER = ">HHHHHH"  # id, flags, and the counts of questions, answers, authorities, additionals
_HEADER_SIZE = 12
_RECURSION_DESIRED = 0x0100
_RESPONSE, _OPCODE, _RCODE = 0x8000, 0x7800, 0x000F
_NO_ERROR, _NO_SUCH_NAME = 0, 3
_A, _CNAME, _IN = 1, 5, 1
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_"


class DnsError(TheirError):
    """An answer that cannot be used. `is_final`: every other server would say the same."""

    def __init__(self, text, is_final=False):
        super().__init__(text)
        self.is_final = is_final


class NotOurs(DnsError):
    """A packet that does not answer our question: forged, or late. Wait on for the real one."""


def query(query_id, host):
    """The question for host's IPv4 addresses. Raises ValueRangeError when host is no name."""
    return struct.pack(_HEADER, query_id, _RECURSION_DESIRED, 1, 0, 0, 0) + _question(host)


def _question(host):
    return encode_name(host) + struct.pack(">HH", _A, _IN)


def encode_name(host):
    labels = host.lower().rstrip(".").split(".")
    for label in labels:
        if not 1 <= len(label) <= LABEL_LIMIT or not all(c in _LETTERS for c in label):
            raise ValueRangeError("%r is not a host name: correct it" % host)
    name = b"".join([bytes([len(label)]) + label.encode() for label in labels]) + b"\0"
    if len(name) > NAME_LIMIT:
        raise ValueRangeError("a host name of %d bytes is too long" % len(name))
    return name


def parse_answer(packet, query_id, host):
    """(addresses as text in the server's order, seconds they may be kept).

    Raises NotOurs for a packet to be ignored, DnsError for an answer without an address.
    """
    count, at = _check_header(packet, query_id, host)
    addresses, ttl_s, wanted = [], LONGEST_TTL_S, encode_name(host)
    for _ in range(min(count, RECORD_LIMIT)):
        owner, at = read_name(packet, at)
        kind, class_, ttl, size = _unpack(">HHIH", packet, at)
        at += 10
        _check_inside(packet, at + size)
        # A server lists the aliases in their order (RFC 1034 section 4.3.2), so one pass follows them.
        if owner == wanted and class_ == _IN and kind in (_A, _CNAME):
            ttl_s = min(ttl_s, _ttl_s(ttl))
            if kind == _CNAME:
                wanted, _ = read_name(packet, at)
            elif size == 4:
                addresses.append(".".join(str(byte) for byte in packet[at : at + 4]))
        at += size
    if not addresses:
        raise DnsError("%s has no IPv4 address" % host, is_final=True)
    return addresses, ttl_s


def _check_header(packet, query_id, host):
    """(number of answers, where they begin)."""
    if len(packet) < _HEADER_SIZE:
        raise NotOurs("a packet is too short for DNS")
    their_id, flags, questions, answers, _, _ = struct.unpack(_HEADER, packet[:_HEADER_SIZE])
    if their_id != query_id or not flags & _RESPONSE or flags & _OPCODE or questions != 1:
        raise NotOurs("a packet does not answer our question")
    name, at = read_name(packet, _HEADER_SIZE)
    if name + packet[at : at + 4] != _question(host):
        raise NotOurs("a packet answers another question")
    code = flags & _RCODE
    if code == _NO_SUCH_NAME:
        raise DnsError("the name %s does not exist" % host, is_final=True)
    if code != _NO_ERROR:
        raise DnsError("a name server could not look up %s (code %d)" % (host, code))
    return answers, at + 4


def _ttl_s(ttl):
    """RFC 2181 section 8: with the highest bit set it is 0."""
    return 0 if ttl & 0x80000000 else ttl


def read_name(packet, at):
    """(the name in lower case, uncompressed, as on the wire; where the next field begins). Section 4.1.4."""
    name, after, jumps = b"", None, 0
    while True:
        (length,) = _unpack(">B", packet, at)
        if length & 0xC0 == 0xC0:
            (pointer,) = _unpack(">H", packet, at)
            after = at + 2 if after is None else after
            at, jumps = _jump(pointer & 0x3FFF, at, jumps)
            continue
        if length > LABEL_LIMIT:
            raise DnsError("a label has the reserved length %d" % length)
        _check_inside(packet, at + 1 + length)
        name += bytes(packet[at : at + 1 + length]).lower()
        at += 1 + length
        if len(name) > NAME_LIMIT:
            raise DnsError("a name is longer than %d bytes" % NAME_LIMIT)
        if not length:
            return name, at if after is None else after


def _jump(target, at, jumps):
    """Pointers go back to a prior name only, so they cannot run in a circle; and there are few of them."""
    if target >= at or target < _HEADER_SIZE or jumps >= POINTER_LIMIT:
        raise DnsError("a compressed name does not point back")
    return target, jumps + 1


def _unpack(form, packet, at):
    end = at + struct.calcsize(form)
    _check_inside(packet, end)
    return struct.unpack(form, packet[at:end])


def _check_inside(packet, end):
    if end > len(packet):
        raise DnsError("an answer of a name server is cut short")
