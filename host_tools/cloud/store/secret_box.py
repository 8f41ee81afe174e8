"""Keys that never leave this node's data directory, and what they are for: one key per purpose.

Two rings, the newest key first. Of the sealing keys the newest seals, and every other one only opens. Of the
hash keys the newest hashes, and every other one only recognizes what it hashed. `gatelodge cloud rotate-keys`
adds a key to both (key_ring.py).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken

KEY_BYTES = 32
ID_CHARACTERS = 8
KEYS_AT_HAND = 128  # of each key for each purpose; a page asks for some ten hashes
MARK = b":"  # between the key's id and what it sealed; Fernet's alphabet has none


class RingKey(NamedTuple):
    id: str  # ID_CHARACTERS of hex; "" the hash key that was there before the ring
    key: bytes
    made_at: float


def new_key(now: float) -> RingKey:
    return RingKey(secrets.token_hex(ID_CHARACTERS // 2), secrets.token_bytes(KEY_BYTES), now)


class SecretBox:
    """Seals what must be read again, and makes keyed hashes of short secrets that a table could reverse.

    hash_key: the first one. seal_keys, hash_keys: the newest first. What bears no key's id was sealed before
    there was a ring, under a key that comes of the first hash key; without a ring that one seals.
    """

    def __init__(self, hash_key: bytes, seal_keys: Sequence[RingKey] = (), hash_keys: Sequence[RingKey] = ()):
        if len(hash_key) != KEY_BYTES:
            raise ValueError(f"a hash key has {KEY_BYTES} bytes, not {len(hash_key)}")
        self._hash_keys = {each.id: each.key for each in hash_keys} or {"": hash_key}
        self.newest_hash_id = next(iter(self._hash_keys))
        self.newest_id = seal_keys[0].id if seal_keys else ""
        before = _fernet(_key_for(hash_key, "seal"))
        self._ring = {each.id: _fernet(each.key) for each in seal_keys} | {"": before}

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
        return _hmac(self._hash_keys[self.newest_hash_id], purpose, parts)

    def keyed_hashes(self, purpose: str, *parts: str) -> list[str]:
        """Under every key, the newest first: what was hashed before a rotation is one of them."""
        return [_hmac(key, purpose, parts) for key in self._hash_keys.values()]

    def is_hash(self, stored: str, purpose: str, *parts: str) -> bool:
        """Whether it is the keyed hash of this, under any of the keys."""
        given = stored.encode()
        return any(hmac.compare_digest(given, each.encode()) for each in self.keyed_hashes(purpose, *parts))

    def hash_under(self, key_id: str, purpose: str, *parts: str) -> str:
        """As keyed_hash, under one key of the ring; under the newest where it is not there any more."""
        key = self._hash_keys.get(key_id, self._hash_keys[self.newest_hash_id])
        return _hmac(key, purpose, parts)


def _hmac(key: bytes, purpose: str, parts: Sequence[str]) -> str:
    return hmac.digest(_key_for(key, purpose), "\0".join(parts).encode(), "sha256").hex()


@functools.lru_cache(KEYS_AT_HAND)
def _key_for(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode(), "sha256")


def named(key_id: str, digest: str) -> str:
    """With the id of its key: of what is kept so long that somebody asks whether a key is free."""
    return f"{key_id}{MARK.decode()}{digest}" if key_id else digest


def unnamed(stored: str) -> tuple[str, str]:
    """(the key's id, the hash)"""
    key_id, mark, digest = stored.partition(MARK.decode())
    return (key_id, digest) if mark else ("", stored)


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
