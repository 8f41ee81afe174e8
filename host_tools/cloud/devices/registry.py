"""What the links ask the rest of the cloud: the port that the database implements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypedDict


class Owner(TypedDict):
    """The account that a router belongs to, as the router is told."""

    account_id: str
    name: str
    email: str


@dataclass(frozen=True)
class DeviceRecord:
    """A router that the factory reported.

    certificate_fingerprint: SHA-256 of the certificate's DER, 64 lowercase hex digits.
    """

    serial_number: str
    certificate_fingerprint: str
    owner: Owner | None = None
    revoked: bool = False


class Registry(Protocol):
    async def find(self, serial_number: str) -> DeviceRecord | None:
        """The imported router of this serial number, read afresh: called once for each connection."""

    async def count(self) -> int:
        """How many routers may connect: the reconnect window is sized for all of them."""


class MemoryRegistry:
    """A registry held in memory: for a bench without a database."""

    def __init__(self, records: Iterable[DeviceRecord] = ()):
        self.records = {record.serial_number: record for record in records}

    async def find(self, serial_number: str) -> DeviceRecord | None:
        return self.records.get(serial_number)

    async def count(self) -> int:
        return len(self.records)
