"""Seal every secret of the database under a new key, and hash with a new key from now on.

A new key is added to both rings in the data directory (seal.keys and hash.keys). Everything that is sealed is
sealed anew, in one transaction. What is hashed cannot be: the old hash keys go on recognizing it, and the
answer says how many recovery codes hang on each. The keys of before stay in their rings, so that a backup of
the database can be read. --forget-old drops them, but for those on which a recovery code hangs: its person
makes new ones, or uses the last. The cloud has to be stopped: it would not know the new keys.

Where the keys are credentials of systemd, decrypt them into a directory in memory that only root can read,
name it in CREDENTIALS_DIRECTORY and by --keys-to, and encrypt afterwards what is there (OPERATING.md).
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from functools import partial
from pathlib import Path

from cryptography.fernet import InvalidToken

from host_tools import exit_codes
from host_tools.cloud import console, files
from host_tools.cloud.clock import system_clock
from host_tools.cloud.credentials import holds, path_of
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.key_ring import HASH_KEY, HASH_RING, RING
from host_tools.cloud.store.secret_box import RingKey, SecretBox, new_key
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser)
    text = "drop every other key, but for hash keys on which a recovery code hangs"
    parser.add_argument("--forget-old", action="store_true", help=text)
    text = "where the keys are written (default: the data directory)"
    parser.add_argument("--keys-to", type=Path, metavar="DIR", help=text)


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
    key_ring.secret_box(data, now)  # makes the rings of a cloud that was never started
    kept = _kept(args)
    sealing = [new_key(now), *key_ring.read_ring(path_of(data, RING))]
    hashing = [new_key(now), *key_ring.read_hash_ring(data)]
    key_ring.write_ring(kept / RING, sealing)  # before anything is sealed with it
    box = SecretBox(files.master_key(path_of(data, HASH_KEY)), sealing, hashing)
    sealed, hanging = await _seal_anew(args, box)
    key_ring.write_ring(kept / HASH_RING, hashing)
    if args.forget_old:
        sealing, hashing = sealing[:1], [key for key in hashing if key == hashing[0] or hanging[key.id]]
        key_ring.write_ring(kept / RING, sealing)
        key_ring.write_ring(kept / HASH_RING, hashing)
        if "" not in [key.id for key in hashing]:
            key_ring.forget_first_hash_key(kept)
    print(f"sealing key {sealing[0].id}: {sealed} secrets sealed anew, {len(sealing)} keys kept")
    print(f"hash key {hashing[0].id}: {len(hashing)} keys kept")
    for key in hashing[1:]:
        print(f"  {_name(key)}: {hanging[key.id]} recovery codes hang on it")
    return exit_codes.OK


def _kept(args: argparse.Namespace) -> Path:
    """Where the rings are written. Raises ToolError where the next start would not find them there."""
    data: Path = args.data.absolute()
    credentials = any(holds(path_of(data, name)) for name in (HASH_KEY, RING, HASH_RING))
    if args.keys_to is not None and not credentials:
        remedy = "leave out --keys-to, or set CREDENTIALS_DIRECTORY"
        raise ToolError("the keys are no credentials", remedy, exit_codes.USAGE)
    if args.keys_to is None and credentials:
        remedy = "name a directory with --keys-to, and make credentials of what is written there"
        raise ToolError("the keys are credentials, which nobody can write", remedy, exit_codes.USAGE)
    return (args.keys_to or data).absolute()


async def _seal_anew(args: argparse.Namespace, box: SecretBox) -> tuple[int, Counter[str]]:
    """How many secrets were sealed anew, and what hangs on which hash key. Raises ToolError."""
    async with console.opened(args) as database:
        try:
            async with database.write(long=True) as session:
                counts = await key_ring.seal_anew(session, box)
                return counts.total(), await key_ring.hanging(session)
        except InvalidToken as error:
            raise _key_is_lost(args.data.absolute()) from error


def _key_is_lost(data: Path) -> ToolError:
    return ToolError(
        "a secret of the database was sealed under a key that is not in the ring",
        f"bring back {data / RING} from the backup; nothing was changed",
        exit_codes.FAILED,
    )


def _name(key: RingKey) -> str:
    return key.id or f"the first one, {HASH_KEY}"
