"""Who signs firmware bundles: the release key, a P-256 key of which boards know the public half.

    build/developer.key           made at the first build, not encrypted: for what stays on this computer
    gatelodge release key FILE    FILE, encrypted by a passphrase, and FILE.pub: for what leaves it

A public key is written as its 65 bytes in hex (SEC 1 section 2.3.3), as board.json's `release_key` has it.
"""

import contextlib
import getpass
import os
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from gatelodge.contract import bundle as contract

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import places

DEVELOPER_KEY = "developer.key"
PASSPHRASE_VARIABLE = "GATELODGE_RELEASE_PASSPHRASE"  # for a build without a person
SHORTEST_PASSPHRASE = 12  # characters; the file may be copied and tried at leisure
PUBLIC_SUFFIX = ".pub"
_HASH = utils.Prehashed(hashes.SHA256())


def developer_key(build_dir: Path = places.BUILD) -> ec.EllipticCurvePrivateKey:
    """Return this computer's own key, made at the first call."""
    path = build_dir / DEVELOPER_KEY
    if not path.exists():
        build_dir.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        places.write_whole(part, _pem(ec.generate_private_key(ec.SECP256R1()), None), 0o600)
        with contextlib.suppress(FileExistsError):  # another build was first: its key is everybody's
            path.hardlink_to(part)
        part.unlink()
    return _load(path, None)


def create(path: Path, passphrase: str) -> str:
    """Write a new key and its public half. Return the latter. Raises ToolError."""
    if path.exists():
        raise ToolError(f"{path} is there already", "use it, or name another file", exit_codes.USAGE)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        wrong = f"this passphrase has fewer than {SHORTEST_PASSPHRASE} characters"
        raise ToolError(wrong, "take a longer one", exit_codes.USAGE)
    key = ec.generate_private_key(ec.SECP256R1())
    places.write_whole(path, _pem(key, passphrase.encode()), 0o600)
    places.write_whole(public_path(path), public_half(key).encode() + b"\n")
    return public_half(key)


def open_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key of `create`; asks for its passphrase. Raises ToolError."""
    return _load(path, ask_passphrase(f"Passphrase of {path}: ").encode())


def ask_passphrase(question: str) -> str:
    """Return what the environment holds, else what is typed, unseen."""
    known = os.environ.get(PASSPHRASE_VARIABLE)
    if known:
        return known
    if not sys.stdin.isatty():
        remedy = f"run this in a terminal, or set {PASSPHRASE_VARIABLE}"
        raise ToolError("nobody is there to type the passphrase", remedy, exit_codes.USAGE)
    return getpass.getpass(question)


def public_path(path: Path) -> Path:
    return path.with_name(path.name + PUBLIC_SUFFIX)


def public_half(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.UncompressedPoint
    return key.public_key().public_bytes(serialization.Encoding.X962, form).hex()


def read_public(path: Path) -> str:
    """Return the public key in FILE.pub. Raises ToolError."""
    try:
        text = path.read_text().strip()
        _point(text)
    except (OSError, ValueError) as error:
        wrong = f"{path} holds no release key ({error})"
        raise ToolError(wrong, "name the .pub file of `gatelodge release key`", exit_codes.USAGE) from error
    return text


def sign(key: ec.EllipticCurvePrivateKey, manifest: bytes) -> bytes:
    """Return the content of manifest.sig. The same bytes are always signed the same way (RFC 6979)."""
    how = ec.ECDSA(_HASH, deterministic_signing=True)
    r, s = utils.decode_dss_signature(key.sign(contract.signed_digest(manifest), how))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def is_signed(manifest: bytes, signature: bytes, public_key: str) -> bool:
    if len(signature) != contract.SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        encoded = utils.encode_dss_signature(r, s)
        _point(public_key).verify(encoded, contract.signed_digest(manifest), ec.ECDSA(_HASH))
    except InvalidSignature:
        return False
    return True


def _point(public_key: str) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(public_key))


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, encryption)


def _load(path: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as error:
        remedy = "make one with `gatelodge release key`"
        raise ToolError(f"{path} cannot be read", remedy, exit_codes.USAGE) from error
    except (ValueError, TypeError) as error:
        wrong = f"{path} holds no key that this passphrase opens"
        raise ToolError(wrong, "try the passphrase again", exit_codes.USAGE) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ToolError(f"{path} is no P-256 key", "make one with `gatelodge release key`", exit_codes.USAGE)
    return key
