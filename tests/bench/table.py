"""What is measured: one row per figure. The probes fill them in; the report and bench.json read them."""

from collections import namedtuple

from tests.bench import (
    bundle,
    cloud,
    factory_line,
    flashing,
    flood,
    household,
    idle,
    power_on,
    signin,
    signin_page,
    start,
    throughput,
    two_codes,
)

LOWER, HIGHER = "lower", "higher"

# probe     the module that measures it; figures of one probe are measured in one go
# name      its key in bench.json, and what `--only` takes
# title     what a person reads; indented where it explains the row above
# unit      after the number
# better    LOWER or HIGHER
# target    what it is held to; None where a figure only explains another
# how       how it is measured
Figure = namedtuple("Figure", "probe name title unit better target how")

FIGURES = (
    Figure(power_on, "power_on", "Power-on to first HTTPS answer", "s", LOWER, 4,
           "QEMU's start to a page; provisioned flash, emulated Cortex-A53"),
    Figure(start, "daemon_start", "Daemon start to first HTTPS answer", "ms", LOWER, 300,
           "the process's start to a page, median of restarts; host board"),
    Figure(idle, "rss", "Memory (RSS), link up", "MB", LOWER, 6,
           "VmRSS at rest, after a sign-in; host board"),
    Figure(idle, "wakeups", "Wakeups per second, idle, link up", "/s", LOWER, 1,
           "voluntary context switches with no page open, a heartbeat every 30 s; host board"),
    Figure(idle, "wakeups_live", "  with one live page", "/s", LOWER, 5,
           "the same, the overview's stream being read"),
    Figure(bundle, "bundle", "Firmware bundle", "KB", LOWER, None,
           "the file that is carried to a router"),
    Figure(bundle, "slot", "  its files in a slot", "KB", LOWER, None,
           "the files of the bundle together"),
    Figure(throughput, "requests_per_s", "API requests over TLS keep-alive", "/s", HIGHER, None,
           "/api/status in a session, whose answers are kept; 4 connections, median of rounds; host board"),
    Figure(throughput, "stock_per_s", "  stock Microdot, same load", "/s", HIGHER, None,
           "Microdot on asyncio's TLS, the better of closing and kept alive"),
    Figure(throughput, "bare_per_s", "  the bare responder, same load", "/s", HIGHER, None,
           "descriptor-polled, no parsing, one prepared answer"),
    Figure(throughput, "against_stock", "  against stock Microdot", "x", HIGHER, 30,
           "ours over stock's, medians of the same rounds"),
    Figure(throughput, "against_bare", "  against the bare responder", "%", HIGHER, 35,
           "ours over the bare responder's, medians of the same rounds"),
    Figure(throughput, "anew_per_s", "  read and built anew", "/s", HIGHER, None,
           "/api/session with a query of its own each time: a new head, and JSON made for this one answer"),
    Figure(throughput, "anew_against_bare", "  built anew, against the bare responder", "%", HIGHER, 35,
           "the same over the bare responder's, which reads nothing and has one answer; same rounds"),
    Figure(throughput, "overview_per_s", "  the whole overview instead", "/s", HIGHER, None,
           "/api/overview: the kernel's files are read once a second, cloud and clock each time"),
    Figure(throughput, "overview_against_bare", "  the same, against the bare responder", "%", HIGHER, None,
           "the same over the bare responder's, whose answer is a tenth of that"),
    Figure(throughput, "overview_anew_against_bare", "  the same, read anew", "%", HIGHER, None,
           "with a query of its own each time, so that its head is one that nobody has seen before"),
    Figure(throughput, "rss_loaded", "Memory (RSS), after those requests", "MB", LOWER, None,
           "VmRSS of the same daemon: its heap has been filled and collected many times"),
    Figure(throughput, "cpu_per_request", "CPU time per API request", "us", LOWER, None,
           "the daemon's own, from /proc: steadier than requests per second"),
    Figure(throughput, "cpu_per_request_anew", "  read and built anew", "us", LOWER, None,
           "the same, of /api/session with a query of its own each time"),
    Figure(throughput, "cpu_against_stock", "  against stock Microdot", "x", HIGHER, None,
           "stock's CPU time per request over ours"),
    Figure(throughput, "cpu_against_bare", "  against the bare responder", "%", HIGHER, None,
           "its CPU time per request over ours"),
    Figure(throughput, "cpu_anew_against_bare", "  built anew, against the bare responder", "%", HIGHER, None,
           "the same of what is read and built anew"),
    Figure(household, "rss_used", "Memory (RSS), 20 sessions and a live page", "MB", LOWER, 6,
           "VmRSS with the link up, after 280 pages: the garbage has been at its bound; host board"),
    Figure(flood, "flooded_page", "Owner's page under a stranger's flood", "s", LOWER, 2,
           "the slowest of 40 on new connections, while others are opened as fast as taken; host board"),
    Figure(flood, "flooded_page_raw", "  of connections that say nothing", "s", LOWER, 2,
           "the same while connections are opened as fast as the kernel takes them, by this same computer"),
    Figure(signin, "sign_in", "Sign-in: password, code, session", "ms", LOWER, None,
           "two requests as a browser sends them, median; host board"),
    Figure(signin, "password_hash", "  of which hashing the password", "ms", LOWER, None,
           "the same cost in a MicroPython that does nothing else"),
    Figure(signin_page, "signin_page", "Sign-in page to interactive", "s", LOWER, 1,
           "Chromium with an empty cache, to the end of DOMContentLoaded; emulated Cortex-A53"),
    Figure(two_codes, "two_codes_hint", "Clock lost: two codes, browser's time right", "s", LOWER, 1,
           "the search at the raw REPL of the emulated Cortex-A53; 400 days after the last code"),
    Figure(two_codes, "two_codes_month", "  no hint, off for 30 days", "s", LOWER, 5,
           "the same, without the browser's time"),
    Figure(two_codes, "two_codes_year", "  no hint, off for a year", "s", LOWER, 30,
           "the same"),
    Figure(two_codes, "two_codes_year_host", "  no hint, off for a year, host", "s", LOWER, None,
           "the same in a MicroPython on this computer"),
    Figure(two_codes, "two_codes_slice", "  one slice, which holds the daemon", "ms", LOWER, 50,
           "of the year on the board: 99 of 100 are no longer; everything else runs between two"),
    Figure(flashing, "flash_wire", "Flashing 256 KB: wire bytes per byte", "x", LOWER, 1.02,
           "both directions, handshake and stub included; a part of the bundle, host board at 115200 baud"),
    Figure(flashing, "flash_wire_mpremote", "  mpremote fs cp -r, the same files", "x", LOWER, None,
           "the same line, in the same run"),
    Figure(flashing, "flash_wire_base64", "  raw-paste with base 64, the same file", "x", LOWER, None,
           "the same line, in the same run"),
    Figure(flashing, "flash_line", "  of the line, while it streams", "%", HIGHER, 98,
           "what deflate cannot shrink, at 115200 baud; the difference of two sizes"),
    Figure(flashing, "flash_s", "Flashing 256 KB at 115200 baud", "s", LOWER, None,
           "from opening the port to the board's proof"),
    Figure(flashing, "flash_s_mpremote", "  mpremote fs cp -r, the same files", "s", LOWER, None,
           "the command's start to its end; it checks nothing"),
    Figure(flashing, "flash_s_base64", "  raw-paste with base 64, the same file", "s", LOWER, None,
           "from opening the port to the last statement; it checks nothing"),
    Figure(factory_line, "provision_one", "Provisioning one router, less its bundle's bytes", "s", LOWER, 12,
           "flash to label on a line held to 115200 baud, less what the transfer's bytes take; host board"),
    Figure(factory_line, "provision_transfer", "  the bytes of the transfer", "s", LOWER, None,
           "the wire bytes that the transfer counted, at ten bits each"),
    Figure(factory_line, "provision_bare", "  without a bundle", "s", LOWER, None,
           "the same from identity to label: key, self-test, lock, its proof over a restart"),
    Figure(factory_line, "provision_16", "Sixteen routers at once against one", "x", LOWER, 1.5,
           "until the last is GO, each on a line of its own held to 115200 baud; host boards"),
    Figure(factory_line, "provision_16_bare", "  without a bundle", "x", LOWER, None,
           "the same without the transfer, which leaves this computer idle"),
    Figure(cloud, "cloud_page", "Cloud: a page at 200 per second, p99", "ms", LOWER, 25,
           "/routers of a signed-in account over TLS, from when each was due; the service has one core"),
    Figure(cloud, "cloud_pages_per_s", "  pages over TLS keep-alive", "/s", HIGHER, None,
           "the same page by wrk, 4 connections, median of rounds"),
    Figure(cloud, "cloud_bare_per_s", "  a bare aiohttp handler, same load", "/s", HIGHER, None,
           "uvloop, TLS and the same Jinja2 template; no session, no database"),
    Figure(cloud, "cloud_against_bare", "  against the bare handler", "%", HIGHER, 40,
           "ours over the bare one's, medians of the same rounds"),
    Figure(cloud, "cloud_sign_ins_per_s", "Cloud: sign-ins", "/s", HIGHER, None,
           "the right password from a trusted browser by wrk, 8 connections, median of rounds"),
    Figure(cloud, "cloud_argon2_per_s", "  argon2 alone, on the same core", "/s", HIGHER, None,
           "19 MiB, 2 passes, as many threads as the service has, nothing beside it"),
    Figure(cloud, "cloud_of_argon2", "  of argon2 alone", "%", HIGHER, 85,
           "sign-ins over what the hash alone allows, medians of the same rounds"),
    Figure(cloud, "cloud_cpu_of_argon2", "  the same by the processor's time", "%", HIGHER, None,
           "the hash's own over a sign-in's: steadier than sign-ins per second"),
    Figure(cloud, "cloud_page_flooded", "Cloud: a page within a flood of sign-ins, p99", "ms", LOWER, 50,
           "/routers at 50 per second, from when each was due, while 8 connections sign in without pause"),
    Figure(cloud, "cloud_told_sign_in", "Cloud: known e-mail told by time, sign-in", "%", LOWER, 60,
           "how often one answer's time tells it from an unknown e-mail; 50 is a coin; 150 of each"),
    Figure(cloud, "cloud_told_forgotten", "  by a forgotten password", "%", LOWER, 60, "the same"),
    Figure(cloud, "cloud_told_sign_up", "  by a sign-up", "%", LOWER, 60, "the same"),
)  # fmt: skip


def chosen(names):
    """The rows that `--only` asks for, all when it does not. KeyError names the one that is unknown."""
    if not names:
        return FIGURES
    known = {figure.name for figure in FIGURES} | {probe_name(figure.probe) for figure in FIGURES}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return tuple(one for one in FIGURES if one.name in names or probe_name(one.probe) in names)


def probe_name(probe):
    return probe.__name__.rpartition(".")[2]


def met(figure, value):
    """Whether the target is met; None where there is none."""
    if figure.target is None or value is None:
        return None
    return value <= figure.target if figure.better == LOWER else value >= figure.target


def of_target(figure, value):
    """The value as a share of its target."""
    return value / figure.target if figure.target and value is not None else None
