"""New firmware: from a received bundle to a slot on trial. For the bench and for the admin page.

    received = Received(path, release_key)          # its signature and manifest are right
    finish(received.check())                        # every file is: nothing was changed yet
    finish(received.unpack(slot directory))
    put_on_trial(root, running slot)

The order is what keeps a router starting through a power cut: the bundle is checked to its last byte before
the slot is erased; a slot counts as empty from its manifest's removal to the writing of the new one, which is
last; and only then does boot.json name it. Checking and unpacking go in steps, one for each file: whoever
serves others too does so in between.
"""

import hashlib
from binascii import unhexlify

from gatelodge import compat
from gatelodge.contract import bundle
from gatelodge.contract.errors import BenchError, BundleError
from gatelodge.core import p256, slots

# What is loaded for an installation alone, and may be unloaded after it.
MODULES = ("gatelodge.install", "gatelodge.contract.bundle", "gatelodge.core.p256")
PIECE = 4096  # bytes of a file that are in the heap at once


class Received:
    """A bundle whose signature and manifest are right. Raises BundleError on any other."""

    def __init__(self, path, release_key):
        self._path = path
        with _open(path) as file:
            self._manifest_bytes = _expect(file, bundle.MANIFEST, bundle.MAX_MANIFEST, bundle.NOT_ONE)
            self._signature = _expect(file, bundle.SIGNATURE, bundle.SIGNATURE_BYTES, bundle.UNSIGNED)
            self._files_at = file.tell()
        check_signature(self._manifest_bytes, self._signature, release_key)
        self.manifest = bundle.check_manifest(_json(self._manifest_bytes))
        self._check_interpreter()

    def check(self):
        """Steps after which every file has been compared with the manifest. Raise BundleError."""
        paths = set()
        with _open(self._path) as file:
            file.seek(self._files_at)
            for path, size in _headers(file):
                digest = hashlib.sha256()
                for piece in _pieces(file, size):
                    digest.update(piece)
                bundle.check_digest(self.manifest, path, size, digest.digest())
                paths.add(path)
                yield
        bundle.check_complete(self.manifest, paths)

    def unpack(self, directory):
        """Steps that fill the slot: it is empty, or whole, after a power cut at any moment. BenchError."""
        try:
            erase(directory)
            with _open(self._path) as file:
                file.seek(self._files_at)
                for path, size in _headers(file):
                    _write(directory, path, _pieces(file, size))
                    yield
            _write(directory, bundle.SIGNATURE, (self._signature,))
            _write(directory, bundle.MANIFEST, (self._manifest_bytes,))
            compat.sync_directory(directory)
        except OSError as error:
            raise BenchError("the slot cannot be written (%s): free its flash, install again" % error)

    def _check_interpreter(self):
        wanted = self.manifest["mpy_version"]
        if compat.MPY_VERSION and wanted != compat.MPY_VERSION:
            raise BundleError(
                "this bundle is for .mpy version %d, this router runs %d: build it for this board"
                % (wanted, compat.MPY_VERSION),
                bundle.OTHER_ROUTER,
            )


def finish(steps):
    """All of them at once, for who serves nobody meanwhile."""
    for _ in steps:
        pass


def check_signature(manifest, signature, release_key):
    """Raise BundleError unless the release key (hex of a point) has signed these bytes."""
    if not release_key:
        raise BundleError("this board trusts no release key: build its image with one", bundle.UNSIGNED)
    if len(signature) != bundle.SIGNATURE_BYTES:
        raise BundleError("the bundle's signature is cut off: fetch the bundle again", bundle.UNSIGNED)
    point = p256.decode_point(unhexlify(release_key))  # CurveError of a wrong board.json
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not p256.verify(point, bundle.signed_digest(manifest), r, s):
        told = "the bundle is not signed by this board's release key: use one that is"
        raise BundleError(told, bundle.UNSIGNED)


def put_on_trial(root, running):
    """Name the other slot in boot.json; the next start is its first."""
    path = root + "/boot.json"
    record = slots.on_trial(running, slots.other(running))
    with open(path + ".new", "w") as file:
        file.write(compat.json.dumps(record))
        compat.sync_file(file)
    compat.rename(path + ".new", path)
    compat.sync_directory(root)


def erase(directory):
    """Remove a slot; its manifest first, so that what is half removed counts as empty."""
    manifest = directory + "/" + bundle.MANIFEST
    if compat.exists(manifest):
        compat.remove(manifest)
        compat.sync_directory(directory)
    if compat.exists(directory):
        _remove_tree(directory)


def _remove_tree(directory):
    for name in compat.listdir(directory):
        path = directory + "/" + name
        if compat.is_regular_file(path):
            compat.remove(path)
        else:
            _remove_tree(path)
    compat.remove_directory(directory)


def _write(directory, path, pieces):
    whole = directory + "/" + path
    compat.makedirs(whole.rsplit("/", 1)[0])
    with open(whole, "wb") as file:
        for piece in pieces:
            file.write(piece)
        compat.sync_file(file)


def _open(path):
    try:
        return open(path, "rb")
    except OSError:
        raise BenchError("no bundle was received: send one first")


def _headers(file):
    """Yield (path, size) of each file that is left; read its content before the next."""
    while True:
        block = file.read(bundle.BLOCK)
        if len(block) < bundle.BLOCK and file.tell() > bundle.BLOCK:
            raise BundleError("the bundle is cut off: send it again")
        header = bundle.parse_header(block)
        if header is None:
            return
        yield header


def _expect(file, name, most, why):
    for path, size in _headers(file):
        if path == name and size <= most:
            return b"".join(_pieces(file, size))
        break
    raise BundleError("the bundle does not go on with %s: build it again" % name, why)


def _pieces(file, size):
    """The content of a file, a PIECE after the other, and past its padding."""
    left = size
    while left:
        piece = file.read(min(left, PIECE))
        if not piece:
            raise BundleError("the bundle is cut off: send it again")
        left -= len(piece)
        yield piece
    file.read(-size % bundle.BLOCK)


def _json(data):
    try:
        return compat.json.loads(data)
    except ValueError:
        raise BundleError("the bundle's manifest is not JSON: build the bundle again")
