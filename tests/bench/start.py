"""Daemon start to first HTTPS answer: the host board's daemon, started by itself on its own flash."""

import os
import pty
import statistics
import subprocess
import time

from tests.bench import boards, first_answer, processes

START_TIMEOUT_S = 30


def one_start(command, page):
    """Seconds from the start of the process to its first page."""
    argv, environment, directory = command
    controller, terminal = pty.openpty()  # the daemon's console, on which nobody types
    began = time.monotonic()
    process = subprocess.Popen(
        argv, env=environment, cwd=directory, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        first_answer.wait(page, START_TIMEOUT_S, lambda: process.poll() is None)
        return time.monotonic() - began
    finally:
        processes.stop(process)
        os.close(terminal)
        os.close(controller)


def probe(lab):
    """Runs the board once for its flash and its command, stops it, then starts its daemon several times."""
    directory = os.path.join(lab.directory, "host-start")
    with boards.running(lab, "host", directory) as board:
        command = boards.daemon_command(board)
        page = first_answer.Page(board.current["admin_url"], board.trust)
    if first_answer.is_answered(page):
        raise RuntimeError("somebody still answers on the port of the daemon that was stopped")
    took_ms = []
    for number in range(3 if lab.quick else 9):
        lab.tell(f"start {number + 1}")
        took_ms.append(1000 * one_start(command, page))
    return {"daemon_start": statistics.median(took_ms), "details": {"starts_ms": took_ms}}
