"""The routers' listener asks every peer for a certificate of the factory, and logs who was refused and why."""

from __future__ import annotations

import ssl


def device_context(certificate_file: str, key_file: str, factory_ca_file: str) -> ssl.SSLContext:
    """A server context: TLS 1.2 or newer, a client certificate signed by the factory CA is required. PEM files."""
    raise NotImplementedError
