"""A daemon on the host board that is left alone, link up: how often it wakes, and what it holds.

The cloud asks for a heartbeat as often as in production (boards.HEARTBEAT_S): each is a wakeup for the
question and one for the answer.
"""

import time

from tests.bench import boards, live_page, processes

SETTLE_S = 5  # sign-in and the first heartbeat are over
LINK_TIMEOUT_S = 30


def wait_for_link(board):
    deadline = time.monotonic() + LINK_TIMEOUT_S
    while time.monotonic() < deadline:
        if boards.owner_of(board).cloud_state() == "online":
            return
        time.sleep(0.5)
    raise TimeoutError(f"the link to the cloud was not up within {LINK_TIMEOUT_S} s")


def watched(pid, watch_s):
    """(wakeups per second, CPU seconds used) of a process in that time."""
    woken, used_s = processes.wakeups(pid), processes.cpu_s(pid)
    time.sleep(watch_s)
    return (processes.wakeups(pid) - woken) / watch_s, processes.cpu_s(pid) - used_s


def probe(lab):
    board = lab.board("host")
    owner = boards.owner_of(board)
    lab.tell("waiting for the link")
    wait_for_link(board)
    owner.close_connections()
    time.sleep(SETTLE_S)
    pid, watch_s = board.pid, 10 if lab.quick else 30
    lab.tell(f"watching an idle daemon for {watch_s} s")
    alone = watched(pid, watch_s)
    held = memory(pid)
    with live_page.opened(board, owner) as came:
        time.sleep(SETTLE_S)
        lab.tell(f"watching it for {watch_s} s with a live page")
        before = len(came)
        with_page = watched(pid, watch_s)
        if len(came) == before:
            raise TimeoutError(f"the live page was sent nothing in {watch_s} s")
    return {
        "wakeups": alone[0],
        "wakeups_live": with_page[0],
        "rss": held["VmRSS"] / 1024,
        "details": {
            "watched_s": watch_s,
            "heartbeat_s": boards.HEARTBEAT_S,
            "cpu_s": alone[1],
            "cpu_s_live": with_page[1],
            "memory": held,
        },
    }


def memory(pid):
    """In kB. RssAnon is the daemon's own; RssFile is code that processes share."""
    return {field: processes.memory_kb(pid, field) for field in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}
