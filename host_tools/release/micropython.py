"""MicroPython for this computer: Debian's, run through the loader it was built for.

Its C library may be newer than this computer's, so the program, its libraries and its loader
live in a folder of their own.
"""

import platform
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import packages, places

SUITE = "trixie"
ARCHITECTURES = {"x86_64": ("amd64", "x86_64-linux-gnu"), "aarch64": ("arm64", "aarch64-linux-gnu")}

WRAPPER = """#!/bin/sh
# MicroPython in its own loader, with its own libraries.
here=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$here/lib/{loader}" --library-path "$here/lib" "$here/bin/micropython.elf" "$@"
"""


def build(build_dir: Path = places.BUILD) -> Path:
    """Return the path of a MicroPython that runs on this computer, fetched at the first call."""
    return places.whole_folder(build_dir / "micropython", _fill) / "bin" / "micropython"


def _fill(folder: Path) -> None:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise ToolError(
            f"there is no MicroPython here for {machine}",
            "use a computer with x86_64 or aarch64",
            exit_codes.IMAGE_BUILD,
        )
    architecture, triplet = ARCHITECTURES[machine]
    with places.scratch(folder.parent) as temporary:
        tar = temporary / "packages.tar"
        packages.fetch(SUITE, architecture, ["micropython"], tar)
        with packages.PackageTree(tar) as tree:
            _copy(tree, "usr/lib/" + triplet, folder)


def _copy(tree: packages.PackageTree, libraries: str, folder: Path) -> None:
    program = "usr/bin/micropython"
    loader, contents = tree.libraries_of([program], libraries)
    name = loader.rpartition("/")[2]
    contents[name] = tree.read("usr" + loader)
    for library, content in contents.items():
        places.write_whole(folder / "lib" / library, content, 0o755)
    places.write_whole(folder / "bin" / "micropython.elf", tree.read(program), 0o755)
    places.write_whole(folder / "bin" / "micropython", WRAPPER.format(loader=name).encode(), 0o755)
