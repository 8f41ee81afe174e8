"""Keys that never leave this node's data directory, and what they are for: one key per purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet

KEY_BYTES = 32


class SecretBox:
    """Seals what must be read again, and makes keyed hashes of short secrets that a table could reverse."""

    def __init__(self, master_key: bytes):
        if len(master_key) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes, not {len(master_key)}")
        self._master = master_key
        self._fernet = Fernet(base64.urlsafe_b64encode(self._key_for("seal")))

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Return the text. Raises cryptography.fernet.InvalidToken when it was sealed under another key."""
        return self._fernet.decrypt(sealed).decode()

    def keyed_hash(self, purpose: str, *parts: str) -> str:
        """HMAC-SHA256 in hex. The purpose keeps a hash of one kind from standing in for another."""
        return hmac.new(self._key_for(purpose), "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def _key_for(self, purpose: str) -> bytes:
        return hmac.new(self._master, purpose.encode(), hashlib.sha256).digest()


def new_id() -> str:
    """A public name for a row: 120 random bits, so that none is guessed and none is met twice."""
    return secrets.token_hex(15)


def new_token() -> str:
    """A secret for a cookie or a link: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
