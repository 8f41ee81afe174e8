"""A compiled catalogue: translations that stay in their file until one is said. Its form is in
contract/catalogue.py.

The rows are held, 8 bytes for each sentence; of the texts those said lately, MOST_HELD of them.
"""

import struct

from gatelodge.contract import catalogue as form

MOST_HELD = 150  # texts: a page says about a hundred


class Catalogue:
    """path: of the file. Raises OSError where there is none, ValueError where it is not one."""

    def __init__(self, path):
        self._held = {}
        self._file = open(path, "rb")  # noqa: SIM115 - one read each time something is said
        head = self._file.read(form.HEAD_BYTES)
        if len(head) != form.HEAD_BYTES or head[:4] != form.MAGIC:
            self._file.close()
            raise ValueError("%s is no catalogue" % path)
        self._count = struct.unpack(form.HEAD, head)[1]
        self._rows = self._file.read((self._count + 1) * form.ROW_BYTES)

    def find(self, text):
        """The translation of an English sentence, or None."""
        if text in self._held:
            return self._held[text]
        found = self._read(form.key_of(text))
        if len(self._held) >= MOST_HELD:
            self._held = {}
        self._held[text] = found
        return found

    def close(self):
        self._file.close()

    def _read(self, key):
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._row(middle)[0] < key:
                low = middle + 1
            else:
                high = middle
        if low == self._count or self._row(low)[0] != key:
            return None
        start, end = self._row(low)[1], self._row(low + 1)[1]
        self._file.seek(start)
        return str(self._file.read(end - start), "utf-8")

    def _row(self, place):
        return struct.unpack_from(form.ROW, self._rows, place * form.ROW_BYTES)
