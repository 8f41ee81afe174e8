"""The steps that make a router somebody: identify, make key, sign certificate, write identity."""

import datetime
import time
from base64 import b64decode

from gatelodge.contract import provisioning, service_code

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import certificate_number
from host_tools.factory.engine import Result
from host_tools.factory.events import PASS
from host_tools.factory.records import UnitRecord
from host_tools.factory.runs import RETURNED, REVOKED
from host_tools.factory.unit import lock_proof
from host_tools.factory.unit.means import base64_text
from host_tools.factory.unit.unit import Unit


def identify(unit: Unit) -> Result:
    """Find out what is at the port, and refuse what this bench must not touch."""
    if unit.line.is_locked():
        return _identify_locked(unit)
    unit.learn(unit.line.call("identify", {}))
    _refuse_former(unit)
    facts = unit.facts
    said = f"{unit.serial_number} goes on" if unit.serial_number else "blank"
    return Result(PASS, f"{facts['model']}, firmware {facts['firmware']}, {said}")


def _identify_locked(unit: Unit) -> Result:
    status = lock_proof.status(unit.line)
    fields = {name: status.get(name, "") for name in ("model", "firmware", "serial_number")}
    unit.learn({**fields, "state": provisioning.LOCKED})
    if unit.record is not None:
        return Result(PASS, f"{unit.serial_number} was locked before it was finished, and goes on")
    state = unit.means.records.last_state(unit.serial_number) if unit.serial_number else None
    if state is not None and state.is_finished and state.unit is not None:
        ways = lock_proof.open_ways(lock_proof.prove(unit.line, lock_proof.QUICK))
        if ways:
            wrong = (
                f"{unit.serial_number} is finished in the ledger, and this router lets in: {', '.join(ways)}"
            )
            raise ToolError(wrong, "do not ship it, set it aside", exit_codes.LOCK_NOT_PROVEN)
        day = datetime.datetime.fromtimestamp(state.unit.fields["made_at"], datetime.UTC).date()
        said = f"{unit.serial_number} was finished on {day}: nothing was changed"
        return Result(PASS, said, is_finished=True)
    raise _refused(
        f"the router {unit.serial_number or 'at this port'} is locked already",
        "take a blank one, or reset this one to factory state",
    )


def _refuse_former(unit: Unit) -> None:
    """An open router that the ledger knows as finished was opened since: it is not this one's sister."""
    state = unit.means.records.last_state(unit.serial_number) if unit.serial_number else None
    if state is None:
        return
    if state.is_finished:
        raise _refused(
            f"{unit.serial_number} is finished in the ledger, and this router is open",
            "enter it with 'gatelodge factory rework', and reset it to factory state",
        )
    if state.name in (RETURNED, REVOKED):
        raise _refused(
            f"{unit.serial_number} is {state.name} in the ledger, and the router has its key still",
            "reset it to factory state: it makes a new key",
        )


def make_key(unit: Unit) -> Result:
    unit.public_key = b64decode(unit.line.call("make_key", {})["public_key"])
    now = datetime.datetime.now(datetime.UTC)
    unit.name(unit.serial_number or unit.means.records.name(unit.public_key, now))
    _refuse_former(unit)
    return Result(PASS, f"P-256, made on the router, which is {unit.serial_number}")


def sign(unit: Unit) -> Result:
    reply = unit.line.call("certificate_request", {"serial_number": unit.serial_number})
    request = (b64decode(reply["csr"]), unit.serial_number, unit.public_key)
    authority = unit.means.authority
    with unit.means.signing:
        unit.certificates = {
            "device_certificate": authority.device_certificate(*request),
            "admin_certificate": authority.admin_certificate(*request, unit.means.names),
        }
    return Result(PASS, "device and admin certificates")


def write_identity(unit: Unit) -> Result:
    """Until the answer is here nothing is pending: an older code must not be taken for this identity's."""
    unit.record = None
    unit.means.records.forget(unit.serial_number)
    reply = unit.line.call("write_identity", _request(unit))
    unit.record = UnitRecord(
        unit.serial_number,
        service_code.parse(reply["service_code"]),
        reply["fingerprint"],
        unit.facts["model"],
        made_at=int(time.time()),
        mac=unit.facts["mac"],
        certificate_number=certificate_number(unit.certificates["device_certificate"]),
    )
    unit.report.describe(identity=unit.means.identity_hash)
    unit.means.records.keep_pending(unit.record)
    return Result(PASS, "service code and identity are on the flash")


def _request(unit: Unit) -> dict[str, object]:
    certificates = {name: base64_text(certificate) for name, certificate in unit.certificates.items()}
    fields = unit.means.identity_fields()
    return {"serial_number": unit.serial_number, "time": int(time.time()), **certificates, **fields}


def _refused(wrong: str, remedy: str) -> ToolError:
    return ToolError(wrong, remedy, exit_codes.REFUSED_BY_BOARD)
