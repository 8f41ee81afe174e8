"""The kernel's table of neighbours, IPv4 and IPv6, as it tells it over netlink.

Formats: RFC 3549 section 2.3, netlink(7), rtnetlink(7), and linux/netlink.h, rtnetlink.h, neighbour.h.

    dump()                       the table as [bytes], or OSError where the system has none to give
    parse(parts, names, most)    its rows, as kernel.neighbours gives them

/proc/net/arp tells of IPv4 only, and never says when a neighbour was last heard.
"""

import socket
import struct

FAMILIES = (2, 10)  # AF_INET and AF_INET6 as Linux numbers them
SILENT_S = 600  # a neighbour that was not heard for so long is not here any more
MOST_OF_ONE = 8  # rows of one hardware address: whoever makes up addresses hides nobody else
PART_BYTES = 8192  # the kernel makes no part longer (NLMSG_GOODSIZE), and drops what is not taken with it
MOST_PARTS = 32  # 1,300 neighbours or so; by its own default the kernel keeps 1,024 (gc_thresh3)

_AF_NETLINK, _SOCK_RAW, _NETLINK_ROUTE = 16, 3, 0
_HEADER = "@IHHII"  # nlmsghdr: length, type, flags, sequence number, port
_HEADER_BYTES = 16
_NEIGHBOUR = "@BBHiHBB"  # ndmsg: family, padding, padding, interface, state, flags, type
_NEIGHBOUR_BYTES = 12
_CACHE = "@III"  # nda_cacheinfo: confirmed, used, updated, as ticks ago; a count of references follows
_TICKS = 100  # a second (USER_HZ)

_ERROR, _DONE, _NEW_NEIGHBOUR, _GET_NEIGHBOUR = 2, 3, 28, 30  # nlmsghdr's type
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DESTINATION, _HARDWARE, _CACHE_INFO = 1, 2, 3  # NDA_DST, NDA_LLADDR, NDA_CACHEINFO
_STALE = 0x04
# NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT: not multicast (NOARP), nor who never answered.
_ANSWERED = 0x9E
_PROXIED = 0x08  # NTF_PROXY: an address that the router answers for

_REQUEST = struct.pack(_HEADER, _HEADER_BYTES + _NEIGHBOUR_BYTES, _GET_NEIGHBOUR, _REQUEST_DUMP, 1, 0)


def dump():
    """[bytes]: what the kernel answers, part by part. It has each at hand when it is asked: nothing waits."""
    channel = socket.socket(_AF_NETLINK, _SOCK_RAW, _NETLINK_ROUTE)
    try:
        channel.setblocking(False)
        channel.send(_REQUEST + bytes(_NEIGHBOUR_BYTES))
        parts = []
        while len(parts) < MOST_PARTS:
            parts.append(channel.recv(PART_BYTES))
            if _is_last(parts[-1]):
                break
        return parts
    finally:
        channel.close()


def _is_last(part):
    """Whether the dump ends with this part. OSError where the kernel refuses, and for what is no message."""
    kind = None
    for kind, start, end in _messages(part):
        if kind == _ERROR:
            raise OSError(-struct.unpack_from("@i", part, start)[0] if end - start >= 4 else 0)
    if kind is None:
        raise OSError("the kernel's table of neighbours cannot be read")
    return kind == _DONE


def parse(parts, names, most):
    """[{address, mac, interface, state}]; state: "reachable", or "silent" for a while.

    names: {interface's number: its name}; what is on none of them is left out, as is what is cut short.
    """
    found, count = [], {}
    for part in parts:
        for kind, start, end in _messages(part):
            row = _row(part, start, end, names) if kind == _NEW_NEIGHBOUR and len(found) < most else None
            if row and count.get(row["mac"], 0) < MOST_OF_ONE:
                count[row["mac"]] = count.get(row["mac"], 0) + 1
                found.append(row)
    return found


def _messages(data):
    """(type, where its content begins, where it ends) of each nlmsghdr."""
    return _chunks(data, 0, len(data), "@IH", _HEADER_BYTES)


def _chunks(data, at, end, head, head_bytes):
    """(type, start, end) of each whole chunk of data[at:end], up to the first that is cut short or absurd.

    head: how a chunk begins, with its length, the head's own included, and its type."""
    while at + head_bytes <= end:
        length, kind = struct.unpack_from(head, data, at)
        if length < head_bytes or at + length > end:
            return
        yield kind, at + head_bytes, at + length
        at += (length + 3) // 4 * 4  # NLMSG_ALIGN, RTA_ALIGN


def _row(data, start, end, names):
    """A neighbour of an interface that has a name, who has answered, or None."""
    if end - start < _NEIGHBOUR_BYTES:
        return None
    family, _, _, interface, state, flags, _ = struct.unpack_from(_NEIGHBOUR, data, start)
    if family not in FAMILIES or not state & _ANSWERED or flags & _PROXIED or interface not in names:
        return None
    found = _attributes(data, start + _NEIGHBOUR_BYTES, end)
    address, mac = found.get(_DESTINATION, b""), found.get(_HARDWARE, b"")
    if len(address) != (4 if family == FAMILIES[0] else 16) or len(mac) != 6:
        return None
    return {
        "address": socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address),
        "mac": ":".join([f"{byte:02x}" for byte in mac]),
        "interface": names[interface],
        "state": "silent" if state & _STALE and _unheard_s(found) > SILENT_S else "reachable",
    }


def _attributes(data, start, end):
    """{type: bytes} of rtattr, the last of each type."""
    return {kind: data[at:to] for kind, at, to in _chunks(data, start, end, "@HH", 4)}


def _unheard_s(found):
    """How long ago the neighbour answered, or its address was learned of it: whichever was later."""
    cache = found.get(_CACHE_INFO, b"")
    if len(cache) < 12:
        return 0
    confirmed, _used, updated = struct.unpack_from(_CACHE, cache)
    return min(confirmed, updated) // _TICKS
