"""Which router this is, and whether it may stay."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.devices.registry import DeviceRecord
from host_tools.cloud.devices.tls import PeerCertificate, read_peer_certificate


class Refused(Exception):
    """This router may not stay; the text says why, to its log and to ours."""


def peer_certificate(request: web.Request) -> PeerCertificate:
    """Of the mutual TLS below the request. Raises ValueError when there is none that names a router."""
    ssl_object = request.transport.get_extra_info("ssl_object") if request.transport else None
    der = ssl_object.getpeercert(binary_form=True) if ssl_object else None
    if not der:
        raise ValueError("it showed no certificate")
    return read_peer_certificate(der)


def check_known(record: DeviceRecord | None, certificate: PeerCertificate) -> DeviceRecord:
    """Raises Refused unless the factory reported this router with this certificate, and nobody revoked it."""
    if record is None:
        raise Refused("the factory has not reported this router")
    if record.revoked:
        raise Refused("this router's certificate was revoked")
    if record.certificate_fingerprint != certificate.fingerprint:
        raise Refused("the factory reported another certificate for this serial number")
    return record
