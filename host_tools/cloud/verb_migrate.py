"""Bring the database to this release's schema, as the cloud does when it starts. Make a backup first.

On PostgreSQL the cloud need not own its tables: run this under the owner's role, and `cloud serve` under the
one that --serving-role names. That one may read and write rows, and of the log of events only read and add.
"""

from __future__ import annotations

import argparse

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.store.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser)
    text = "a role of PostgreSQL that gets what 'cloud serve' needs, and no more"
    parser.add_argument("--serving-role", metavar="NAME", help=text)


def run(args: argparse.Namespace) -> int:
    return console.run(lambda: _run(args))


async def _run(args: argparse.Namespace) -> int:
    database = Database(console.database_url(args))
    try:
        before = await database.revision()
        await database.migrate()
        after = await database.revision()
        if args.serving_role is not None:
            await database.grant(args.serving_role)
    finally:
        await database.close()
    print(f"the schema is at {after}" + ("" if before == after else f", it was at {before or 'nothing'}"))
    if args.serving_role is not None:
        print(f"{args.serving_role} may serve it")
    return exit_codes.OK
