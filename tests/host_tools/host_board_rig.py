"""The board `host` at a bench: loader, slots, the whole daemon, on ports of its own; and a newer bundle."""

import contextlib
import json
import shutil
import socket
from pathlib import Path

from gatelodge.contract import bundle as contract

from host_tools.flash import bundle_file
from host_tools.release import bundle, signing
from tests.host_tools.flash_rig import RouterRig

NEWER = "99.0.0"


class HostBoard(RouterRig):
    """`baud`: the speed that its line is held to, None for as fast as a pty is."""

    def __init__(self, directory, bundle_path, baud=None):
        super().__init__(directory, bundle_path, signing.public_half(signing.developer_key()))
        board = json.loads(self.board_file.read_text())
        self._ports = contextlib.ExitStack()
        board["web"].update(reserved_ports(self._ports))
        self.board_file.write_text(json.dumps(board))
        self.line.baud = baud

    def __exit__(self, *error):
        super().__exit__(*error)
        self._ports.close()


def reserved_ports(stack):
    """Free ports that nobody else is given until the stack is closed: they are bound, but nobody listens."""
    return {name: _reserved(stack) for name in ("https_port", "http_port")}


def _reserved(stack):
    holder = stack.enter_context(socket.socket())
    # With it on both sides, the daemon may bind the port that we hold.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder.getsockname()[1]


def newer_bundle(directory):
    """(the source tree's bundle as it is now, a signed one of another version): paths."""
    old = Path(shutil.copy(bundle.build(), directory / "old.tar"))
    key = signing.developer_key()
    found = bundle_file.read(old, signing.public_half(key))
    files = bundle_file._files(found.content)
    new = directory / "new.tar"
    new.write_bytes(signed({**found.manifest, "version": NEWER}, files))
    return old, new


def signed(manifest, files):
    """The bytes of a bundle, signed by this computer."""
    text = json.dumps(manifest, sort_keys=True).encode()
    first = {contract.MANIFEST: text, contract.SIGNATURE: signing.sign(signing.developer_key(), text)}
    return bundle.archive({**first, **{path: files[path] for path in manifest["files"]}}, 0)


def broken_bundle(version):
    """The bytes of one whose daemon does not start."""
    files = {"gatelodge/__init__.py": b"", "gatelodge/daemon.py": b"raise RuntimeError('a broken update')\n"}
    promised = {path: {"size": len(data), "sha256": contract.file_hash(data)} for path, data in files.items()}
    manifest = {"name": contract.NAME, "version": version, "mpy_version": bundle.mpy_version()}
    return signed({**manifest, "built_at": 0, "files": promised}, files)
