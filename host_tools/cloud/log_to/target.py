"""Where the log goes, of `cloud serve --log-to syslog+tls://HOST:PORT` and the options beside it."""

from __future__ import annotations

import argparse
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from host_tools import exit_codes
from host_tools.cloud.certificates import KeyPair
from host_tools.errors import ToolError

SCHEME = "syslog+tls"
PORT = 6514  # RFC 5425 section 4.1


@dataclass(frozen=True)
class Target:
    """ca: authorities to trust instead of the system's. own: the certificate by which we are known there."""

    host: str
    port: int = PORT
    ca: Path | None = None
    own: KeyPair | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Raises ToolError where a file is missing or is none."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.own is not None:
                # A key that wants a password is refused: nobody is there to be asked.
                context.load_cert_chain(self.own.certificate, self.own.key, password=lambda: "")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            remedy = "look at --log-ca, --log-certificate and --log-key"
            why = getattr(error, "strerror", None) or str(error)
            raise ToolError(f"the log cannot be sent: {why}", remedy, exit_codes.USAGE) from error
        return context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "send the log and every event of an account's safety there too: syslog+tls://HOST:6514"
    add("--log-to", metavar="URL", help=text)
    add("--log-ca", type=Path, metavar="FILE", help="who vouches for it (PEM), instead of the system's")
    add("--log-certificate", type=Path, metavar="FILE", help="a certificate that it asks us for (PEM)")
    add("--log-key", type=Path, metavar="FILE", help="its key (PEM)")


def target(url: str | None, ca: Path | None, own: KeyPair | None) -> Target | None:
    """Raises ToolError."""
    if url is None:
        if ca or own:
            raise _fault("--log-ca and --log-certificate have no --log-to")
        return None
    made = _parsed(url, ca, own)
    made.context()
    return made


def _parsed(url: str, ca: Path | None, own: KeyPair | None) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port or an address that is none
        host, port = None, None
    if not host or parts.scheme != SCHEME or "@" in parts.netloc or parts.path.strip("/") or parts.query:
        raise _fault(f"{url!r} is no address of a log")
    return Target(host, PORT if port is None else port, ca, own)


def _fault(what: str) -> ToolError:
    return ToolError(what, f"write --log-to {SCHEME}://HOST or {SCHEME}://HOST:PORT", exit_codes.USAGE)
