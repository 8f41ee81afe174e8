"""The factory's records, and the port through which the links ask for them (devices/registry.py)."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import hmac
import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.devices.registry import DeviceRecord, Owner
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Router

ONLINE, OFFLINE, NEVER = "online", "offline", "never"
HEX_256 = 64
LATEST_S = 2**38  # the year 10680: what is later is no time

log = logging.getLogger("cloud.routers")


class FactoryRecord(NamedTuple):
    serial_number: str
    model: str
    service_code_hash: str
    certificate_fingerprint: str
    made_at: float
    sold_on: str | None = None  # YYYY-MM-DD


TEXTS = FactoryRecord._fields[:4]


def service_code_hash(key: bytes, code: str) -> str:
    """The keyed hash of a canonical code, as the factory records it.

    The code itself is stored nowhere here.
    """
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def parse_record(line: str) -> FactoryRecord:
    """One line of devices.jsonl. Raises ValueError, which says what is wrong with it."""
    row: Any = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("not an object")
    return record_of(row)


def record_of(row: dict[str, Any]) -> FactoryRecord:
    """What the cloud keeps of a unit, and nothing else that the factory knows. Raises ValueError."""
    text = {name: _text(row, name) for name in TEXTS}
    for name in ("service_code_hash", "certificate_fingerprint"):
        if len(bytes.fromhex(text[name])) * 2 != HEX_256:
            raise ValueError(f"{name} is no SHA-256")
        text[name] = text[name].lower()
    made_at: Any = row.get("made_at")
    is_time = isinstance(made_at, (int, float)) and 0 <= made_at < LATEST_S
    known_at = float(made_at) if is_time else 0.0
    return FactoryRecord(**text, made_at=known_at, sold_on=_day(row.get("sold_on")))


def _day(value: Any) -> str | None:
    """A date that is none is left out: it is no reason to leave out the router."""
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return None


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= HEX_256 or not value.isprintable():
        raise ValueError(f"{name} is missing, too long or not to be printed")
    return value


class RouterRegistry:
    """Implements devices.registry.Registry over the database, and imports what the factory wrote."""

    def __init__(self, database: Database, devices: Path | None):
        self._database = database
        self._devices = devices
        self._imported: tuple[int, int] | None = None
        # What was imported: each new router must not cost a transaction over all of them.
        self._known: dict[str, FactoryRecord] = {}
        self._importing = asyncio.Lock()

    async def find(self, serial_number: str) -> DeviceRecord | None:
        found = await self._find(serial_number)
        if found is None and await self.refresh():
            found = await self._find(serial_number)
        return found

    async def count(self) -> int:
        async with self._database.read() as session:
            return await session.scalar(select(func.count()).select_from(Router)) or 0

    async def owner_of(self, serial_number: str) -> Owner | None:
        found = await self._find(serial_number)
        return found.owner if found else None

    async def forget_links(self) -> None:
        """At the start no router has a link, whatever the last process wrote."""
        async with self._database.write() as session:
            await session.execute(update(Router).where(Router.state == ONLINE).values(state=OFFLINE))

    async def refresh(self) -> bool:
        """Import the factory's file if it changed. False when there was nothing new."""
        async with self._importing:
            version = _version(self._devices)
            if self._devices is None or version is None or version == self._imported:
                return False
            latest = {record.serial_number: record for record in _read(self._devices)}
            fresh = [record for serial, record in latest.items() if self._known.get(serial) != record]
            async with self._database.write(long=True) as session:
                for record in fresh:
                    await _keep(session, record)
            self._known, self._imported = latest, version
        log.info("imported %d routers from the factory's records", len(fresh))
        return True

    async def _find(self, serial_number: str) -> DeviceRecord | None:
        joined = select(Router, Account).outerjoin(Account, Account.id == Router.owner_id)
        async with self._database.read() as session:
            row = (await session.execute(joined.where(Router.serial_number == serial_number))).one_or_none()
        if row is None:
            return None
        return DeviceRecord(row.Router.serial_number, row.Router.certificate_fingerprint, owner(row.Account))


def owner(account: Account | None) -> Owner | None:
    return (
        None if account is None else {"account_id": account.id, "name": account.name, "email": account.email}
    )


def _version(path: Path | None) -> tuple[int, int] | None:
    """What changes when the file does; None while there is no file that we may look at."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None  # the first router has not been made yet
    return (status.st_mtime_ns, status.st_size) if status else None


def _read(path: Path) -> list[FactoryRecord]:
    """Every good line. A bad one (the last may be half written) is logged."""
    records = []
    for number, line in enumerate(_lines(path), 1):
        try:
            records.append(parse_record(line))
        except ValueError as error:
            log.warning("line %d of the factory's records was left out: %s", number, error)
    return records


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        log.error("the factory's records could not be read: %s", error.strerror)
        return []


async def _keep(session: AsyncSession, record: FactoryRecord) -> None:
    """Add the router, or take over what a second provisioning changed: its key and its code."""
    try:
        async with session.begin_nested():
            row = await session.get(Router, record.serial_number)
            if row is None:
                row = Router(state=NEVER, firmware="")
                session.add(row)
            for name, value in record._asdict().items():
                if value is not None:  # a sale that is known stays so
                    setattr(row, name, value)
    except IntegrityError:
        # Left out alone: with it the others would fail, and every registration that looks for something new.
        log.error("%s was left out: another router has its service code", record.serial_number)
