"""Programs, libraries and kernels of another Debian release or architecture, fetched by mmdebstrap.

mmdebstrap knows its mirrors, verifies their signatures, and unpacks the packages into one tar.
No tree is unpacked on the disk: what is needed is read out of the tar, so that neither root nor a
user name space is needed to clean up.
"""

import fnmatch
import os
import posixpath
import shutil
import subprocess
import tarfile
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import elf, places

FETCH_TIMEOUT_S = 900  # 60 MB over a slow line


def fetch(suite: str, architecture: str, include: list[str], tar: Path) -> None:
    """Write a tar of the named packages and of those they depend on."""
    if not shutil.which("mmdebstrap"):
        raise ToolError("mmdebstrap is missing", "run `make setup`", exit_codes.MISSING_TOOL)
    places.need_space(tar.parent, places.PACKAGES_NEED_MB)
    # Nothing is run in what is unpacked, so an ordinary user needs no user name space for it.
    mode = "--mode=" + ("root" if os.geteuid() == 0 else "chrootless")
    command = [
        "mmdebstrap", "--quiet", mode, "--variant=extract", "--architectures=" + architecture,
        "--include=" + ",".join(include), suite, str(tar),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise _failed(suite, f"no end after {FETCH_TIMEOUT_S // 60} minutes") from None
    if done.returncode:
        raise _failed(suite, _reason(done.stderr))


def _failed(suite: str, reason: str) -> ToolError:
    return ToolError(
        f"Debian {suite}'s packages could not be fetched ({reason})",
        "check this computer's network and its apt sources, then try again",
        exit_codes.IMAGE_BUILD,
    )


def _wrong_recipe(fault: str) -> ToolError:
    wrong = f"in Debian's packages {fault}"
    return ToolError(wrong, "correct the board's image.json", exit_codes.IMAGE_BUILD)


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("E:")]
    return (told or lines or ["mmdebstrap said nothing"])[0].removeprefix("E: ")


class PackageTree:
    """What a fetched tar holds. Paths are relative to the root, links are followed inside it."""

    def __init__(self, tar: Path):
        self.tar = tarfile.open(tar)  # noqa: SIM115 - closed by close()
        self.members = {posixpath.normpath(member.name): member for member in self.tar}

    def __enter__(self) -> "PackageTree":
        return self

    def __exit__(self, *_: object) -> None:
        self.tar.close()

    def find(self, pattern: str) -> str:
        """Return the one path that the pattern matches."""
        found = sorted(path for path in self.members if fnmatch.fnmatch(path, pattern))
        if len(found) != 1:
            raise _wrong_recipe(f"{len(found)} files match {pattern}")
        return found[0]

    def read(self, path: str) -> bytes:
        member = self.members[self.resolve(path)]
        file = self.tar.extractfile(member)
        assert file is not None  # resolve() returns regular files only
        return file.read()

    def resolve(self, path: str) -> str:
        """Return the regular file behind a path."""
        for _ in range(16):  # more links than that are a circle
            member = self.members.get(path)
            if member is None or not (member.issym() or member.isfile()):
                break
            if member.isfile():
                return path
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname)).lstrip("/")
        raise _wrong_recipe(f"there is no file {path}")

    def libraries_of(self, programs: list[str], folder: str) -> tuple[str, dict[str, bytes]]:
        """Return the loader's path, and {name: content} of every library that the programs need."""
        loader = ""
        libraries: dict[str, bytes] = {}
        waiting = [self.read(program) for program in programs]
        while waiting:
            linked = elf.links(waiting.pop())
            loader = loader or linked.interpreter
            for name in linked.needed:
                if name not in libraries:
                    libraries[name] = self.read(f"{folder}/{name}")
                    waiting.append(libraries[name])
        return loader, libraries
