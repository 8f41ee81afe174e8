"""The routers' TLS: every peer shows a certificate of the factory; the log says who was refused and why."""

from __future__ import annotations

import hashlib
import logging
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

logger = logging.getLogger("gatelodge.devices")


def device_context(certificate_file: str, key_file: str, factory_ca_file: str) -> ssl.SSLContext:
    """A server context that takes only peers with a certificate of the factory CA. The files are PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate_file, key_file)
    context.load_verify_locations(factory_ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    # A resumed session would not show its certificate again: each connection is checked in full.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.sslobject_class = RefusalLog
    return context


class RefusalLog(ssl.SSLObject):
    """Logs why a handshake was refused, and lets the peer hear it.

    asyncio and uvloop drop the connection on SSLError without sending the alert that OpenSSL wrote, so the
    router would see a closed connection and could not say why. On the first error we ask for more
    input instead: the loop then sends what is pending, and the peer's next byte, its close or
    the handshake's deadline ends the connection with the real error.
    """

    _refusal: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self._refusal = error
            logger.warning("a router was refused in the TLS handshake: %s", reason_of(error))
            raise ssl.SSLWantReadError("the alert is sent first") from error


def reason_of(error: ssl.SSLError) -> str:
    """One sentence: what was wrong with the peer's certificate, or what it did not like about ours."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not one of the factory's ({error.verify_message})"
    known = {
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no certificate",
        "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the CA of our certificate",
        "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our certificate",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our certificate",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate is not valid at its time",
    }
    reason = error.reason or "unknown"
    return known.get(reason, reason.replace("_", " ").lower())


@dataclass(frozen=True)
class PeerCertificate:
    """serial_number: the subject's (X.520), the router's; fingerprint: SHA-256 of the DER, in hex."""

    serial_number: str
    fingerprint: str


def read_peer_certificate(der: bytes) -> PeerCertificate:
    """Raises ValueError, one sentence, when the certificate names no router or is not meant for clients."""
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if len(names) != 1:
        raise ValueError("its certificate does not name one serial number")
    # OpenSSL refuses other purposes, but takes a certificate that names no purpose at all.
    if ExtendedKeyUsageOID.CLIENT_AUTH not in _purposes(certificate):
        raise ValueError("its certificate is not meant for a client")
    return PeerCertificate(str(names[0].value), hashlib.sha256(der).hexdigest())


def _purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value)
