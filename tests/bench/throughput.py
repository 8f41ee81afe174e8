"""Requests per second over TLS keep-alive: the product, stock Microdot and the bare responder, in turn."""

import os
import statistics
from collections import namedtuple

from tests.bench import boards, certificates, load, processes

HERE = os.path.dirname(os.path.abspath(__file__))
START_TIMEOUT_S = 10
WARM_UP_S = 1

# A contender: where it answers, the headers a request needs, the process whose CPU time counts, and a script
# of wrk's or None.
Contender = namedtuple("Contender", "name url headers pid script")

# name, script, arguments after PORT CERTIFICATE KEY BODY
RIVALS = (
    ("bare", "bare_responder.py", ()),
    ("stock_kept_alive", "stock_microdot.py", ("keep-alive",)),
    ("stock_as_it_ships", "stock_microdot.py", ()),
)


def start_rival(lab, name, script, extra, body, headers):
    """Start a rival that answers with the same body as the product, and is sent the same headers."""
    port = processes.free_port()
    files = certificates.self_signed(lab.directory)
    body_file = os.path.join(lab.directory, "body.json")
    with open(body_file, "wb") as file:
        file.write(body)
    argv = [*lab.micropython, os.path.join(HERE, script), str(port), *files, body_file, *extra]
    process = lab.start(argv, env=lab.environment, stderr=lab.log_file(name), stdout=lab.log_file(name))
    processes.wait_for_port(port, START_TIMEOUT_S, process)
    return Contender(name, f"https://127.0.0.1:{port}/", headers, process.pid, None)


# name, path, whether each request is one of its own: what of the product's API is asked, always in a session,
# which is looked up each time. kept: the request is the last one again, and the answer lies in memory. anew:
# the request was never seen before, and its answer is made for it alone. overview: of what the kernel tells
# once a second, and of the state of this moment.
ROUTES = (
    ("kept", "/api/status", False),
    ("anew", "/api/session", True),
    ("overview", "/api/overview", False),
    ("overview_anew", "/api/overview", True),
)


def start_product(board, script):
    """([Contender of each route], the body that the first one answers with), the owner signed in. script: the
    file that makes new queries."""
    owner = boards.owner_of(board)
    headers = {"Cookie": owner.cookie_header}
    contenders = [
        Contender(name, owner.origin + path, headers, board.pid, script if is_new else None)
        for name, path, is_new in ROUTES
    ]
    return contenders, owner.get(ROUTES[0][1])


def one_round(contender, duration_s):
    """(Round, CPU microseconds per request)."""
    before = processes.cpu_s(contender.pid)
    done = load.run(contender.url, contender.headers, duration_s, contender.script)
    used_s = processes.cpu_s(contender.pid) - before
    return done, used_s * 1e6 / max(1, done.requests)


def race(contenders, rounds, duration_s, tell):
    """{name: [(Round, CPU us per request)]}. They take turns, so that a noisy minute hurts all alike."""
    taken = {contender.name: [] for contender in contenders}
    for contender in contenders:
        load.run(contender.url, contender.headers, WARM_UP_S, contender.script)
    for number in range(1, rounds + 1):
        for contender in contenders:
            tell(f"round {number} of {rounds}: {contender.name}")
            taken[contender.name].append(one_round(contender, duration_s))
    return taken


def summary(rounds):
    """Medians over the rounds of one contender."""
    return {
        "requests_per_s": statistics.median(done.requests_per_s for done, _ in rounds),
        "cpu_us": statistics.median(cpu for _, cpu in rounds),
        "median_latency_ms": statistics.median(done.median_latency_ms for done, _ in rounds),
        "failures": sum(done.failures for done, _ in rounds),
        "rounds_requests_per_s": [round(done.requests_per_s, 1) for done, _ in rounds],
    }


def figures(told):
    """The table's figures from {contender: summary}. Ratios are taken here, between rounds of one run."""
    kept, bare = told["kept"], told["bare"]

    def of_bare(name):
        return 100 * told[name]["requests_per_s"] / bare["requests_per_s"]

    stock = max((told["stock_kept_alive"], told["stock_as_it_ships"]), key=lambda one: one["requests_per_s"])
    return {
        "requests_per_s": kept["requests_per_s"],
        "stock_per_s": stock["requests_per_s"],
        "bare_per_s": bare["requests_per_s"],
        "against_stock": kept["requests_per_s"] / stock["requests_per_s"],
        "against_bare": of_bare("kept"),
        "anew_per_s": told["anew"]["requests_per_s"],
        "anew_against_bare": of_bare("anew"),
        "overview_per_s": told["overview"]["requests_per_s"],
        "overview_against_bare": of_bare("overview"),
        "overview_anew_against_bare": of_bare("overview_anew"),
        "cpu_per_request": kept["cpu_us"],
        "cpu_per_request_anew": told["anew"]["cpu_us"],
        "cpu_against_stock": stock["cpu_us"] / kept["cpu_us"],
        "cpu_against_bare": 100 * bare["cpu_us"] / kept["cpu_us"],
        "cpu_anew_against_bare": 100 * bare["cpu_us"] / told["anew"]["cpu_us"],
        "details": told,
    }


def probe(lab):
    """All figures of the race, against the host board's daemon with its owner signed in."""
    board = lab.board("host")
    script = os.path.join(lab.directory, "new_queries.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(load.NEW_QUERIES)
    product, body = start_product(board, script)
    rivals = [start_rival(lab, *row, body, product[0].headers) for row in RIVALS]
    rounds, duration_s = (3, 1) if lab.quick else (5, 2)
    taken = race([*product, *rivals], rounds, duration_s, lab.tell)
    told = {name: summary(rounds) for name, rounds in taken.items()}
    failed = {name: one["failures"] for name, one in told.items() if one["failures"]}
    if failed:
        raise load.NoLoadError(f"requests failed: {failed}")
    return figures(told) | {"rss_loaded": processes.memory_kb(board.pid, "VmRSS") / 1024}
