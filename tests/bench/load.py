"""Load over TLS keep-alive by wrk: one round, and what it tells."""

import re
import shutil
import subprocess
from collections import namedtuple

# As many as give the bare responder some 40,000 requests per second, the figure that its share is told of.
# With one, everybody waits for wakeups most of the time; with six and more, only the bare one gains.
CONNECTIONS = 4

Round = namedtuple("Round", "requests requests_per_s median_latency_ms failures")

UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class NoLoadError(Exception):
    pass


# Each request asks for another query, which nobody has seen before.
NEW_QUERIES = """
local path, count = nil, 0
function request()
  path, count = path or wrk.path, count + 1
  return wrk.format("GET", path .. "?n=" .. count)
end
"""


def run(url, headers, duration_s, script=None):
    """One round against `url`. script: a file of wrk's Lua that makes the requests. NoLoadError when wrk is
    missing or got no answer."""
    if not shutil.which("wrk"):
        raise NoLoadError("wrk is missing: install Debian's package wrk")
    argv = ["wrk", "--latency", "-t1", f"-c{CONNECTIONS}", f"-d{duration_s}s", "--timeout", "5s"]
    argv += ["-s", script] if script else []
    for name, value in headers.items():
        argv += ["-H", f"{name}: {value}"]
    done = subprocess.run([*argv, url], capture_output=True, text=True, timeout=duration_s + 30, check=False)
    return parse(done.stdout + done.stderr)


def parse(text):
    """wrk's report as a Round."""
    requests = re.search(r"^\s*(\d+) requests in ", text, re.M)
    rate = re.search(r"^Requests/sec:\s*([\d.]+)", text, re.M)
    median = re.search(r"^\s*50%\s+([\d.]+)(us|ms|s)$", text, re.M)
    if not (requests and rate and median):
        raise NoLoadError(f"wrk told nothing: {text.strip()[:200]}")
    latency_ms = float(median[1]) * UNITS_MS[median[2]]
    return Round(int(requests[1]), float(rate[1]), latency_ms, failures(text))


def failures(text):
    """Requests that were refused or broke: wrk counts them beside the others."""
    refused = re.search(r"Non-2xx or 3xx responses:\s*(\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)
