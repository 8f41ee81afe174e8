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
        board["web"].update(free_ports())
        self.board_file.write_text(json.dumps(board))
        self.line.baud = baud


def free_ports():
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        return dict(zip(("https_port", "http_port"), (one.getsockname()[1] for one in taken), strict=True))


def newer_bundle(directory):
    """(the source tree's bundle as it is now, a signed one of another version): paths."""
    old = Path(shutil.copy(bundle.build(), directory / "old.tar"))
    key = signing.developer_key()
    found = bundle_file.read(old, signing.public_half(key))
    manifest = json.dumps({**found.manifest, "version": NEWER}, sort_keys=True).encode()
    files = bundle_file._files(found.content)
    files[contract.MANIFEST], files[contract.SIGNATURE] = manifest, signing.sign(key, manifest)
    new = directory / "new.tar"
    new.write_bytes(bundle.archive(files, 0))
    return old, new
