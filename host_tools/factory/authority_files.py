"""Where the factory authority's own key is: in a file under a passphrase, or on a PKCS#11 token.

    factory-ca.key          PKCS#8, mode 0600; under a passphrase, or open (a development factory)
    factory-ca.pkcs11       instead of it: {"module", "token", "key"}, for a key that no file holds

The passphrase (a token's PIN) comes from a file, from the environment or from the terminal: see `Passphrase`.
"""

import getpass
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.files import write_durably

CA_KEY_FILE, TOKEN_FILE = "factory-ca.key", "factory-ca.pkcs11"
VARIABLE = "GATELODGE_FACTORY_PASSPHRASE"
SHORTEST = 8  # characters


class Passphrase(NamedTuple):
    """Where to ask, in this order: a file's first line, the environment, the terminal."""

    file: Path | None = None
    environment: Mapping[str, str] = os.environ
    asks: bool = True  # at the terminal, where there is one

    def get(self, what: str) -> bytes:
        """Return the passphrase. Raises ToolError when nothing gives one."""
        if self.file is not None:
            try:
                return self.file.read_bytes().split(b"\n")[0].rstrip(b"\r")
            except OSError as error:
                wrong = f"the passphrase file {self.file} cannot be read"
                raise ToolError(wrong, "name another file", exit_codes.USAGE) from error
        if VARIABLE in self.environment:
            return self.environment[VARIABLE].encode()
        if self.asks and sys.stdin.isatty():
            return getpass.getpass(f"Passphrase of {what}: ").encode()
        remedy = f"name its file with --passphrase-file, or put it into {VARIABLE}"
        raise ToolError(f"{what} needs its passphrase", remedy, exit_codes.USAGE)

    def get_new(self, what: str) -> bytes:
        """Return a passphrase to be; one that is typed is typed twice."""
        passphrase = self.get(what)
        is_typed = self.file is None and VARIABLE not in self.environment
        if is_typed and getpass.getpass("The same again: ").encode() != passphrase:
            raise ToolError("the two passphrases differ", "start again", exit_codes.USAGE)
        if len(passphrase) < SHORTEST:
            remedy = f"choose one of at least {SHORTEST}, or --no-passphrase for development"
            raise ToolError("the passphrase has too few characters", remedy, exit_codes.USAGE)
        return passphrase


def new_key_file(directory: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    """Make the key and keep it under the passphrase; None leaves it open."""
    key = ec.generate_private_key(ec.SECP256R1())
    # scrypt or PBKDF2 with AES, as the library thinks best today.
    kind: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        kind = serialization.BestAvailableEncryption(passphrase)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)
    write_durably(directory / CA_KEY_FILE, pem, 0o600)
    return key


def load_key(directory: Path, passphrase: Passphrase) -> ec.EllipticCurvePrivateKey:
    """Raises OSError or ValueError when there is no usable key, ToolError when its passphrase is wrong."""
    if (directory / TOKEN_FILE).exists():
        from host_tools.factory import token_key

        place = json.loads((directory / TOKEN_FILE).read_bytes())
        what = f"the token {place['token']}"
        return token_key.load(token_key.Place(**place), passphrase.get(what))
    data = (directory / CA_KEY_FILE).read_bytes()
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:  # it is encrypted
        key = _decrypted(data, passphrase.get(f"the factory in {directory}"))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("its key is of another kind")
    return key


def _decrypted(data: bytes, passphrase: bytes):
    try:
        return serialization.load_pem_private_key(data, password=passphrase)
    except (ValueError, TypeError) as error:
        raise ToolError(
            "that is not the passphrase of this factory's key", "try again", exit_codes.USAGE
        ) from error
