"""New firmware at the bench: from a received bundle to a slot on trial.

    received = Received(path, release_key)          # opened and checked: nothing was changed yet
    received.unpack(slot directory)
    put_on_trial(root, running slot)

The order is what keeps a router starting through a power cut: the bundle is checked to its last byte before
the slot is erased; a slot counts as empty from its manifest's removal to the writing of the new one, which is
last; and only then does boot.json name it.
"""

from binascii import unhexlify

from gatelodge import compat
from gatelodge.contract import bundle
from gatelodge.contract.errors import BenchError, BundleError
from gatelodge.core import p256, slots

MAX_FILE = 1 << 20  # bytes of one file, read at once; a heap has 8 MB


class Received:
    """A bundle whose signature, manifest and files are right. Raises BundleError on any other."""

    def __init__(self, path, release_key):
        self._path = path
        with _open(path) as file:
            self._manifest_bytes = _expect(file, bundle.MANIFEST, bundle.MAX_MANIFEST)
            self._signature = _expect(file, bundle.SIGNATURE, bundle.SIGNATURE_BYTES)
            check_signature(self._manifest_bytes, self._signature, release_key)
            self.manifest = bundle.check_manifest(_json(self._manifest_bytes))
            self._check_interpreter()
            self._check_files(file)

    def unpack(self, directory):
        """Fill the slot. It is empty, or whole, after a power cut at any moment. Raises BenchError."""
        try:
            self._fill(directory)
        except OSError as error:
            raise BenchError("the slot cannot be written (%s): free its flash, install again" % error)

    def _fill(self, directory):
        erase(directory)
        with _open(self._path) as file:
            for path, size in _headers(file):
                content = _content(file, size)
                if path not in (bundle.MANIFEST, bundle.SIGNATURE):
                    _write(directory, path, content)
        _write(directory, bundle.SIGNATURE, self._signature)
        _write(directory, bundle.MANIFEST, self._manifest_bytes)
        compat.sync_directory(directory)

    def _check_interpreter(self):
        wanted = self.manifest["mpy_version"]
        if compat.MPY_VERSION and wanted != compat.MPY_VERSION:
            raise BundleError(
                "this bundle is for .mpy version %d, this router runs %d: build it for this board"
                % (wanted, compat.MPY_VERSION)
            )

    def _check_files(self, file):
        paths = set()
        for path, size in _headers(file):
            bundle.check_content(self.manifest, path, _content(file, size))
            paths.add(path)
        bundle.check_complete(self.manifest, paths)


def check_signature(manifest, signature, release_key):
    """Raise BundleError unless the release key (hex of a point) has signed these bytes."""
    if not release_key:
        raise BundleError("this board trusts no release key: build its image with one")
    if len(signature) != bundle.SIGNATURE_BYTES:
        raise BundleError("the bundle's signature is cut off: fetch the bundle again")
    point = p256.decode_point(unhexlify(release_key))  # CurveError of a wrong board.json
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not p256.verify(point, bundle.signed_digest(manifest), r, s):
        raise BundleError("the bundle is not signed by this board's release key: use one that is")


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


def _write(directory, path, content):
    whole = directory + "/" + path
    compat.makedirs(whole.rsplit("/", 1)[0])
    with open(whole, "wb") as file:
        file.write(content)
        compat.sync_file(file)


def _open(path):
    try:
        return open(path, "rb")
    except OSError:
        raise BenchError("no bundle was received: send one first")


def _headers(file):
    """Yield (path, size) of each file that is left; read its content before the next."""
    while True:
        header = bundle.parse_header(file.read(bundle.BLOCK))
        if header is None:
            return
        yield header


def _expect(file, name, most):
    for path, size in _headers(file):
        if path == name and size <= most:
            return _content(file, size)
        break
    raise BundleError("the bundle does not go on with %s: build it again" % name)


def _content(file, size):
    if size > MAX_FILE:
        raise BundleError("a file in the bundle has %d bytes, %d fit: build it again" % (size, MAX_FILE))
    content = file.read(size)
    file.read(-size % bundle.BLOCK)
    if len(content) != size:
        raise BundleError("the bundle is cut off: send it again")
    return content


def _json(data):
    try:
        return compat.json.loads(data)
    except ValueError:
        raise BundleError("the bundle's manifest is not JSON: build the bundle again")
