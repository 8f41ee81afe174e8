"""What a firmware bundle is: one version of the daemon, as it lies in a slot.

A bundle is a ustar archive (IEEE Std 1003.1-2008, pax, "ustar Interchange Format") of regular
files with relative names. The first is `manifest.json`:

    {"name": "gatelodge", "version": "0.1.0", "mpy_version": 6, "built_at": unix seconds,
     "files": {"gatelodge/daemon.mpy": {"size": 1234, "sha256": "hex"}, ...}}

The second is `manifest.sig`: the release key's ECDSA signature (P-256, SHA-256; r and s, 32 bytes each) over
SIGNED and the manifest's bytes. So one signature covers every file.

Whoever unpacks one checks the signature, the manifest, then each file as it comes, then that none is missing.
"""

import binascii
import hashlib

from gatelodge.contract.errors import BundleError

NAME = "gatelodge"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
SIGNATURE_BYTES = 64
SIGNED = b"gatelodge bundle 1\n"  # so that a signature over anything else is never one over a manifest
BLOCK = 512  # ustar's unit: headers and the padding of contents
MAX_BYTES = 4 << 20  # two slots and the journal share a flash of 16 MB on the smallest board
MAX_FILES = 400
MAX_MANIFEST = 65536  # bytes; 400 files take 50 KB
# What may be wrong with a file that is to be one: BundleError.why.
DAMAGED = "damaged"  # or cut off
NOT_ONE = "not one"
UNSIGNED = "unsigned"  # or signed by somebody else, or changed since
OTHER_ROUTER = "other router"

MAX_PATH = 100  # ustar's name field; its prefix field is not used

_PATH_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"
_FIELDS = (("name", str), ("version", str), ("mpy_version", int), ("built_at", int), ("files", dict))


def check_manifest(fields):
    """Return the manifest unchanged. Raises BundleError when anything in it is not as above."""
    if not isinstance(fields, dict) or sorted(fields) != sorted(name for name, _ in _FIELDS):
        names = ", ".join(name for name, _ in _FIELDS)
        raise BundleError("a manifest has the fields %s: build the bundle again" % names)
    for name, kind in _FIELDS:
        if not isinstance(fields[name], kind):
            raise BundleError("the manifest's %s is %r: build the bundle again" % (name, fields[name]))
    if fields["name"] != NAME:
        told = "this is a bundle of %r, not of %s: choose another file" % (fields["name"], NAME)
        raise BundleError(told, NOT_ONE)
    version_key(fields["version"])
    _check_files(fields["files"])
    return fields


def version_key(version):
    """Return (major, minor, patch), which orders versions. Raises BundleError on anything else."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isdigit() and len(part) <= 5 for part in parts):
        raise BundleError("%r is no version: write three numbers, as in 1.20.3" % version)
    return tuple(int(part) for part in parts)


def check_path(path):
    """Return the path. Raises BundleError on one that could leave the slot or does not fit."""
    if not 0 < len(path) <= MAX_PATH or any(character not in _PATH_CHARACTERS for character in path):
        raise BundleError("the file name %r fits no bundle: rename the file" % path)
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise BundleError("the file name %r points outside the slot: do not install this bundle" % path)
    return path


def signed_digest(manifest):
    """Return the SHA-256 that a bundle's signature is over. `manifest`: the bytes of the file."""
    return hashlib.sha256(SIGNED + manifest).digest()


def check_content(manifest, path, content):
    """Raise BundleError unless this is the file that the manifest promised under this path."""
    check_digest(manifest, path, len(content), hashlib.sha256(content).digest())


def check_digest(manifest, path, size, digest):
    """The same of a content that is not at hand as a whole. digest: its SHA-256."""
    promised = manifest["files"].get(path)
    if promised is None:
        raise BundleError("the manifest does not name %s: do not install this bundle" % path)
    if size != promised["size"] or binascii.hexlify(digest).decode() != promised["sha256"]:
        raise BundleError("%s is damaged: fetch the bundle again" % path)


def check_complete(manifest, paths):
    """Raise BundleError unless these are all the files that the manifest promised."""
    missing = sorted(path for path in manifest["files"] if path not in paths)
    if missing:
        raise BundleError("the bundle ends before %s: fetch it again" % missing[0])


def file_hash(content):
    """Return what the manifest holds as sha256."""
    return binascii.hexlify(hashlib.sha256(content).digest()).decode()


def parse_header(block):
    """Return (path, size) of the file that follows a ustar header; None for the end of the archive.

    Raises BundleError on a wrong checksum and on anything that is not a regular file.
    """
    if block == bytes(BLOCK):
        return None
    if len(block) != BLOCK or block[257:262] != b"ustar":
        raise BundleError("this is no ustar archive: choose a gatelodge-*.tar file", NOT_ONE)
    # The checksum counts its own field as eight spaces.
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    if _octal(block[148:156]) != total:
        raise BundleError("a header in the bundle is damaged: fetch the bundle again")
    if block[156:157] not in (b"0", b"\0") or block[345:346] != b"\0":
        raise BundleError("the bundle holds something else than files: do not install it")
    return check_path(_text(block[:MAX_PATH])), _octal(block[124:136])


def _text(field):
    """Return a header's field up to its first zero byte."""
    end = field.find(b"\0")
    used = field if end < 0 else field[:end]
    if any(byte > 126 for byte in used):
        raise BundleError("a name in the bundle is damaged: fetch the bundle again")
    return bytes(used).decode()


def _octal(field):
    text = _text(field).strip()
    if not text or any(digit not in "01234567" for digit in text):
        raise BundleError("a number in the bundle is damaged: fetch the bundle again")
    return int(text, 8)


def _check_files(files):
    if not 0 < len(files) <= MAX_FILES:
        raise BundleError("it has %d files, and 1 to %d fit: build it again" % (len(files), MAX_FILES))
    total = 0
    for path in files:
        check_path(path)
        if path in (MANIFEST, SIGNATURE):
            raise BundleError("the manifest names itself: build the bundle again")
        total += _checked_size(path, files[path])
    if total > MAX_BYTES:
        raise BundleError("the bundle holds %d bytes, a slot %d: leave something out" % (total, MAX_BYTES))


def _checked_size(path, entry):
    correct = isinstance(entry, dict) and sorted(entry) == ["sha256", "size"]
    correct = correct and isinstance(entry["size"], int) and entry["size"] >= 0
    if not (correct and isinstance(entry["sha256"], str) and len(entry["sha256"]) == 64):
        raise BundleError("the manifest's entry for %s is damaged: build the bundle again" % path)
    return entry["size"]
