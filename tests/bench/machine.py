"""The machine that a bench ran on: without it, a number says little."""

import os
import platform
import re
import subprocess

VERSION = "import sys; print('.'.join([str(part) for part in sys.implementation[1][:3]]))"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^(?:model name|Hardware)\s*:\s*(.+)$", file.read(), re.M)
    return found[1] if found else platform.machine()


def memory_mb():
    with open("/proc/meminfo", encoding="utf-8") as file:
        return int(re.search(r"^MemTotal:\s*(\d+)", file.read(), re.M)[1]) // 1024


def system():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r'^PRETTY_NAME="?([^"\n]+)', file.read(), re.M)[1]


def first_line(argv):
    """What a tool says of its version; empty when it is not installed."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def facts(micropython):
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "memory_mb": memory_mb(),
        "system": system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "micropython": first_line([*micropython, "-c", VERSION]),
        "qemu": first_line(["qemu-system-aarch64", "--version"]),
        "wrk": first_line(["wrk", "--version"]).partition(" Copyright")[0],
        "load_average": os.getloadavg(),
    }
