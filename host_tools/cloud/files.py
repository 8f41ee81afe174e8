"""The data directory: written whole or not at all, and secrets readable by their owner alone."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud.store.secret_box import KEY_BYTES
from host_tools.errors import ToolError

SECRET_MODE = 0o600
PUBLIC_MODE = 0o644


def make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(
            f"the data directory {path} cannot be made ({error.strerror})",
            "choose another with --data",
            exit_codes.CLOUD_DID_NOT_START,
        ) from error


def lock_directory(path: Path) -> int:
    """Hold the directory until the returned descriptor is closed, or the process ends, however it does."""
    descriptor = os.open(path / "lock", os.O_WRONLY | os.O_CREAT, SECRET_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ToolError(
            f"another cloud is running on {path}", "stop it first", exit_codes.CLOUD_DID_NOT_START
        ) from error
    return descriptor


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Replace the file at once: a crash leaves the old content or the new."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def master_key(path: Path) -> bytes:
    """The key of the secret box, made at the first start. Losing it loses every authenticator."""
    if not path.exists():
        write_whole(path, secrets.token_bytes(KEY_BYTES), SECRET_MODE)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ToolError(
            f"{path} holds {len(key)} bytes, not {KEY_BYTES}",
            "restore it from the backup of this data directory",
            exit_codes.CLOUD_DID_NOT_START,
        )
    return key


def touch_database(data: Path, url: str) -> None:
    """Where it is a file of the data directory."""
    if url.endswith(f"/{data / 'cloud.db'}"):
        touch_secret(data / "cloud.db")


def touch_secret(path: Path) -> None:
    """Make an empty file that only its owner reads, before another library fills it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, SECRET_MODE))
