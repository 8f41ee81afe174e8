"""Standard output for a machine's eyes: what anything else in this process prints goes to standard error.

    with machine_output(args.json) as out:
        print(json.dumps(event), file=out)

Else a library's stray `print`, its C code or a child would stand between two events.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

STDOUT, STDERR = 1, 2


@contextlib.contextmanager
def machine_output(is_wanted: bool) -> Iterator[TextIO]:
    """Yield where our words go. Without `is_wanted` that is standard output as everybody has it."""
    if not is_wanted:
        yield sys.stdout
        return
    out = sys.stdout
    out.flush()
    kept = os.dup(STDOUT)
    try:
        os.dup2(STDERR, STDOUT)
        with _stream(out, kept) as ours, contextlib.redirect_stdout(sys.stderr):
            yield ours
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


@contextlib.contextmanager
def _stream(out: TextIO, kept: int) -> Iterator[TextIO]:
    """`out` as it was, over the kept descriptor where it wrote to the one that has moved."""
    try:
        is_moved = out.fileno() == STDOUT
    except (OSError, ValueError):  # whoever embeds us reads it from memory
        is_moved = False
    if not is_moved:
        yield out
        return
    with open(kept, "w", encoding=out.encoding, errors=out.errors, closefd=False) as ours:
        yield ours
