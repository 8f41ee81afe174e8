"""The operator's own certificate for the browsers' listener: read at the start, and when it is renewed.

    certificate = OperatorsCertificate(pair, "account.example.org")      # raises ToolError
    site = TCPSite(..., ssl_context=certificate.context)
    await certificate.run()

A renewal writes two files, one after the other. Until they fit, and where they are wrong, the last pair stays
in force. Connections that are open stay as they are.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import stat
from pathlib import Path

from cryptography import x509

from host_tools import exit_codes
from host_tools.cloud.certificates import KeyPair, server_context
from host_tools.cloud.credentials import holds
from host_tools.errors import ToolError

READ_EVERY_S = 10  # two stat() calls
OTHERS = stat.S_IRWXG | stat.S_IRWXO
log = logging.getLogger("cloud")


class OperatorsCertificate:
    """pair: the certificate with those between it and its authority (PEM), and its key without a password."""

    def __init__(self, pair: KeyPair, host: str):
        self._pair = pair
        self._host = host
        try:
            self._version = self._look()
            self.context = server_context(pair)
            self._check()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise _fault(pair.certificate, getattr(error, "strerror", None) or str(error)) from error

    def refresh(self) -> bool:
        """Read the files if one has changed. Return whether another certificate is in force."""
        try:
            version = self._look()
            if version == self._version:
                return False
            self._version = version  # a pair that is wrong is told of once
            server_context(self._pair)  # tried on another context: half a pair must not come into force
            self._check()
            self.context.load_cert_chain(self._pair.certificate, self._pair.key)
            log.info("the certificate was read again")
        except (OSError, ValueError, ToolError) as error:
            log.error("the certificate was not renewed, the last one stays: %s", error)
            return False
        return True

    async def run(self) -> None:
        while True:
            await asyncio.sleep(READ_EVERY_S)
            self.refresh()

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        found = [path.stat() for path in (self._pair.certificate, self._pair.key)]
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)

    def _check(self) -> None:
        """Raises ToolError where browsers would refuse it, or others can read its key."""
        if self._pair.key.stat().st_mode & OTHERS and not holds(self._pair.key):
            raise _fault(self._pair.key, "others on this computer can read it")
        certificate = x509.load_pem_x509_certificate(self._pair.certificate.read_bytes())
        if certificate.not_valid_after_utc <= datetime.datetime.now(datetime.UTC):
            raise _fault(self._pair.certificate, "it has expired")
        if not _names(certificate, self._host):
            raise _fault(self._pair.certificate, f"it is not for {self._host}")


def _names(certificate: x509.Certificate, host: str) -> bool:
    """RFC 6125 section 6.4: one of its names, or one with * for the first label."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    names = [name.lower() for name in held.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in held.get_values_for_type(x509.IPAddress)]
    return host in names or host in addresses or f"*.{host.partition('.')[2]}" in names


def _fault(path: Path, why: str) -> ToolError:
    remedy = "name the certificate of the public name with --certificate, and its key (mode 600) with --key"
    return ToolError(f"{path} cannot be used: {why}", remedy, exit_codes.USAGE)
