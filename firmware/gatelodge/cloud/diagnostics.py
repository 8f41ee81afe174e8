"""The report that the owner sends to support by a tick in the account. Loaded when it is asked for.

    await send(sources, args, report)     args of the `diagnostics` command; report(message) sends one

What may be in it: contract/diagnostics.py. A part that cannot be read is left out, and the log says so.
"""

import asyncio
import gc

from gatelodge import compat, log, store_keys
from gatelodge.compat import json
from gatelodge.contract import diagnostics
from gatelodge.contract.errors import MessageError
from gatelodge.core import discretion

# What is loaded for a report alone, and may be unloaded after it.
MODULES = ("gatelodge.cloud.diagnostics", "gatelodge.contract.diagnostics", "gatelodge.core.discretion")
MESSAGE_BYTES = 6 * 1024  # of lines in one message: with what is around it, under half of SIZE_LIMIT
LINES_AT_ONCE = 4  # between looks at everything else: on a slow router a line takes a few ms

# Where the store keeps what is no secret; the texts of every other key are in no line that is sent.
PUBLIC_KEYS = ("clock.", "console.", "router.name", "throttle", "history.", "cloud.")
SECRETS_OF_IDENTITY = ("service_code",)  # the rest of it is public: certificates, names, addresses


class Sources:
    """What is asked: the daemon's board, boot, router, clock, store and cloud client."""

    def __init__(self, board, boot, router, clock, store, client):
        self.board = board
        self.boot = boot
        self.router = router
        self.clock = clock
        self.store = store
        self.client = client


async def send(sources, args, report):
    """Send each section. The result's value: how many messages. Raises MessageError, LineError."""
    owner = sources.client.owner
    if owner is None or owner["account_id"] != args["account_id"]:
        raise MessageError("this router belongs to another account")
    sent = 0
    for section, gather in _SECTIONS:
        for value in await _read(section, gather, sources):
            value = diagnostics.check(section, value)
            await report({"report_id": args["report_id"], "number": sent, "section": section, "value": value})
            sent += 1
    return {"messages": sent}


async def _read(section, gather, sources):
    """The section's values, each of one message."""
    if section == diagnostics.LOG:
        return await _log(sources)
    try:
        return [gather(sources)]
    except OSError as error:
        log.warning("link", "the report is sent without its part %s: %s", section, error)
        return []


def _router(sources):
    facts = sources.router.facts()
    return {
        "model": sources.board["model"],
        "board": sources.board["name"],
        "firmware": sources.boot.version,
        "slot": sources.boot.slot,
        "interpreter": " ".join(compat.INTERPRETER),
        "kernel": facts["kernel"][:64],
        "uptime_s": facts["uptime_s"],
    }


def _clock(sources):
    clock = sources.clock
    told = {"now": clock.now(), "state": clock.state, "source": clock.source}
    told["doubtful"] = clock.is_doubtful
    return told


def _machine(sources):
    facts = sources.router.facts()
    load, memory, storage = facts["load"], facts["memory"], facts["storage"] or {}
    told = {"load_1": load[0], "load_5": load[1], "load_15": load[2]}
    told["memory_total_kb"] = memory["total_kb"]
    told["memory_available_kb"] = memory["available_kb"]
    told["storage_total_kb"] = storage.get("total_kb")
    told["storage_free_kb"] = storage.get("free_kb")
    if compat.MICROPYTHON:
        told["heap_used_kb"] = gc.mem_alloc() // 1024
        told["heap_total_kb"] = compat.heap_bytes() // 1024
    return told


def _internet(sources):
    told, line = dict(sources.router.internet()), sources.router.line()
    told.update({"speed_mbit": line["speed_mbit"], "addresses": line["addresses"]})
    told.update({"gateways": line["gateways"], "name_servers": line["name_servers"]})
    return told


def _home(sources):
    neighbours = sources.router.neighbours()
    reachable = [each for each in neighbours if each["state"] == "reachable"]
    told = {"interfaces": sources.router.interfaces(), "neighbours": len(neighbours)}
    told["reachable"] = len(reachable)
    return told


def _cloud(sources):
    state = dict(sources.client.state)
    if state["last_error"] is not None:
        told = discretion.line(state["last_error"], _public(sources), _secrets(sources.store))
        state["last_error"] = told[:200]
    return state


def _settings(sources):
    store = sources.store
    recovery = store.get(store_keys.RECOVERY) or {}
    keys = store.keys()
    tokens = [key for key in keys if key.startswith(store_keys.API_TOKEN % "")]
    return {
        "password": store.has(store_keys.OWNER),
        "authenticators": len(store.get(store_keys.AUTHENTICATORS, [])),
        "recovery_codes": len(recovery.get("hashes", [])),
        "trusted_browsers": len(store.get(store_keys.TRUSTED, [])),
        "api_tokens": len(tokens),
        "sign_ins": min(store.get(store_keys.HISTORY_COUNT, 0), 10_000),
    }


async def _log(sources):
    """The newest lines, the oldest first, in values that fit into a message each."""
    public, secrets = _public(sources), _secrets(sources.store)
    kept, left = [], diagnostics.LOG_BYTES
    for count, line in enumerate(reversed(log.lines())):
        if count % LINES_AT_ONCE == 0:
            await asyncio.sleep(0)
        told = discretion.line(line[: diagnostics.LINE_LIMIT], public, secrets)
        left -= len(json.dumps(told).encode()) + 1
        if left < 0:
            break
        kept.append(told)
    kept.reverse()
    return _in_messages(kept)


def _in_messages(lines):
    values, room = [{"lines": []}], MESSAGE_BYTES
    for line in lines:
        room -= len(json.dumps(line).encode()) + 1
        if room < 0 or len(values[-1]["lines"]) == diagnostics.LINES_LIMIT:
            values.append({"lines": []})
            room = MESSAGE_BYTES
        values[-1]["lines"].append(line)
    return values


def _public(sources):
    """Words of the log that say what this router is; they are in the report's first part too."""
    identity = sources.store.get(store_keys.IDENTITY) or {}
    cloud = identity.get("cloud") or {}
    words = [identity.get("serial_number"), sources.boot.version, sources.board["name"]]
    return words + [cloud.get("host"), cloud.get("server_name"), "Gatelodge", "MicroPython"]


def _secrets(store):
    found, keys = [], store.keys()
    for key in keys:
        if key == store_keys.IDENTITY:
            identity = store.get(key)
            found += discretion.secrets_in([identity.get(name) for name in SECRETS_OF_IDENTITY])
        elif not any(key.startswith(start) for start in PUBLIC_KEYS):
            found += discretion.secrets_in(store.get(key))
    return found


_SECTIONS = (
    ("router", _router),
    ("clock", _clock),
    ("machine", _machine),
    ("internet", _internet),
    ("home", _home),
    ("cloud", _cloud),
    ("settings", _settings),
    (diagnostics.LOG, None),
)
