"""What a station brings to each of its units."""

import hashlib
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.limits import Limit
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.unit import lock_proof
from host_tools.flash.bundle_file import BundleFile


class Cloud(NamedTuple):
    """Where a router phones home, and what it trusts there."""

    ca_der: bytes
    host: str
    port: int
    server_name: str
    ntp: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Means:
    authority: FactoryAuthority
    records: Records
    names: Sequence[str]  # of the admin page's certificate
    cloud: Cloud
    station: str = ""
    bundle: BundleFile | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)  # of the self-test, narrower than the router's
    print_label: Callable[[UnitRecord], str] | None = None  # returns where it went; ToolError (PRINTER)
    ways: Sequence[str] = lock_proof.NAMES  # that are tried at the lock
    signing: threading.Lock = field(default_factory=threading.Lock)  # a token takes one question at a time

    def identity_fields(self) -> dict[str, object]:
        """What every router of this station is told by `write identity`."""
        cloud = self.cloud
        return {
            "factory_ca": base64_text(self.authority.ca_der),
            "cloud_ca": base64_text(cloud.ca_der),
            "cloud": {"host": cloud.host, "port": cloud.port, "server_name": cloud.server_name},
            "ntp": [list(server) for server in cloud.ntp],
        }

    @property
    def identity_hash(self) -> str:
        """By it a later run sees whether it would write the same."""
        told = {**self.identity_fields(), "names": list(self.names)}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def base64_text(data: bytes) -> str:
    return b64encode(data).decode()
