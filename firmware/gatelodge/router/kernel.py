"""What Linux tells in /proc and /sys, read in small bounded pieces. Every function takes the text of one
file.

Formats: proc(5), and Documentation/filesystems/proc.rst of the kernel.
"""

import socket

MEMORY_LINES = 3  # MemTotal, MemFree, MemAvailable: the first of some fifty (proc(5))
PIECE = 4096  # bytes asked for at once: most files have fewer, and a small heap has no 64 KB in one place
MAX_FILE = 65536  # bytes; /proc/net/arp of a full /24 is 20 KB, fib_trie of a home router 4 KB
_NO_ADDRESS6 = "0" * 32


def read(path):
    """The text of a small file, or "" when it is not there."""
    try:
        return str(read_bytes(path), "utf-8")
    except UnicodeError:
        return ""


def read_bytes(path):
    """The bytes of a small file, or b"" when it is not there."""
    try:
        with open(path, "rb") as file:
            found = piece = file.read(PIECE)
            while len(piece) == PIECE and len(found) < MAX_FILE:
                piece = file.read(PIECE)
                found += piece
            return found
    except OSError:
        return b""


def words(text):
    """The lines of a table without its headings, split at white space."""
    return [line.split() for line in text.split("\n") if line.strip()]


def uptime_s(text):
    parts = text.split()
    return int(float(parts[0])) if parts else 0


def load(text):
    """The three load averages of /proc/loadavg."""
    parts = text.split()
    return [float(part) for part in parts[:3]] if len(parts) >= 3 else [0.0, 0.0, 0.0]


def memory(text):
    """{total_kb, free_kb, available_kb} of /proc/meminfo."""
    found = {}
    for line in text.split("\n", MEMORY_LINES)[:MEMORY_LINES]:
        parts = line.split()
        if len(parts) >= 2:
            found[parts[0]] = int(parts[1])
    free = found.get("MemFree:", 0)
    return {
        "total_kb": found.get("MemTotal:", 0),
        "free_kb": free,
        "available_kb": found.get("MemAvailable:", free),
    }


def counters(text):
    """{interface: (received bytes, sent bytes)} of /proc/net/dev."""
    found = {}
    for line in text.split("\n"):
        name, colon, rest = line.partition(":")
        numbers = rest.split()
        if colon and len(numbers) >= 9:
            found[name.strip()] = (int(numbers[0]), int(numbers[8]))
    return found


def numbered(numbers):
    """{number: interface} of {interface: text of /sys/class/net/*/ifindex}, without what has just gone."""
    return {int(text): name for name, text in numbers.items() if text}


def neighbours(text, most):
    """[{address, mac, interface, state}] of /proc/net/arp, IPv4 only. state: "reachable" or "incomplete"."""
    found = []
    for parts in words(text)[1:]:
        if len(parts) >= 6 and len(found) < most:
            answered = int(parts[2], 16) & 2  # ATF_COM: the address is resolved
            state = "reachable" if answered else "incomplete"
            found.append({"address": parts[0], "mac": parts[3], "interface": parts[5], "state": state})
    return found


def routes(text):
    """[(interface, network, mask, gateway)] of /proc/net/route, whole numbers in the kernel's byte order,
    which it prints in hexadecimal of the host's order."""
    up, reject = 1, 0x200  # RTF_UP, RTF_REJECT: a route that leads nowhere, on purpose
    rows = [row for row in words(text)[1:] if len(row) >= 8 and int(row[3], 16) & (up | reject) == up]
    return [(row[0], _address(row[1]), _address(row[7]), _address(row[2])) for row in rows]


def _address(text):
    """ "0100A8C0" is 192.168.0.1: little-endian on every processor that boards/ names."""
    return int.from_bytes(int(text, 16).to_bytes(4, "little"), "big")


def default_interface(found):
    """The interface of the default route in `routes`, or "". PPP has one without a gateway."""
    for interface, network, mask, _gateway in found:
        if network == 0 and mask == 0:
            return interface
    return ""


def gateway_of(interface, found):
    """The address of the next router out of the interface, or ""."""
    for name, network, mask, gateway in found:
        if name == interface and network == 0 and mask == 0 and gateway:
            return ".".join([str(byte) for byte in gateway.to_bytes(4, "big")])
    return ""


def gateway6_of(interface, text):
    """The same for IPv6, of /proc/net/ipv6_route: destination, its bits, source, its bits, next hop, three
    numbers, flags, interface; all in hexadecimal."""
    for parts in words(text):
        is_default = len(parts) >= 10 and parts[0] == _NO_ADDRESS6 and parts[1] == "00"
        if is_default and parts[9] == interface and parts[4] != _NO_ADDRESS6:
            return _address6(parts[4])
    return ""


def addresses6_of(interface, text, most):
    """The global IPv6 addresses of the interface as texts, of /proc/net/if_inet6: address, index, bits,
    scope, flags, interface."""
    rows = [parts for parts in words(text) if len(parts) >= 6]
    found = [
        parts[0] for parts in rows if parts[5] == interface and parts[3] == "00"
    ]  # IPV6_ADDR_ANY: global
    return [_address6(digits) for digits in found[:most]]


def name_servers(text, most):
    """The addresses that resolv.conf(5) names."""
    rows = [parts for parts in words(text) if len(parts) >= 2 and parts[0] == "nameserver"]
    return [parts[1] for parts in rows[:most]]


def speed_mbit(text):
    """Of /sys/class/net/*/speed; None for what has none, as Wi-Fi and virtual ports."""
    try:
        speed = int(text)
    except ValueError:
        return None
    return speed if speed > 0 else None


def _address6(digits):
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))


def local_addresses(text):
    """The router's own IPv4 addresses as texts, of /proc/net/fib_trie: each leaf that is followed by "host
    LOCAL"."""
    found = []
    leaf = ""
    for parts in words(text):
        if parts[0] == "|--" and len(parts) > 1:
            leaf = parts[1]
        elif parts[-2:] == ["host", "LOCAL"] and leaf not in found:
            found.append(leaf)
    return found


def address_of(interface, found, addresses):
    """The first address that lies in a network which `routes` leads out of the interface, or ""."""
    for text in addresses:
        number = _number(text)
        for name, network, mask, _gateway in found:
            if name == interface and mask and number & mask == network:
                return text
    return ""


def _number(text):
    number = 0
    for part in text.split("."):
        number = number * 256 + int(part)
    return number
