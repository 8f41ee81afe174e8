"""Bring the database to this release's schema, as the cloud does when it starts. Make a backup first."""

from __future__ import annotations

import argparse

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.store.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return console.run(lambda: _run(args))


async def _run(args: argparse.Namespace) -> int:
    database = Database(console.database_url(args))
    try:
        before = await database.revision()
        await database.migrate()
        after = await database.revision()
    finally:
        await database.close()
    print(f"the schema is at {after}" + ("" if before == after else f", it was at {before or 'nothing'}"))
    return exit_codes.OK
