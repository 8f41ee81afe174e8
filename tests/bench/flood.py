"""The owner's page while a stranger opens connections as fast as they are taken, each as heavy as can be."""

import time
import urllib.parse

from gatelodge.core.heap import MOST

from tests.bench import boards
from tests.host_tools.stranger_rig import HALF_RESTORE, Flood

HELD = 3 * MOST


def probe(lab):
    board = lab.board("host")
    owner = boards.owner_of(board)
    port = urllib.parse.urlsplit(board.current["admin_url"]).port
    rounds = 10 if lab.quick else 40
    with Flood(port, HELD, HALF_RESTORE) as flood:
        lab.tell(f"opening the owner's page {rounds} times within a flood")
        opened, began = flood.opened, time.perf_counter()
        took = [of_one_page(owner) for _ in range(rounds)]
        per_s = (flood.opened - opened) / (time.perf_counter() - began)
    return {"flooded_page": max(took), "details": {"strangers_per_s": per_s, "took_s": took}}


def of_one_page(owner):
    """Seconds for a page on a new connection."""
    owner.close_connections()
    began = time.perf_counter()
    owner.get("/")
    return time.perf_counter() - began
