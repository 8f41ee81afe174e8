"""Power-on to first HTTPS answer: the emulated board, provisioned before, switched on again."""

import os
import statistics
import time
import urllib.parse

from tests.bench import boards, first_answer, processes

BOARD = "qemu-virt-aarch64"
BOOT_TIMEOUT_S = 60


def find_child(pid, name):
    """The pid of the youngest descendant whose command holds `name`, or None."""
    found = None
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if name in processes.command_line(entry)[0] and descends(int(entry), pid):
                found = max(found or 0, int(entry))
        except (OSError, IndexError):  # it ended meanwhile, or is a kernel's thread
            continue
    return found


def descends(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(processes.stat_fields(pid)[1])
    return False


def wait_for_qemu(board, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        pid = find_child(board.process.pid, "qemu-system")
        if pid:
            return pid
        time.sleep(0.01)
    raise TimeoutError(f"no QEMU was started within {timeout_s} s")


def one_boot(lab, directory, known):
    """Seconds from QEMU's start to the first page. known: current.json of the run before (ports are kept)."""
    log = lab.log_file("power-on")
    board = boards.Board(BOARD, directory, log)
    try:
        qemu = wait_for_qemu(board)
        first_answer.wait_for_plain_http(urllib.parse.urlsplit(known["http_url"]).port, BOOT_TIMEOUT_S)
        page = first_answer.Page(known["admin_url"], boards.trust_in(known))
        first_answer.wait(page, BOOT_TIMEOUT_S)
        answered = time.clock_gettime(time.CLOCK_BOOTTIME)
        return answered - processes.started_at(qemu)
    finally:
        board.stop()


def probe(lab):
    directory = os.path.join(lab.directory, "power-on")
    lab.tell("provisioning a blank router")
    with boards.running(lab, BOARD, directory) as board:
        known = board.current
    took_s = []
    for number in range(1 if lab.quick else 3):
        lab.tell(f"boot {number + 1}")
        took_s.append(one_boot(lab, directory, known))
    return {"power_on": statistics.median(took_s), "details": {"boots_s": took_s}}
