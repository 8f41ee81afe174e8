"""The cloud's portal under load, on one core: pages, sign-ins, and pages within a flood of sign-ins."""

import json
import os
import statistics
import subprocess
import sys
import time

from host_tools.release.places import ROOT
from tests.bench import cloud_service, cloud_timing, load, processes
from tests.bench.cloud_service import BUSY_EMAIL, CORE, LOAD_CORE, PASSWORD, SESSION, pinned

RATE = 200  # pages per second
RATE_IN_FLOOD = 50
SIGN_INS_AT_ONCE = 8
START_TIMEOUT_S = 30
POST = """wrk.method = "POST"
wrk.body = "%s"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Cookie"] = "%s"
"""


def module(name, *arguments):
    return [sys.executable, "-m", f"tests.bench.{name}", *map(str, arguments)]


def told(core, name, *arguments):
    """What a module of the bench prints, run on one core."""
    argv = pinned(core, module(name, *arguments))
    return json.loads(subprocess.check_output(argv, cwd=ROOT, timeout=120))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Portal:
    """The service, a person who is signed in, and what is asked of both."""

    def __init__(self, lab):
        self.lab = lab
        self.service = cloud_service.Service(lab)
        self.person = cloud_service.Person(self.service)
        self.person.join()
        self.page = self.service.url + "/routers"
        self.script = self._script()

    def _script(self):
        """wrk's script of a sign-in from a trusted browser, where the password is all it takes."""
        person = cloud_service.Person(self.service)
        person.join(BUSY_EMAIL)
        del person.cookies[SESSION]
        body = person.form("/sign-in", email=BUSY_EMAIL, password=PASSWORD)
        path = os.path.join(self.lab.directory, "sign_in.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(POST % (body, person.cookie_header))
        return path

    def steady(self, rate, seconds):
        """Milliseconds of each page."""
        done = told(
            LOAD_CORE,
            "cloud_steady",
            self.page,
            self.service.authority,
            self.person.cookie_header,
            rate,
            seconds,
        )
        if done["failures"]:
            raise load.NoLoadError(f"{done['failures']} pages failed")
        return done["ms"]

    def flood(self, seconds):
        """wrk, signing in as fast as it is let in."""
        argv = ["wrk", "--latency", "-t1", f"-c{SIGN_INS_AT_ONCE}", f"-d{seconds}s", "--timeout", "10s"]
        argv += ["-s", self.script, self.service.url + "/sign-in"]
        return subprocess.Popen(pinned(LOAD_CORE, argv), stdout=subprocess.PIPE, text=True)


def start_bare(lab, service):
    port = processes.free_port()
    files = [os.path.join(service.data, name) for name in ("cloud.pem", "cloud.key")]
    log = lab.log_file("cloud-bare")
    process = lab.start(pinned(CORE, module("cloud_bare", port, *files)), cwd=ROOT, stderr=log, stdout=log)
    processes.wait_for_port(port, START_TIMEOUT_S, process)
    return f"https://127.0.0.1:{port}/routers"


def throughputs(portal, rounds, seconds):
    """(ours, bare): pages per second, medians of rounds in turn."""
    headers = {"Cookie": portal.person.cookie_header}
    urls = (portal.page, start_bare(portal.lab, portal.service))
    taken = [[], []]
    for _ in range(rounds):
        for url, found in zip(urls, taken, strict=True):
            done = load.run(url, headers, seconds)
            if done.failures:
                raise load.NoLoadError(f"{done.failures} requests to {url} failed")
            found.append(done.requests_per_s)
    return tuple(map(statistics.median, taken))


def sign_ins(portal, rounds, seconds):
    """(ours, argon2 alone): each {"per_s", "cpu_ms"}, medians of rounds in turn."""
    ours, alone = [], []
    pid = portal.service.process.pid
    for _ in range(rounds):
        spent = processes.cpu_s(pid)
        done = load.parse(portal.flood(seconds).communicate()[0])
        if done.failures:
            raise load.NoLoadError(f"{done.failures} sign-ins failed")
        cpu_ms = 1000 * (processes.cpu_s(pid) - spent) / done.requests
        ours.append({"per_s": done.requests_per_s, "cpu_ms": cpu_ms})
        alone.append(told(CORE, "cloud_hash", seconds))
    return medians(ours), medians(alone)


def medians(rounds):
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def within_flood(portal, seconds):
    """Milliseconds of each page while a flood of sign-ins runs."""
    flood = portal.flood(seconds + 3)
    try:
        return portal.steady(RATE_IN_FLOOD, seconds)
    finally:
        flood.communicate()


def probe(lab):
    rounds, seconds = (1, 3) if lab.quick else (3, 5)
    lab.tell("starting the cloud")
    portal = Portal(lab)
    lab.tell(f"{RATE} pages per second")
    calm = portal.steady(RATE, 2 * seconds)
    lab.tell("pages, against a bare handler")
    ours, bare = throughputs(portal, rounds, seconds)
    lab.tell("sign-ins, against argon2 alone")
    signed_in, alone = sign_ins(portal, rounds, seconds)
    lab.tell("pages within a flood of sign-ins")
    flooded = within_flood(portal, 2 * seconds)
    lab.tell("what the time of an answer tells")
    times = cloud_timing.measure(portal.service, 30 if lab.quick else 150, time.perf_counter)
    return times | {
        "cloud_page": percentile(calm, 0.99),
        "cloud_pages_per_s": ours,
        "cloud_bare_per_s": bare,
        "cloud_against_bare": 100 * ours / bare,
        "cloud_sign_ins_per_s": signed_in["per_s"],
        "cloud_argon2_per_s": alone["per_s"],
        "cloud_of_argon2": 100 * signed_in["per_s"] / alone["per_s"],
        "cloud_cpu_of_argon2": 100 * alone["cpu_ms"] / signed_in["cpu_ms"],
        "cloud_page_flooded": percentile(flooded, 0.99),
        "details": {
            "sign_in_cpu_ms": signed_in["cpu_ms"],
            "argon2_cpu_ms": alone["cpu_ms"],
            "page_median_ms": statistics.median(calm),
            "flooded_median_ms": statistics.median(flooded),
            "flooded_max_ms": max(flooded),
        },
    }
