"""Keys that never leave this node's data directory, and what they are for: one key per purpose.

Two kinds. The hash key is one, for ever: what it has hashed cannot be hashed again. The sealing keys are a
ring: the newest seals, every other one only opens, until `gatelodge cloud rotate-keys` has sealed all anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken

KEY_BYTES = 32
ID_CHARACTERS = 8
MARK = b":"  # between the key's id and what it sealed; Fernet's alphabet has none


class SealKey(NamedTuple):
    id: str  # ID_CHARACTERS of hex
    key: bytes
    made_at: float


def new_seal_key(now: float) -> SealKey:
    return SealKey(secrets.token_hex(ID_CHARACTERS // 2), secrets.token_bytes(KEY_BYTES), now)


class SecretBox:
    """Seals what must be read again, and makes keyed hashes of short secrets that a table could reverse.

    seal_keys: the newest first. What bears no key's id was sealed before there was a ring, under a key that
    comes of the hash key; without a ring that one seals.
    """

    def __init__(self, hash_key: bytes, seal_keys: Sequence[SealKey] = ()):
        if len(hash_key) != KEY_BYTES:
            raise ValueError(f"a hash key has {KEY_BYTES} bytes, not {len(hash_key)}")
        self._hash_key = hash_key
        self.newest_id = seal_keys[0].id if seal_keys else ""
        self._ring = {each.id: _fernet(each.key) for each in seal_keys} | {"": _fernet(self._key_for("seal"))}

    def seal(self, text: str) -> bytes:
        prefix = self.newest_id.encode() + MARK if self.newest_id else b""
        return prefix + self._ring[self.newest_id].encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Return the text. Raises InvalidToken when it was sealed under a key that is not here."""
        key_id = key_id_of(sealed)
        if key_id not in self._ring:
            raise InvalidToken
        return self._ring[key_id].decrypt(sealed.partition(MARK)[2] if key_id else sealed).decode()

    def keyed_hash(self, purpose: str, *parts: str) -> str:
        """HMAC-SHA256 in hex. The purpose keeps a hash of one kind from standing in for another."""
        return hmac.digest(self._key_for(purpose), "\0".join(parts).encode(), "sha256").hex()

    def _key_for(self, purpose: str) -> bytes:
        return hmac.digest(self._hash_key, purpose.encode(), "sha256")


def key_id_of(sealed: bytes) -> str:
    """Which key sealed it; "" where that was before there was a ring."""
    head, mark, _ = sealed.partition(MARK)
    return head.decode("ascii", "replace") if mark else ""


def new_id() -> str:
    """A public name for a row: 120 random bits, so that none is guessed and none is met twice."""
    return secrets.token_hex(15)


def new_token() -> str:
    """A secret for a cookie or a link: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))
