"""Seal every secret of the database under a new key.

A new key is added to the ring in the data directory (seal.keys), then everything that is sealed is sealed
anew with it, in one transaction. The keys of before stay in the ring, so that a backup of the database can be
read; --forget-old drops them. The cloud has to be stopped: it would not know the new key.
"""

from __future__ import annotations

import argparse
import os
from functools import partial

from cryptography.fernet import InvalidToken

from host_tools import exit_codes
from host_tools.cloud import console, files
from host_tools.cloud.clock import system_clock
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.secret_box import SecretBox, new_seal_key
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser)
    parser.add_argument("--forget-old", action="store_true", help="drop every other key of the ring")


def run(args: argparse.Namespace) -> int:
    return console.run(partial(_run, args))


async def _run(args: argparse.Namespace) -> int:
    console.database_url(args)  # refuses a directory that holds no cloud
    lock = files.lock_directory(args.data)
    try:
        return await _rotate(args)
    finally:
        os.close(lock)


async def _rotate(args: argparse.Namespace) -> int:
    data, now = args.data.absolute(), system_clock()
    box = key_ring.secret_box(data, now)
    ring = [new_seal_key(now), *key_ring.read_ring(data)]
    key_ring.write_ring(data, ring)  # before anything is sealed with it
    box = SecretBox(files.master_key(data / key_ring.HASH_KEY), ring)
    async with console.opened(args) as database:
        try:
            async with database.write() as session:
                counts = await key_ring.seal_anew(session, box)
        except InvalidToken as error:
            raise ToolError(
                "a secret of the database was sealed under a key that is not in the ring",
                f"bring back {data / key_ring.RING} from the backup; nothing was changed",
                exit_codes.FAILED,
            ) from error
    if args.forget_old:
        key_ring.write_ring(data, ring[:1])
    print(
        f"key {ring[0].id}: {counts.total()} secrets sealed anew, {len(key_ring.read_ring(data))} keys kept"
    )
    return exit_codes.OK
