"""DER, as much of it as certificates, requests and keys need (ITU-T X.690).

Writing: every function returns the bytes of one element. Reading: `Reader` walks the elements
of a buffer, never past its end, and refuses what DER forbids: indefinite and needlessly long
lengths, tags above 30, and integers with redundant leading bytes.
"""

from gatelodge.contract.errors import TheirError

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
SEQUENCE = 0x30
SET = 0x31

# The largest element read: a certificate is about 1 KB, and nothing here is ten times that.
LIMIT = 16384


class DerError(TheirError):
    """Bytes that are not DER, or not the element that belongs in their place."""


def element(tag, *parts):
    """Return one element: its tag, its length, its parts in order."""
    content = b"".join(parts)
    return bytes([tag]) + _length(len(content)) + content


def sequence(*parts):
    return element(SEQUENCE, *parts)


def set_of_one(part):
    # A SET OF sorts its elements; one element needs no sorting, and more never occur here.
    return element(SET, part)


def explicit(number, *parts):
    """Return a constructed element with the context tag [number]."""
    return element(0xA0 | number, *parts)


def integer(value):
    """Return a non-negative INTEGER in its shortest form."""
    if value < 0:
        raise ValueError("negative integers do not occur in keys and signatures")
    size = 1
    while value >> (8 * size - 1):  # leaves the sign bit clear
        size += 1
    return element(INTEGER, value.to_bytes(size, "big"))


def bit_string(content):
    """Return a BIT STRING of whole bytes."""
    return element(BIT_STRING, b"\0", content)


def octet_string(content):
    return element(OCTET_STRING, content)


def object_identifier(dotted):
    """Return the OBJECT IDENTIFIER written as in "1.2.840.10045.2.1"."""
    numbers = [int(part) for part in dotted.split(".")]
    content = bytes([40 * numbers[0] + numbers[1]])  # X.690 section 8.19.4
    for number in numbers[2:]:
        content += _base128(number)
    return element(OBJECT_IDENTIFIER, content)


def printable_string(text):
    return element(PRINTABLE_STRING, text.encode())


def utf8_string(text):
    return element(UTF8_STRING, text.encode())


def _length(size):
    if size < 128:
        return bytes([size])
    count = 1
    while size >> (8 * count):
        count += 1
    return bytes([0x80 | count]) + size.to_bytes(count, "big")


def _base128(number):
    out = bytes([number & 127])
    while number > 127:
        number >>= 7
        out = bytes([0x80 | (number & 127)]) + out
    return out


class Reader:
    """Walks the elements between two offsets of a buffer."""

    def __init__(self, data, start=0, end=None):
        if len(data) > LIMIT:
            raise DerError("%d bytes of DER are more than the %d that are read here" % (len(data), LIMIT))
        self.data = data
        self.position = start
        self.end = len(data) if end is None else end

    @property
    def at_end(self):
        return self.position == self.end

    def peek(self):
        """Return the next element's tag, or None at the end."""
        return None if self.at_end else self.data[self.position]

    def next(self):
        """Return (tag, start of the element, start of its content, end) and step over it."""
        start = self.position
        tag = self._byte()
        if tag & 31 == 31:
            raise DerError("a DER tag above 30 at byte %d" % start)
        size = self._size()
        content = self.position
        if size > self.end - content:
            raise DerError("the DER element at byte %d is cut off" % start)
        self.position = content + size
        return tag, start, content, self.position

    def expect(self, tag):
        """Return the content of the next element, which must have this tag."""
        _, content, end = self._expect(tag)
        return self.data[content:end]

    def enter(self, tag):
        """Return a Reader of the next element's content, and step over it."""
        _, content, end = self._expect(tag)
        return Reader(self.data, content, end)

    def whole(self, tag):
        """Return the next element with its tag and length, and step over it."""
        start, _, end = self._expect(tag)
        return self.data[start:end]

    def skip(self):
        self.next()

    def integer(self):
        content = self.expect(INTEGER)
        if not content or content[0] & 0x80:
            raise DerError("a DER integer that is empty or negative")
        if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
            raise DerError("a DER integer with a needless leading zero")
        return int.from_bytes(content, "big")

    def bit_string(self):
        """Return the bytes of a BIT STRING that holds whole bytes."""
        content = self.expect(BIT_STRING)
        if not content or content[0]:
            raise DerError("a DER bit string that is not whole bytes")
        return content[1:]

    def finish(self):
        if not self.at_end:
            raise DerError("%d bytes follow the last DER element" % (self.end - self.position))

    def _expect(self, tag):
        found, start, content, end = self.next()
        if found != tag:
            raise DerError("a DER element with tag 0x%02x stands where 0x%02x belongs" % (found, tag))
        return start, content, end

    def _byte(self):
        if self.position >= self.end:
            raise DerError("the DER ends after %d bytes, too early" % self.position)
        self.position += 1
        return self.data[self.position - 1]

    def _size(self):
        first = self._byte()
        if first < 0x80:
            return first
        count = first & 0x7F
        if not 1 <= count <= 3:  # 0 is the indefinite form; above 3 is beyond LIMIT
            raise DerError("a DER length of %d bytes" % count)
        size = 0
        for _ in range(count):
            size = size << 8 | self._byte()
        if size < 0x80 or size >> (8 * (count - 1)) == 0:
            raise DerError("a DER length that is not in its shortest form")
        return size
