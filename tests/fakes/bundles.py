"""Small firmware bundles, signed by a key that everybody knows. For both interpreters."""

from binascii import hexlify

from gatelodge import compat
from gatelodge.contract import bundle
from gatelodge.core import p256

KEY = p256.generate(bytes(range(40)))
RELEASE_KEY = hexlify(p256.encode_point(p256.public_key(KEY))).decode()
OTHER_KEY = p256.generate(bytes(range(1, 41)))
FILES = {
    "gatelodge/a.mpy": b"first " * 100,
    "gatelodge/web/b.css": b"",
    "gatelodge/web/c.mpy": bytes(range(256)) * 5,
}


def manifest(files, version="1.2.3", **changes):
    promised = {}
    for path in files:
        promised[path] = {"size": len(files[path]), "sha256": bundle.file_hash(files[path])}
    fields = {"name": bundle.NAME, "version": version, "mpy_version": compat.MPY_VERSION or 6}
    fields.update({"built_at": 1795281600, "files": promised})
    fields.update(changes)
    return compat.json.dumps(fields).encode()


def signature(manifest_bytes, key=KEY):
    r, s = p256.sign(key, bundle.signed_digest(manifest_bytes))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def archive(members):
    """A ustar archive of (path, content) rows."""
    out = b""
    for path, content in members:
        out += _header(path.encode(), len(content)) + content + bytes(-len(content) % bundle.BLOCK)
    return out + bytes(2 * bundle.BLOCK)


def signed(files=None, key=KEY, **changes):
    """A bundle's bytes. `changes`: of its manifest."""
    files = FILES if files is None else files
    text = manifest(files, **changes)
    first = [(bundle.MANIFEST, text), (bundle.SIGNATURE, signature(text, key))]
    return archive(first + [(path, files[path]) for path in sorted(files)])



def _header(path, size):
    block = bytearray(bundle.BLOCK)
    block[: len(path)] = path
    block[124:136] = b"%011o\0" % size
    block[156:157] = b"0"
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)
