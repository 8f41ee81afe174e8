"""How long signing in takes, and how much of it is the password's hash, which takes its time on purpose."""

import os
import re
import statistics
import subprocess

from tests.bench import boards

HASH_ALONE = """
import time
from gatelodge import compat
began = time.ticks_us()
compat.pbkdf2_sha256(b"a lantern above the river gate", b"sixteen of salt.", %d, 32)
print(time.ticks_diff(time.ticks_us(), began) / 1000)
"""


def iterations(board):
    """The cost that this router chose for its owner's password, from its journal."""
    found = []
    for folder, _, names in os.walk(os.path.join(board.directory, "flash", "state")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                found += re.findall(rb'"iterations": ?(\d+)', file.read())
    return max(map(int, found))  # recovery codes are random, and cost less


def hash_alone_ms(lab, count):
    """The same hash in a MicroPython that does nothing else, median of three."""
    argv = [*lab.micropython, "-c", HASH_ALONE % count]
    told = [subprocess.check_output(argv, env=lab.environment, timeout=60) for _ in range(3)]
    return statistics.median(map(float, told))


def probe(lab):
    board = lab.board("host")
    owner = boards.owner_of(board)
    owner.get("/signin")  # the connection is open, as a browser's is once its page is shown
    took = []
    for number in range(2 if lab.quick else 4):
        lab.tell(f"sign-in {number + 1}")
        took.append(owner.sign_in())
    count = iterations(board)
    return {
        "sign_in": 1000 * statistics.median(sum(parts) for parts in took),
        "password_hash": hash_alone_ms(lab, count),
        "details": {"iterations": count, "password_and_code_s": took},
    }
