"""The owner's page while a stranger opens connections as fast as they are taken: each as heavy as can be, and
then each as cheap as can be."""

import time
import urllib.parse

from gatelodge.core.heap import MOST

from tests.bench import boards
from tests.host_tools.stranger_rig import HALF_RESTORE, Flood, RawFlood

HELD = 3 * MOST


def probe(lab):
    board = lab.board("host")
    owner = boards.owner_of(board)
    port = urllib.parse.urlsplit(board.current["admin_url"]).port
    rounds = 10 if lab.quick else 40
    lab.tell(f"opening the owner's page {rounds} times within a flood")
    heavy = within(Flood(port, HELD, HALF_RESTORE), owner, rounds)
    lab.tell(f"and {rounds} times within one of connections that say nothing")
    raw = within(RawFlood(port, HELD), owner, rounds)
    return {
        "flooded_page": max(heavy["took_s"]),
        "flooded_page_raw": max(raw["took_s"]),
        "details": {"heavy": heavy, "raw": raw},
    }


def within(flood, owner, rounds):
    """Seconds that each page took within the flood, and how many connections came meanwhile. dropped: what
    the kernel's queue had no room for on this machine, and came again a second later."""
    with flood:
        opened, dropped, began = flood.opened, queue_drops(), time.perf_counter()
        took = [of_one_page(owner) for _ in range(rounds)]
        per_s = (flood.opened - opened) / (time.perf_counter() - began)
        return {"strangers_per_s": per_s, "dropped": queue_drops() - dropped, "took_s": took}


def queue_drops():
    """ListenOverflows of netstat(8)."""
    with open("/proc/net/netstat", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("TcpExt:")]
    return int(values[names.index("ListenOverflows")])


def of_one_page(owner):
    """Seconds for a page on a new connection."""
    owner.close_connections()
    began = time.perf_counter()
    owner.get("/")
    return time.perf_counter() - began
