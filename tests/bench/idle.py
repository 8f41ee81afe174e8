"""An idle daemon on the host board, link up: how often it wakes, and what it holds."""

import time

from tests.bench import boards, processes

SETTLE_S = 5  # sign-in and the first heartbeat are over
LINK_TIMEOUT_S = 30


def wait_for_link(board):
    deadline = time.monotonic() + LINK_TIMEOUT_S
    while time.monotonic() < deadline:
        if boards.owner_of(board).cloud_state() == "online":
            return
        time.sleep(0.5)
    raise TimeoutError(f"the link to the cloud was not up within {LINK_TIMEOUT_S} s")


def probe(lab):
    board = lab.board("host")
    boards.owner_of(board)
    lab.tell("waiting for the link")
    wait_for_link(board)
    board.owner.close_connections()
    time.sleep(SETTLE_S)
    pid, watch_s = board.pid, 10 if lab.quick else 30
    lab.tell(f"watching an idle daemon for {watch_s} s")
    woken, used_s = processes.wakeups(pid), processes.cpu_s(pid)
    time.sleep(watch_s)
    woken, used_s = processes.wakeups(pid) - woken, processes.cpu_s(pid) - used_s
    return {
        "wakeups": woken / watch_s,
        "rss": processes.memory_kb(pid, "VmRSS") / 1024,
        "details": {"watched_s": watch_s, "wakeups": woken, "cpu_s": used_s, "memory": memory(pid)},
    }


def memory(pid):
    """In kB. RssAnon is the daemon's own; RssFile is code that processes share."""
    return {field: processes.memory_kb(pid, field) for field in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}
