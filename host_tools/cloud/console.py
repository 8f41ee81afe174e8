"""What the verbs of an operator share: the data directory, its database and keys, one event loop."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.cloud.store.database import Database
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="the cloud's data directory")
    add("--database", metavar="URL", help="where it is not the data directory's cloud.db")


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run the verb's work to its exit status."""
    return asyncio.run(work())


def database_url(args: argparse.Namespace) -> str:
    """Raises ToolError where the directory holds no cloud."""
    data = args.data.absolute()
    if not (data / "secrets.key").is_file():
        raise ToolError(
            f"{data} holds no cloud",
            "name the directory that 'gatelodge cloud serve' was given with --data",
            exit_codes.USAGE,
        )
    return args.database or f"sqlite+aiosqlite:///{data / 'cloud.db'}"


@asynccontextmanager
async def opened(args: argparse.Namespace) -> AsyncIterator[Database]:
    """The database at this release's schema."""
    database = Database(database_url(args))
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()
