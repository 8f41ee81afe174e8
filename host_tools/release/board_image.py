"""Build a board's image: a kernel, and an initramfs that is the router's read-only memory.

The initramfs is two archives one after the other. The first holds what comes from Debian's packages
(minutes, rarely), the second holds our own files and the firmware bundle (a second, often). Both are
kept under build/, each in a folder named after a hash of what it was made of.
"""

import hashlib
import io
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

from gatelodge.contract import board as contract
from gatelodge.contract import bundle as bundle_contract
from gatelodge.contract.errors import BoardError

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import bundle, packages, places, signing
from host_tools.release.cpio import CpioWriter

RECIPE = 1  # raise it when this file makes something else of the same inputs
FOLDERS = ("dev", "proc", "sys", "run", "tmp", "flash", "rom", "root", "etc")
APPLETS = (
    "sh", "init", "mount", "umount", "insmod", "poweroff", "reboot", "halt", "hostname", "ip", "stty",
    "cat", "cmp", "cut", "dd", "df", "dmesg", "free", "grep", "hexdump", "kill", "ls", "mkdir", "mv", "ps",
    "rm", "sed", "sleep", "sync", "tar",
)  # fmt: skip
ALIASES = (("sbin", "bin"), ("usr/bin", "../bin"), ("usr/sbin", "../bin"), ("usr/lib", "../lib"))
IMAGES_KEPT = 3


class Image(NamedTuple):
    board: dict[str, Any]
    recipe: dict[str, Any]
    kernel: Path
    initramfs: Path


def load_board(name: str) -> dict[str, Any]:
    """Return boards/<name>/board.json, checked."""
    path = places.BOARDS / name / "board.json"
    if not path.is_file():
        known = ", ".join(sorted(folder.parent.name for folder in places.BOARDS.glob("*/board.json")))
        raise ToolError(f"there is no board {name!r}", f"choose one of {known}", exit_codes.USAGE)
    try:
        return contract.check(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, BoardError) as error:
        raise ToolError(f"boards/{name}/board.json is wrong ({error})", "correct it") from error


def trusting(board: dict[str, Any], release_key: str | None = None) -> dict[str, Any]:
    """Return the board that takes the firmware of a public key; None: of this computer's own."""
    return {**board, "release_key": release_key or signing.public_half(signing.developer_key())}


def build(name: str, build_dir: Path = places.BUILD, release_key: str | None = None) -> Image:
    """Return the board's image, built as far as it is not there already."""
    board = trusting(load_board(name), release_key)
    recipe = json.loads((places.BOARDS / name / "image.json").read_text(encoding="utf-8"))
    base = _build_base(recipe, build_dir)
    own = _own_archive(name, board, recipe, bundle.build(build_dir))
    digest = hashlib.sha256((base.name + hashlib.sha256(own).hexdigest()).encode()).hexdigest()[:16]
    folder = places.whole_folder(build_dir / f"image-{name}-{digest}", lambda new: _join(base, own, new))
    folder.touch()
    places.keep_newest(build_dir, f"image-{name}-*", IMAGES_KEPT)
    return Image(board, recipe, base / "kernel", folder / "initramfs")


def _build_base(recipe: dict[str, Any], build_dir: Path) -> Path:
    inputs = {key: recipe[key] for key in ("packages", "kernel", "programs", "libraries", "modules")}
    text = json.dumps([RECIPE, FOLDERS, APPLETS, inputs], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return places.whole_folder(build_dir / f"base-{digest}", lambda new: _fetch_base(recipe, new))


def _fetch_base(recipe: dict[str, Any], folder: Path) -> None:
    wanted = recipe["packages"]
    with places.scratch(folder.parent) as temporary:
        tar = temporary / "packages.tar"
        packages.fetch(wanted["suite"], wanted["architecture"], wanted["include"], tar)
        with packages.PackageTree(tar) as tree:
            (folder / "kernel").write_bytes(tree.read(tree.find(recipe["kernel"])))
            with (folder / "base.cpio").open("wb") as out:
                _write_base(recipe, tree, CpioWriter(out))


def _write_base(recipe: dict[str, Any], tree: packages.PackageTree, cpio: CpioWriter) -> None:
    for name in FOLDERS:
        cpio.folder(name)
    for program in recipe["programs"]:
        cpio.file("bin/" + program.rpartition("/")[2], tree.read(program), 0o755)
    for applet in APPLETS:
        cpio.link("bin/" + applet, "busybox")
    for alias, target in ALIASES:
        cpio.link(alias, target)
    cpio.link("etc/resolv.conf", "/run/resolv.conf")
    loader, libraries = tree.libraries_of(recipe["programs"], recipe["libraries"])
    libraries[loader.rpartition("/")[2]] = tree.read("usr" + loader)
    for name, content in sorted(libraries.items()):
        cpio.file("lib/" + name, content, 0o755)
    for index, module in enumerate(recipe["modules"]):
        # Numbered, since the board loads them in this order.
        path = tree.find(f"usr/lib/modules/*/kernel/{module}.xz")
        cpio.file(f"rom/modules/{index:02}-{module.rpartition('/')[2]}", lzma.decompress(tree.read(path)))
    cpio.close()


def _own_archive(name: str, board: dict[str, Any], recipe: dict[str, Any], bundle_path: Path) -> bytes:
    """Return the second archive: the board's own files, the loader and the firmware bundle."""
    out = io.BytesIO()
    cpio = CpioWriter(out)
    cpio.file("rom/main.py", _loader())
    cpio.file("rom/board.json", json.dumps(board, sort_keys=True, separators=(",", ":")).encode())
    cpio.file("rom/heap_kb", b"%d\n" % board["heap_kb"])
    cpio.file("rom/bundle.tar", bundle_path.read_bytes())
    with tarfile.open(bundle_path) as tar:
        manifest = tar.extractfile(bundle_contract.MANIFEST)
        assert manifest is not None  # bundle.build() has just put it there
        cpio.file("rom/manifest.json", manifest.read())
    for source, target in sorted(recipe["files"].items()):
        path = places.BOARDS / name / source
        cpio.file(target, path.read_bytes(), 0o755 if path.read_bytes().startswith(b"#!") else 0o644)
    cpio.close()
    return out.getvalue()


def _loader() -> bytes:
    path = places.FIRMWARE / "main.py"
    if not path.is_file():
        remedy = "check the repository out again"
        raise ToolError("firmware/main.py is missing", remedy, exit_codes.IMAGE_BUILD)
    return path.read_bytes()


def _join(base: Path, own: bytes, folder: Path) -> None:
    (folder / "initramfs").write_bytes((base / "base.cpio").read_bytes() + own)
