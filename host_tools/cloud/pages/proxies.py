"""Who is asking, where proxies that the operator named stand in front: X-Forwarded-For, from the right.

Each proxy appends whom it was asked by, so only what a trusted one has written counts; what stands to the
left of it anybody may have made up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from host_tools.cloud.parts import PARTS
from host_tools.cloud.settings import Network

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADER = "X-Forwarded-For"


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The nearest address that is no trusted proxy; the last proxy where there is none, or none that is one.

    peer: the other end of the connection; forwarded: the header's values, in their order.
    """
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    address = peer
    while hops and _is_in(address, trusted):
        said = hops.pop()
        if not _is_address(said):
            break
        address = said
    return address


@web.middleware
async def see_through_proxies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The first of all: what follows asks `request.remote`, and knows nothing of proxies."""
    trusted = request.app[PARTS].settings.trusted_proxies
    if trusted and HEADER in request.headers:
        address = client_address(request.remote or "", request.headers.getall(HEADER), trusted)
        if address != request.remote:
            request = request.clone(remote=address)
    return await handler(request)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone (RFC 4007) means something on the proxy alone, and may be any text


def _is_in(address: str, trusted: Sequence[Network]) -> bool:
    """An IPv4 address may arrive on a listener of IPv6 as ::ffff:192.0.2.1."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in trusted)
