"""How many passwords per second argon2 checks at the service's cost and concurrency, with nothing beside it.

    python -m tests.bench.cloud_hash SECONDS

prints {"per_s": n, "cpu_ms": of the processor for each} as JSON. Its threads have the priority of the
service's, so that whatever else this computer does takes as much from both.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type

from host_tools.cloud.accounts.passwords import LANES, MEMORY_KIB, PASSES, THREADS, step_back


def measure(seconds):
    hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
    stored = hasher.hash("walnut tree by the gate")
    began, spent = time.perf_counter(), time.process_time()

    def work():
        done = 0
        while time.perf_counter() < began + seconds:
            hasher.verify(stored, "walnut tree by the gate")
            done += 1
        return done

    with ThreadPoolExecutor(THREADS, initializer=step_back) as threads:
        done = sum(one.result() for one in [threads.submit(work) for _ in range(THREADS)])
    per_s = done / (time.perf_counter() - began)
    return {"per_s": per_s, "cpu_ms": 1000 * (time.process_time() - spent) / done}


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]))))
