"""The form of a compiled catalogue: what `gatelodge bundle build` writes and the router reads.

HEAD with MAGIC and the count of rows; the rows, in the order of their keys, and one more that tells where the
last text ends; then the texts in the same order. A row is the key of an English sentence and where its text
begins in the file. Little-endian; texts are UTF-8; plural forms are parted by PART.
"""

import binascii

MAGIC = b"GLC1"
HEAD = "<4sI"
HEAD_BYTES = 8
ROW = "<II"
ROW_BYTES = 8
PART = "\0"


def N_(sentence):
    """Marks a sentence for the catalogues; whoever shows it has it translated."""
    return sentence


def key_of(sentence):
    """CRC-32. The build refuses two sentences of one key."""
    return binascii.crc32(sentence.encode()) & 0xFFFFFFFF
