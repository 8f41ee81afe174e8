"""The only writer of persistent state: a journal that survives a power cut at any moment.

File:    MAGIC, then records.
Record:  length u32 | crc32 u32 | payload. Little-endian; the CRC covers the length and the payload.
Payload: UTF-8 JSON, `[{key: value, ...}, [deleted key, ...]]`. One record is one atomic change.

A change is appended and synced before it is acknowledged. When the journal has grown well past what it
holds, the present state goes into a new file, which is synced and renamed over the old one. So after a
crash at any write the state is the one before or the one after, and whatever was acknowledged is there.
A record cut short by the crash can only be the last: `open` drops it, says so in `torn`, and compacts,
because MicroPython has no way to truncate a file.
"""

import binascii
import struct

from gatelodge import compat, log
from gatelodge.compat import json
from gatelodge.contract.errors import GatelodgeError, ValueRangeError

MAGIC = b"GLJRNL1\n"
HEADER = struct.calcsize("<II")
MAX_RECORD_BYTES = 64 * 1024  # of payload: the largest value is a certificate chain, about 4 KB
MAX_STATE_BYTES = 256 * 1024  # of all keys and values: they stay in a router's memory
COMPACT_RATIO = 4  # the journal may be so many times larger than its content ...
COMPACT_FROM_BYTES = 32 * 1024  # ... but below this it is never worth a rewrite


class StoreError(GatelodgeError):
    """The journal could not be read or written."""


class FlashFiles:
    """The seam to a real file system. tests/fakes/crashing_files.py is the other side of it."""

    def open(self, path):
        """A file to read, which the caller closes, or None when there is none."""
        return open(path, "rb") if compat.exists(path) else None  # noqa: SIM115

    def create(self, path):
        """A new, empty file to write, readable by this process's user only from before its first byte."""
        file = open(path, "wb", 0)  # noqa: SIM115 - the caller closes it
        compat.make_private(path)
        return file

    def append(self, path):
        return open(path, "ab", 0)

    def write(self, file, data):
        sent = 0
        while sent < len(data):
            sent += file.write(data[sent:])

    def sync(self, file):
        compat.sync_file(file)

    def sync_directory(self, path):
        compat.sync_directory(path)

    def rename(self, old, new):
        compat.rename(old, new)

    def remove(self, path):
        if compat.exists(path):
            compat.remove(path)

    def make_directory(self, path):
        compat.makedirs(path)


