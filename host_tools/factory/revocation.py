"""Routers whose certificate is not good any more: an entry of the ledger each, and the CRL made of them.

    revoke(authority, records, "GL2647000001", "lost in the mail")
    rework(authority, records, "GL2647000002", "flash chip replaced")

A router that comes back is reset to factory state and makes a new key; with it it becomes another unit. The
entry "rework" says why, and its old certificate is revoked. `factory-ca.crl` is made anew from the whole
ledger each time.
"""

import datetime
from pathlib import Path

from cryptography import x509

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority, Revoked
from host_tools.factory.certificates import BACKDATED
from host_tools.factory.chain import Entry
from host_tools.factory.files import locked, write_durably
from host_tools.factory.records import Records

CRL_FILE = "factory-ca.crl"
KINDS = ("revoked", "rework")


def revoke(authority: FactoryAuthority, records: Records, serial_number: str, reason: str) -> Entry:
    """Enter that the router's certificate is revoked, and write the CRL. Raises ToolError."""
    return _enter(authority, records, "revoked", serial_number, reason)


def rework(authority: FactoryAuthority, records: Records, serial_number: str, reason: str) -> Entry:
    """Enter that the router is back on the bench, which revokes its certificate."""
    return _enter(authority, records, "rework", serial_number, reason)


def write_list(authority: FactoryAuthority, records: Records) -> int:
    """Write the CRL and return how many certificates are on it."""
    with locked(authority.directory):
        entries = [entry for kind in KINDS for entry in records.ledger.entries(kind=kind)]
        revoked = {entry.fields["certificate_number"]: entry for entry in reversed(entries)}
        number = max((entry.sequence for entry in entries), default=0)
        rows = [Revoked(int(found, 16), _date(entry.fields["at"])) for found, entry in revoked.items()]
        path = authority.directory / CRL_FILE
        write_durably(path, authority.revocation_list(rows, number, _time_after(path)), 0o644)
    return len(rows)


def _enter(
    authority: FactoryAuthority, records: Records, kind: str, serial_number: str, reason: str
) -> Entry:
    unit = records.finished(serial_number)
    if unit is None:
        raise ToolError(f"no router {serial_number} is in the ledger", "check the label", exit_codes.LEDGER)
    number = unit.fields.get("certificate_number")
    if not number:
        wrong = f"{serial_number} was made before certificate numbers were kept"
        raise ToolError(wrong, "release it in the cloud instead", exit_codes.LEDGER)
    fingerprint = unit.fields["certificate_fingerprint"]
    with records.ledger.appending() as transaction:
        found = transaction.entries(kind=kind, serial_number=serial_number)
        same = [entry for entry in found if entry.fields["certificate_number"] == number]
        fields = {"certificate_number": number, "certificate_fingerprint": fingerprint, "reason": reason}
        entry = same[-1] if same else transaction.append(kind, serial_number=serial_number, **fields)
    write_list(authority, records)
    return entry


def _time_after(path: Path) -> datetime.datetime:
    """A time for the next list: backdated as certificates are, and a second after the one before.

    Of two lists of one second (RFC 5280 section 5.1.2.4 knows no fractions), who has both may take the older.
    """
    wanted = datetime.datetime.now(datetime.UTC) - BACKDATED
    try:
        before = x509.load_pem_x509_crl(path.read_bytes()).last_update_utc
    except (OSError, ValueError):
        return wanted  # there is none, or none that anybody takes
    return max(wanted, before + datetime.timedelta(seconds=1))


def _date(unix_s: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(unix_s, datetime.UTC)
