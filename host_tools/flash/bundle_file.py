"""A bundle as the bench finds it on the disk: read, checked to its last byte, before a board hears of it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from gatelodge.contract import bundle as contract
from gatelodge.contract.errors import BundleError

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import signing


class BundleFile(NamedTuple):
    content: bytes
    manifest: dict[str, Any]
    manifest_bytes: bytes
    signature: bytes

    @property
    def version(self) -> str:
        return self.manifest["version"]

    def is_signed_by(self, public_key: str) -> bool:
        return signing.is_signed(self.manifest_bytes, self.signature, public_key)


def read(path: Path, trusted: str) -> BundleFile:
    """Return the bundle that the trusted key has signed. Raises ToolError on anything else."""
    try:
        content = path.read_bytes()
    except OSError as error:
        remedy = "name a gatelodge-*.tar file, or leave it out and have it built"
        raise ToolError(f"{path} cannot be read", remedy, exit_codes.USAGE) from error
    try:
        bundle = _parse(content)
    except BundleError as error:
        raise ToolError(f"{path}: {error}", exit_code=exit_codes.VERIFICATION) from error
    if not bundle.is_signed_by(trusted):
        wrong = f"{path} is not signed by the key that is trusted here ({trusted[2:18]}...)"
        raise ToolError(wrong, "name its key with --trust, or use another bundle", exit_codes.VERIFICATION)
    return bundle


def _parse(content: bytes) -> BundleFile:
    files = _files(content)
    if list(files)[:2] != [contract.MANIFEST, contract.SIGNATURE]:
        raise BundleError("it does not begin with a manifest and its signature: build it again")
    manifest_bytes, signature = files.pop(contract.MANIFEST), files.pop(contract.SIGNATURE)
    try:
        manifest = contract.check_manifest(json.loads(manifest_bytes))
    except ValueError as error:
        raise BundleError("its manifest is not JSON: build it again") from error
    for name, data in files.items():
        contract.check_content(manifest, name, data)
    contract.check_complete(manifest, files)
    return BundleFile(content, manifest, manifest_bytes, signature)


def _files(content: bytes) -> dict[str, bytes]:
    """Return {name: content} as the router reads them: by the contract's own headers."""
    files: dict[str, bytes] = {}
    at = 0
    while (header := contract.parse_header(content[at : at + contract.BLOCK])) is not None:
        name, size = header
        at += contract.BLOCK
        files[name] = content[at : at + size]
        at += -(-size // contract.BLOCK) * contract.BLOCK
    return files
