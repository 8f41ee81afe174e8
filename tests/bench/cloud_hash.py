"""How many passwords per second argon2 checks at the service's cost and concurrency, with nothing beside it.

python -m tests.bench.cloud_hash SECONDS
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type

from host_tools.cloud.accounts.passwords import LANES, MEMORY_KIB, PASSES, THREADS


def per_second(seconds):
    hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
    stored = hasher.hash("walnut tree by the gate")
    began = time.perf_counter()

    def work():
        done = 0
        while time.perf_counter() < began + seconds:
            hasher.verify(stored, "walnut tree by the gate")
            done += 1
        return done

    with ThreadPoolExecutor(THREADS) as threads:
        done = sum(one.result() for one in [threads.submit(work) for _ in range(THREADS)])
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    print(per_second(float(sys.argv[1])))
