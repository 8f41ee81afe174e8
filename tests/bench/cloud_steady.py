"""Requests at an even rate: each is timed from when it was due, not from when it went out.

    python -m tests.bench.cloud_steady URL AUTHORITY COOKIES RATE SECONDS

prints {"ms": [of each], "failures": n} as JSON.
"""

import asyncio
import json
import ssl
import sys
import time

import uvloop
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

LINES = 32
TIMEOUT_S = 10


async def steady(url, authority, cookies, rate, seconds):
    trust = ssl.create_default_context(cafile=authority)
    connector = TCPConnector(ssl=trust, limit=LINES)
    took, failures = [], 0

    async def one(due):
        nonlocal failures
        try:
            async with session.get(url, headers={"Cookie": cookies}, allow_redirects=False) as answer:
                await answer.read()
                failures += answer.status != 200
        except (ClientError, TimeoutError):
            failures += 1
        took.append(1000 * (time.perf_counter() - due))

    async with ClientSession(connector=connector, timeout=ClientTimeout(TIMEOUT_S)) as session:
        await asyncio.gather(*(one(time.perf_counter()) for _ in range(LINES)))  # the lines are open
        took.clear()
        began, asked = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0, due - time.perf_counter()))
            asked.append(asyncio.ensure_future(one(due)))
        await asyncio.gather(*asked)
    return {"ms": took, "failures": failures}


if __name__ == "__main__":
    arguments = (*sys.argv[1:4], *map(float, sys.argv[4:6]))
    print(json.dumps(uvloop.run(steady(*arguments))))
