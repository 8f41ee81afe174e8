"""What the kernel tells about a process: CPU time, memory, wakeups, age. And one that is surely stopped."""

import contextlib
import os
import socket
import subprocess
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STOP_TIMEOUT_S = 10


def stat_fields(pid):
    """The fields of /proc/PID/stat after the command's name; the state is [0] (field 3 in proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()


def cpu_s(pid):
    """User and system time used so far, in seconds (fields 14 and 15 of proc(5))."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def started_at(pid):
    """When the process began, in seconds on CLOCK_BOOTTIME (field 22)."""
    return int(stat_fields(pid)[19]) / TICKS_PER_S


def status(pid):
    """/proc/PID/status as {"VmRSS": "5120 kB", ...}."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def memory_kb(pid, field):
    return int(status(pid)[field].split()[0])


def wakeups(pid):
    """How often the process went to sleep of its own accord: each is one wakeup later."""
    return int(status(pid)["voluntary_ctxt_switches"])


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return [os.fsdecode(part) for part in file.read().split(b"\0")[:-1]]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for_port(port, timeout_s, process=None):
    """Return when the port takes a connection. TimeoutError when it does not, or its process is gone."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise TimeoutError(f"{process.args[0]} ended with {process.returncode} before it listened")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listened on port {port} within {timeout_s} s")


def stop(process, signal_number=None):
    """End a process that we started, and wait for it."""
    if process.poll() is None:
        process.send_signal(signal_number) if signal_number else process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def started(argv, **options):
    """A process for the time of a `with` block."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        stop(process)
