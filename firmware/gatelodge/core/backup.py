"""The file of a backup: sealed by a password, and opened whole and genuine or not at all.

    magic 8 | iterations u32 | salt 16 | enciphered content | tag 32        big-endian

    master            = PBKDF2-HMAC-SHA256(password, salt, iterations)      RFC 8018 section 5.2
    k_cipher, k_tag   = HMAC-SHA256(master, label | 0x01)                   RFC 5869 section 2.3
    enciphered        = AES-256 in counter mode from block 0                NIST SP 800-38A section 6.5
    tag               = HMAC-SHA256(k_tag, all bytes before it)

The salt is random for each file, and with it both keys: so the counter may begin at 0. The tag is checked
before a byte is deciphered. Counter mode with an HMAC, and not GCM, because this needs nothing but the two
that every MicroPython with TLS brings. The magic's last character is the version of this format.
"""

import struct

from gatelodge import compat
from gatelodge.contract.errors import TheirError
from gatelodge.core import password as passwords

MAGIC = b"GLBACKU"
VERSION = b"1"
SALT_BYTES = 16
TAG_BYTES = 32
MOST_ITERATIONS = 500000  # some seconds at a slow router, to which a fast one's file may go
MOST_BYTES = 6 * 1024  # of a file: eight authenticators with long names and every setting take 4 KB
BLOCK = 16

_FORMAT = ">8sI16s"
HEADER_BYTES = struct.calcsize(_FORMAT)

# Why a file is not opened.
NOT_ONE = "backup_not_one"
NEWER = "backup_newer"
NOT_GENUINE = "backup_not_genuine"


class BackupError(TheirError):
    """why: NOT_ONE, NEWER or NOT_GENUINE. A wrong password and a changed file cannot be told apart."""

    def __init__(self, why):
        super().__init__(why)
        self.why = why


def seal(content, password, salt, iterations):
    """Return the file. content: bytes. salt: 16 random bytes, never used before. iterations: a password's,
    of which MOST_ITERATIONS count."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has %d bytes, not %d" % (SALT_BYTES, len(salt)))
    iterations = min(iterations, MOST_ITERATIONS)
    header = struct.pack(_FORMAT, MAGIC + VERSION, iterations, salt)
    if len(header) + len(content) + TAG_BYTES > MOST_BYTES:
        raise ValueError("a backup has at most %d bytes" % MOST_BYTES)
    cipher_key, tag_key = _keys(password, salt, iterations)
    sealed = header + _counter_mode(cipher_key, content)
    return sealed + compat.hmac_sha256(tag_key, sealed)


def unseal(file, password):
    """Return the content. Raises BackupError."""
    if len(file) < HEADER_BYTES + TAG_BYTES or len(file) > MOST_BYTES or file[: len(MAGIC)] != MAGIC:
        raise BackupError(NOT_ONE)
    magic, iterations, salt = struct.unpack(_FORMAT, file[:HEADER_BYTES])
    if magic[len(MAGIC) :] != VERSION:
        raise BackupError(NEWER)
    # The cost is of the file's choosing until the tag has been checked: not one that stalls this router.
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise BackupError(NOT_GENUINE)
    sealed, tag = file[:-TAG_BYTES], file[-TAG_BYTES:]
    cipher_key, tag_key = _keys(password, salt, iterations)
    if not compat.constant_time_equal(compat.hmac_sha256(tag_key, sealed), tag):
        raise BackupError(NOT_GENUINE)
    return _counter_mode(cipher_key, sealed[HEADER_BYTES:])


def _keys(password, salt, iterations):
    master = compat.pbkdf2_sha256(passwords.normalised(password).encode(), salt, iterations, 32)
    return [compat.hmac_sha256(master, label + b"\x01") for label in (b"cipher", b"tag")]


def _counter_mode(key, data):
    """Enciphers, and deciphers again."""
    blocks = -(-len(data) // BLOCK)
    if not blocks:
        return b""
    counters = b"".join([struct.pack(">QQ", 0, number) for number in range(blocks)])
    stream = compat.aes256(key, counters)[: len(data)]
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(len(data), "big")
