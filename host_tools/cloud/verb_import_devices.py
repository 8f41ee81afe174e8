"""Bring a factory's finished routers into the cloud's database, so that their owners can register them.

    gatelodge cloud import-devices factory/ledger.db --data DIR --service-code-key service_code.key
    gatelodge cloud import-devices units.jsonl --data DIR --service-code-key service_code.key

Takes the ledger, an export of it (JSON lines), or devices.jsonl. What the cloud keeps of a router is its
serial number, its model, when it was made, the keyed hash of its service code and the fingerprint of its
certificate. Again is no harm. A unit that contradicts what is there is named, and then none is imported.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud import files
from host_tools.cloud.routers import factory_units
from host_tools.cloud.routers.importing import Imported, import_units
from host_tools.cloud.settings import database_url, service_code_key
from host_tools.cloud.store.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", type=Path, metavar="FILE|LEDGER", help="the factory's ledger.db, or an export of it")
    add("--data", type=Path, required=True, metavar="DIR", help="the cloud's data directory")
    text = "sqlite+aiosqlite:///FILE (default) or postgresql+asyncpg://HOST/NAME"
    add("--database", metavar="URL", help=text)
    text = "the key shared with the factory, 32 bytes"
    add("--service-code-key", type=Path, required=True, metavar="FILE", help=text)
    add("--json", action="store_true", help="print {new, known, ended}")


def run(args: argparse.Namespace) -> int:
    source = factory_units.read(args.source, service_code_key(args.service_code_key))
    data = args.data.absolute()
    imported = asyncio.run(_import(data, database_url(data, args.database), source))
    if args.json:
        print(json.dumps(imported._asdict()))
    else:
        print(sentence(imported, len(source.ended)))
    for serial_number in imported.ended:
        print(f"gatelodge: {serial_number} is here, and was revoked by the factory", file=sys.stderr)
    return exit_codes.OK


async def _import(data: Path, url: str, source: factory_units.Source) -> Imported:
    files.make_directory(data)
    files.touch_database(data, url)
    database = Database(url)
    try:
        await database.migrate()
        return await import_units(database, source)
    finally:
        await database.close()


def sentence(imported: Imported, ended: int) -> str:
    left_out = f", left out {ended} that {'was' if ended == 1 else 'were'} revoked" if ended else ""
    routers = "router" if imported.new == 1 else "routers"
    return f"imported {imported.new} {routers}, {imported.known} were there{left_out}"
