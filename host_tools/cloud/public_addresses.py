"""Addresses that a stranger may have us call: those of the internet, and none of our own network.

What is looked up is connected to, so that no name leads elsewhere between a check and its use (rebinding).
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

# IPv6 addresses that lead to an IPv4 address, and how far to the right it stands in them.
TRANSLATED = (
    (IPv6Network("::/96"), 0),  # "compatible", deprecated (RFC 4291 section 2.5.5.1)
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),  # "translated" (RFC 2765)
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052)
    (IPv6Network("2002::/16"), 80),  # 6to4 (RFC 3056)
)
# Global, as Python says, and yet of one network: its own NAT64 (RFC 8215), site-local (RFC 3879), and what it
# routes by segments (RFC 9602).
OWN = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"), IPv6Network("5f00::/16"))
# "127.1" and "2130706433" are 127.0.0.1 to the system, and aiohttp looks nothing up that is all digits.
NUMBERS = re.compile(r"[\d.]*")


def is_public(address: str) -> bool:
    """Whether the internet leads there. Raises ValueError where it is no IP address."""
    found = _reached(ip_address(address))
    return found.is_global and not found.is_multicast and not any(found in network for network in OWN)


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    for network, shift in TRANSLATED:
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address


def names_public(url: str) -> bool:
    """Whether its host is an address of the internet, or a name, which PublicResolver looks up.

    Read as the client reads it (yarl), to whom wide digits are digits.
    """
    try:
        host = (URL(url).host or "").rstrip(".")
    except ValueError:
        return False
    try:
        return is_public(host)
    except ValueError:
        return not NUMBERS.fullmatch(host)


class PublicResolver(AbstractResolver):
    """Finds public addresses only. A host that is an address is never looked up: see `names_public`."""

    def __init__(self, resolver: AbstractResolver | None = None):
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError where there is none."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise OSError(None, "it is in no public network")
        return public

    async def close(self) -> None:
        await self._resolver.close()