class Store:
    """Keys to JSON values. What `get` returns is the caller's own: changing it changes nothing."""

    def __init__(self, files, path):
        """`path` names the journal; PATH.new is used beside it."""
        self._files = files
        self._path = path
        self._directory = path.rsplit("/", 1)[0] if "/" in path else "."
        self._texts = {}  # key -> JSON text of its value
        self._file = None
        self._journal_bytes = 0
        self._compacted_bytes = 0
        self._tail_is_unsure = False  # a write failed: what follows it could not be read back
        self.torn = False  # whether `open` dropped a record that a crash had cut short

    def open(self):
        """Reads the journal, or makes an empty one. StoreError when the file is no journal."""
        try:
            self._files.make_directory(self._directory)
            self._files.remove(self._path + ".new")
            file = self._files.open(self._path)
            if file is not None:
                with file:
                    self._read(file)
            if file is None or self.torn:
                self._compact()
            else:
                self._file = self._files.append(self._path)
        except OSError as error:
            raise StoreError(f"the journal {self._path} cannot be opened ({error}): check the flash")
        return self

    def close(self):
        """Everything was synced when it was put; this gives the descriptor back."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def get(self, key, default=None):
        text = self._texts.get(key)
        return default if text is None else json.loads(text)

    def has(self, key):
        """Whether there is a value other than null, without making it."""
        return self._texts.get(key, "null") != "null"

    def keys(self):
        return sorted(self._texts)

    def put(self, key, value):
        self.put_many({key: value})

    def delete(self, key):
        """Deleting what is not there is no change."""
        self.put_many({}, (key,))

    def put_many(self, values, deleted=()):
        """One atomic change. On return it is on the flash.

        ValueRangeError when it is too large, TypeError or ValueError when JSON has no form for a value,
        StoreError when the flash refuses: then memory keeps the state before.
        """
        changed = {key: json.dumps(value) for key, value in values.items()}
        changed = {key: text for key, text in changed.items() if self._texts.get(key) != text}
        deleted = [key for key in deleted if key in self._texts]
        if not changed and not deleted:
            return  # nothing new: spare the flash
        record = _record(changed, deleted)
        after = dict(self._texts)
        after.update(changed)
        for key in deleted:
            del after[key]
        _check_size(after)
        try:
            self._append(record)
        except OSError as error:
            self._tail_is_unsure = True
            raise StoreError(f"the journal {self._path} cannot be written ({error}): check the flash")
        self._texts = after
        self._compact_if_wasteful()

    def forget_the_past(self):
        """Write the journal anew, so that the file itself holds nothing that was replaced or deleted.

        StoreError when the flash refuses: the state is what it was, in the old file or the new one."""
        try:
            self._compact()
        except OSError as error:
            self._tail_is_unsure = True
            raise StoreError(f"the journal {self._path} cannot be written anew ({error}): check the flash")

    def _append(self, record):
        if self._file is None:
            raise StoreError(f"the journal {self._path} is not open: call open first")
        if self._tail_is_unsure:
            self._compact()
        self._files.write(self._file, record)
        self._files.sync(self._file)
        self._journal_bytes += len(record)

    def _compact_if_wasteful(self):
        if self._journal_bytes <= max(COMPACT_FROM_BYTES, COMPACT_RATIO * self._compacted_bytes):
            return
        try:
            self._compact()
        except OSError as error:
            # The change itself is safe. The rename may have happened or not: the next change finds out.
            self._tail_is_unsure = True
            log.warning("store", "the journal could not be compacted (%s): check the flash", error)

    def _compact(self):
        new = self._path + ".new"
        size = len(MAGIC)
        with self._files.create(new) as file:
            self._files.write(file, MAGIC)
            for key in self.keys():
                record = _record({key: self._texts[key]}, ())
                self._files.write(file, record)
                size += len(record)
            self._files.sync(file)
        self._files.rename(new, self._path)
        self._files.sync_directory(self._directory)
        old, self._file = self._file, self._files.append(self._path)
        if old is not None:
            old.close()
        self._journal_bytes = self._compacted_bytes = size
        self._tail_is_unsure = False

    def _read(self, file):
        if file.read(len(MAGIC)) != MAGIC:
            raise StoreError(f"{self._path} is not a journal: move it away to start without its settings")
        self._journal_bytes = len(MAGIC)
        self.torn = False
        while True:
            header = file.read(HEADER)
            if not header:
                break
            payload = _payload(file, header)
            if payload is None:
                self.torn = True
                break
            self._apply(payload)
            self._journal_bytes += HEADER + len(payload)
        self._compacted_bytes = _size(self._texts)

    def _apply(self, payload):
        values, deleted = json.loads(payload)
        for key, value in values.items():
            self._texts[key] = json.dumps(value)
        for key in deleted:
            self._texts.pop(key, None)


def _record(texts, deleted):
    """The bytes of one change. `texts` maps keys to JSON already made."""
    members = [json.dumps(key) + ":" + texts[key] for key in sorted(texts)]
    payload = ("[{" + ",".join(members) + "}," + json.dumps(list(deleted)) + "]").encode()
    if len(payload) > MAX_RECORD_BYTES:
        raise ValueRangeError(
            f"a change of {len(payload)} bytes is too large: keep it under {MAX_RECORD_BYTES}"
        )
    length = struct.pack("<I", len(payload))
    return length + struct.pack("<I", _crc(length, payload)) + payload


def _payload(file, header):
    """The payload that follows the header; None when it was cut short or is not what was written."""
    if len(header) < HEADER:
        return None
    length, crc = struct.unpack("<II", header)
    if length > MAX_RECORD_BYTES:
        return None
    payload = file.read(length)
    whole = len(payload) == length and _crc(header[:4], payload) == crc
    return payload if whole else None


def _crc(length, payload):
    """Over the length too: a tail of zeros, which file systems leave, must not read as an empty record."""
    return binascii.crc32(payload, binascii.crc32(length)) & 0xFFFFFFFF


def _size(texts):
    return sum(len(key) + len(text) for key, text in texts.items())


def _check_size(texts):
    size = _size(texts)
    if size > MAX_STATE_BYTES:
        raise ValueRangeError(f"the state would have {size} bytes: keep it under {MAX_STATE_BYTES}")
