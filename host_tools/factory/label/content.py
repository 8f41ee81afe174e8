"""What a label says, apart from where it stands."""

from typing import NamedTuple

from gatelodge.contract import provisioning, service_code

from host_tools.factory.label.template import Template
from host_tools.factory.records import UnitRecord

GROUP = 4  # hex digits of a fingerprint that are read as one


class Label(NamedTuple):
    """One router's. `code` and `qr_text` are secret: for paper, and for nobody's log."""

    model: str
    serial_number: str
    code: str  # in groups
    qr_text: str
    mac: str = ""
    address: str = ""
    fingerprint: str = ""  # in groups
    is_sample: bool = False


def of_unit(unit: UnitRecord, template: Template) -> Label:
    """Return the unit's label with what the board's template wants on it."""
    label = Label(unit.model, unit.serial_number, unit.grouped_code, unit.label_text)
    if "mac" in template.fields:
        label = label._replace(mac=unit.mac.upper())
    if "address" in template.fields:
        label = label._replace(address=template.address)
    if "fingerprint" in template.fields:
        label = label._replace(fingerprint=grouped(unit.certificate_fingerprint))
    return label


def sample(model: str, template: Template) -> Label:
    """A label to look at: a code that no router has, and the word that says so."""
    code = service_code.generate(bytes(range(service_code.RANDOM_BYTES)))
    number = provisioning.serial_number(26, 1, 1)
    unit = UnitRecord(number, code, bytes(range(7, 256, 8)).hex(), model, 0, "02:00:00:6a:7e:01")
    return of_unit(unit, template)._replace(is_sample=True)


def grouped(digits: str) -> str:
    return " ".join(digits[start : start + GROUP] for start in range(0, len(digits), GROUP))
