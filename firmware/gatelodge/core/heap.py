"""What the heap has room for: pure functions of its size.

A connection of the admin page costs twice. Mbed TLS keeps 40 KB of it beside MicroPython's heap, where the
router's own memory is the bound. On the heap it takes 4 KB while it rests, and CONNECTION at the worst that a
stranger can make of it: a head of 8 KB, before a body of 10 KB whose last byte never comes.
"""

from gatelodge.contract.board import LEAST_HEAP_KB
from gatelodge.contract.errors import BoardError

KB = 1024
LIVE = 880 * KB  # at rest: the code 620, the log 40, two languages 30, tables; 835 in the longest week
WORK = 196 * KB  # a page that is made, what is loaded for it, a dozen heads over plain HTTP, gaps too small
CONNECTION = 33 * KB
FEWEST = 12  # six live pages, and six connections of a browser that opens the next one
MOST = 24  # two browsers beside those, and 1 MB in Mbed TLS
LEAST = LIVE + WORK + FEWEST * CONNECTION

# Garbage may fill so much of the heap before it is collected: memory that is never touched costs a router
# nothing, and a collection costs time. `make bench` shows both sides: RSS, and CPU time per request.
MOST_GARBAGE = 384 * KB
GARBAGE_SHARE = 8  # and no more than this part of a small heap


def connections(heap_bytes):
    """How many connections of the admin page may be open at once."""
    return max(FEWEST, min(MOST, (heap_bytes - LIVE - WORK) // CONNECTION))


def garbage(heap_bytes):
    """After how many bytes that were taken from the heap the garbage is collected."""
    return min(MOST_GARBAGE, heap_bytes // GARBAGE_SHARE)


def check(heap_bytes):
    """Raise BoardError when a heap of that size is too small to work in."""
    if heap_bytes < LEAST:
        found = heap_bytes // KB
        raise BoardError(
            "MicroPython has a heap of %d KB, too small to work in: start it with -X heapsize=%dk or more"
            % (found, LEAST_HEAP_KB)
        )
