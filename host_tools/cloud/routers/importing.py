"""Units come into the cloud's database: all that are new, or none where one contradicts what is there.

    imported = await import_units(database, factory_units.read(path, key))

A contradiction is a serial number with another code or certificate, or a code or certificate that another
serial number has. The cloud keeps what it has: a router may be somebody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select, update

from host_tools import exit_codes
from host_tools.cloud.routers.factory_units import Source, is_same
from host_tools.cloud.routers.registry import NEVER, FactoryRecord
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Router
from host_tools.errors import ToolError

MOST_NAMED = 10  # contradictions in one sentence


class Imported(NamedTuple):
    new: int
    known: int  # were there already, the same
    ended: tuple[str, ...]  # serial numbers of routers that are here and that the factory has revoked


async def import_units(database: Database, source: Source) -> Imported:
    """In one transaction. Raises ToolError, which names the units that contradict."""
    async with database.write(long=True) as session:
        rows = await session.execute(select(*(getattr(Router, name) for name in FactoryRecord._fields)))
        there = {row.serial_number: FactoryRecord(**row._asdict()) for row in rows}
        new = new_units(source.units, there)
        session.add_all(Router(**unit._asdict(), state=NEVER, firmware="") for unit in new)
        for unit in source.units:
            known = there.get(unit.serial_number)
            if known is not None and unit.sold_on not in (None, known.sold_on):
                sold = update(Router).where(Router.serial_number == unit.serial_number)
                await session.execute(sold.values(sold_on=unit.sold_on))
    ended = tuple(sorted(source.ended & there.keys()))
    return Imported(len(new), len(source.units) - len(new), ended)


def new_units(units: Iterable[FactoryRecord], there: dict[str, FactoryRecord]) -> list[FactoryRecord]:
    """Return those that are not there. Raises ToolError where one contradicts what is, or another one."""
    codes = {unit.service_code_hash: unit.serial_number for unit in there.values()}
    certificates = {unit.certificate_fingerprint: unit.serial_number for unit in there.values()}
    new, wrong = [], []
    for unit in units:
        known, number = there.get(unit.serial_number), unit.serial_number
        if known is not None and not is_same(known, unit):
            wrong.append(f"{number} is here with another code or certificate")
        elif (other := codes.setdefault(unit.service_code_hash, number)) != number:
            wrong.append(f"{number} has the code of {other}")
        elif (other := certificates.setdefault(unit.certificate_fingerprint, number)) != number:
            wrong.append(f"{number} has the certificate of {other}")
        elif known is None:
            new.append(unit)
    if wrong:
        raise _conflict(wrong)
    return new


def _conflict(wrong: list[str]) -> ToolError:
    named = "; ".join(wrong[:MOST_NAMED])
    more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
    remedy = "find out which of them is right, nothing was imported"
    return ToolError(f"units contradict: {named}{more}", remedy, exit_codes.CONFLICT)
