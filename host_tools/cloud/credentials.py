"""Secrets as credentials of systemd: files of $CREDENTIALS_DIRECTORY, decrypted for this process alone.

They lie in memory, can be read by the service and root, and go when it stops (systemd.exec(5)).
`gatelodge cloud unit` prints the unit that hands them over, and how each is made.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "CREDENTIALS_DIRECTORY"


def path_of(directory: Path, name: str) -> Path:
    """The credential of the file's name, where there is one; else the file of the directory."""
    credential = _directory() / Path(name).name
    return credential if credential.is_file() else directory / name


def holds(path: Path) -> bool:
    """Whether it is a credential: who may read it is systemd's to say, and an access list of it looks like a
    mode for others.
    """
    return path.parent == _directory()


def _directory() -> Path:
    """Where there are none a place that holds nothing."""
    return Path(os.environ.get(VARIABLE) or os.devnull)
