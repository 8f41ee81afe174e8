"""Provision one router at the serial bench: eight steps, each one row of STEPS.

    unit = provision(port, authority, names=board["web"]["names"], cloud=Cloud(...), progress=print)

A step that fails is a ToolError, and the router stays unlocked and unrecorded: run the bench
again, it starts over and finds the key and the service code that are already there. A bench that lost its
power after the lock finishes the record from `pending/`. When the label is printed, call
`Records(authority).forget(serial number)`. Progress is told before and after each step.
"""

import datetime
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gatelodge.contract import service_code

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority, certificate_number
from host_tools.factory.records import Records, UnitRecord
from host_tools.serial_port import BenchLine

LOCK_TIMEOUT_S = 60.0  # the restart after the lock: a second on real boards, ten on a busy emulator

# progress(step name, detail): an empty detail when the step begins, what it found when it is done.
Progress = Callable[[str, str], None]


class Cloud(NamedTuple):
    """Where a router phones home, and what it trusts there."""

    ca_der: bytes
    host: str
    port: int
    server_name: str
    ntp: Sequence[tuple[str, int]]


class Bench:
    """One router's way through the steps."""

    def __init__(
        self,
        line: BenchLine,
        authority: FactoryAuthority,
        names: Sequence[str],
        cloud: Cloud,
        records: Records,
    ):
        self.line = line
        self.authority = authority
        self.names = names
        self.cloud = cloud
        self.records = records
        self.serial_number = ""
        self.model = ""
        self.public_key = b""
        self.certificates: dict[str, bytes] = {}
        self.unit: UnitRecord | None = None

    def identify(self) -> str:
        found = self.line.call("identify", {})
        self.model = found["model"]
        # A router that an interrupted bench has named keeps its name, and with it its service code.
        self.serial_number = found["serial_number"]
        return f"{self.model}, firmware {found['firmware']}"

    def make_key(self) -> str:
        self.public_key = b64decode(self.line.call("make_key", {})["public_key"])
        self.serial_number = self.serial_number or self.records.name(self.public_key, _now())
        return f"P-256, made on the router, which is {self.serial_number}"

    def sign(self) -> str:
        reply = self.line.call("certificate_request", {"serial_number": self.serial_number})
        request = (b64decode(reply["csr"]), self.serial_number, self.public_key)
        self.certificates = {
            "device_certificate": self.authority.device_certificate(*request),
            "admin_certificate": self.authority.admin_certificate(*request, self.names),
        }
        return "device and admin certificates"

    def write_identity(self) -> str:
        cloud = self.cloud
        reply = self.line.call(
            "write_identity",
            {
                "serial_number": self.serial_number,
                **{name: _base64(certificate) for name, certificate in self.certificates.items()},
                "factory_ca": _base64(self.authority.ca_der),
                "cloud_ca": _base64(cloud.ca_der),
                "cloud": {"host": cloud.host, "port": cloud.port, "server_name": cloud.server_name},
                "ntp": [list(server) for server in cloud.ntp],
                "time": int(time.time()),
            },
        )
        code = service_code.parse(reply["service_code"])
        self.unit = UnitRecord(
            self.serial_number,
            code,
            reply["fingerprint"],
            self.model,
            made_at=int(time.time()),
            certificate_number=certificate_number(self.certificates["device_certificate"]),
        )
        return "service code and identity are on the flash"

    def self_test(self) -> str:
        reply = self.line.call("self_test", {})
        failed = [_describe(check) for check in reply["checks"] if not check["ok"]]
        if failed or not reply["passed"]:
            raise ToolError(
                f"the router failed its self-test ({'; '.join(failed)})",
                "set it aside for repair, it is not locked",
                exit_codes.PROVISIONING,
            )
        return f"{len(reply['checks'])} checks passed"

    def lock(self) -> str:
        self.records.keep_pending(self.the_unit)
        self.line.call("lock", {})
        return "the router restarts"

    def prove_lock(self) -> str:
        if not self.line.is_locked(LOCK_TIMEOUT_S):
            raise _not_locked("still gives a raw REPL")
        if not self.line.refuses_code():
            raise _not_locked("still takes code")
        said = self.line.locked_status().get("serial_number")
        if said != self.the_unit.serial_number:
            raise _not_locked(f"says it is {said}, not {self.the_unit.serial_number}")
        return "raw REPL, paste mode and statements are refused"

    def record(self) -> str:
        self.records.finish(self.the_unit)
        return str(self.records.ledger.path)

    def resume_locked(self) -> str:
        """Take up a router that was locked and not recorded."""
        serial_number = self.line.locked_status().get("serial_number", "")
        self.unit = self.records.pending(serial_number) if serial_number else None
        if self.unit is None:
            raise ToolError(
                f"the router {serial_number or 'at this port'} is locked already",
                "take a blank one, or reset this one to factory state",
                exit_codes.REFUSED_BY_BOARD,
            )
        return f"{serial_number} was locked before it was recorded"

    @property
    def the_unit(self) -> UnitRecord:
        if self.unit is None:
            raise RuntimeError("write_identity comes first")
        return self.unit


class Step(NamedTuple):
    name: str
    run: Callable[[Bench], str]


STEPS = (
    Step("identify", Bench.identify),
    Step("make key", Bench.make_key),
    Step("sign", Bench.sign),
    Step("write identity", Bench.write_identity),
    Step("self-test", Bench.self_test),
    Step("lock", Bench.lock),
    Step("prove lock", Bench.prove_lock),
    Step("record", Bench.record),
)

# For a router that an interrupted bench has locked.
RESUMED_STEPS = (
    Step("resume", Bench.resume_locked),
    Step("prove lock", Bench.prove_lock),
    Step("record", Bench.record),
)


def provision(
    port: str,
    authority: FactoryAuthority,
    *,
    names: Sequence[str],
    cloud: Cloud,
    records: Records | None = None,
    progress: Progress = lambda name, detail: None,
) -> UnitRecord:
    """Take the router at the port from blank to locked and recorded. Raises ToolError."""
    with BenchLine(port) as line:
        bench = Bench(line, authority, names, cloud, records or Records(authority))
        for step in RESUMED_STEPS if line.is_locked() else STEPS:
            progress(step.name, "")
            progress(step.name, step.run(bench))
    return bench.the_unit


def _describe(check: dict) -> str:
    return f"{check['name']} is {check['value']:g} {check['unit']}, {check['limit']} is right".replace(
        "  ", " "
    )


def _not_locked(reason: str) -> ToolError:
    return ToolError(
        f"the router {reason} after the lock", "do not ship it, set it aside", exit_codes.LOCK_NOT_PROVEN
    )


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
