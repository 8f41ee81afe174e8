"""What the verbs of an operator share: the data directory, its database and keys, one event loop."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.clock import system_clock
from host_tools.cloud.credentials import path_of
from host_tools.cloud.parts import Parts, build_parts
from host_tools.cloud.settings import Settings, public_url
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.secret_box import SecretBox
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser, *, links: bool = False) -> None:
    """links: the verb writes mails, whose links need the address that people type."""
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="the cloud's data directory")
    add("--database", metavar="URL", help="where it is not the data directory's cloud.db")
    if links:
        add("--public-url", default="https://localhost:8444", metavar="URL", help="as for 'cloud serve'")


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run the verb's work to its exit status."""
    return asyncio.run(work())


def operator() -> str:
    """Who runs the verb, as the log of events names them."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # nobody in passwd, as in a container: the second from Python 3.13 on
        name = f"uid {os.getuid()}"
    return f"gatelodge cloud ({name})"


def database_url(args: argparse.Namespace) -> str:
    """Raises ToolError where the directory holds no cloud."""
    data = args.data.absolute()
    if not path_of(data, key_ring.HASH_KEY).is_file():
        raise ToolError(
            f"{data} holds no cloud",
            "name the directory that 'gatelodge cloud serve' was given with --data",
            exit_codes.USAGE,
        )
    return args.database or f"sqlite+aiosqlite:///{data / 'cloud.db'}"


@asynccontextmanager
async def parts(args: argparse.Namespace) -> AsyncIterator[Parts]:
    """The parts of a cloud that listens nowhere. What it writes to people waits in the queue for the one that
    runs, or runs next.
    """
    async with opened(args) as database:
        hasher = Hasher()
        made = build_parts(_settings(args), database, _box(args), system_clock, hasher)
        try:
            yield made
        finally:
            await made.tasks.close()
            hasher.close()


def _box(args: argparse.Namespace) -> SecretBox:
    return key_ring.secret_box(args.data.absolute(), system_clock())


def _settings(args: argparse.Namespace) -> Settings:
    """development: every channel may be queued for; nothing is sent from here."""
    data, nowhere = args.data.absolute(), "127.0.0.1"
    return Settings(
        data=data,
        bind=nowhere,
        port=0,
        device_bind=nowhere,
        device_port=0,
        public_url=public_url(args.public_url),
        database_url=database_url(args),
        devices=None,
        service_code_key=b"",
        factory_ca=None,
        development=True,
    )


@asynccontextmanager
async def opened(args: argparse.Namespace) -> AsyncIterator[Database]:
    """The database at this release's schema."""
    database = Database(database_url(args))
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()
