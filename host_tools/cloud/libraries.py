"""Which libraries are installed for the cloud, with all that they bring along (OWASP ASVS 5, 15.1.2).

What is read is the metadata of the installed packages (PEP 566), so it is what runs, not what was asked for.
Written as CycloneDX 1.6 JSON, which scanners of known faults take.
"""

from __future__ import annotations

import re
from importlib import metadata
from typing import Any

OURS = "gatelodge"
EXTRAS = frozenset(("postgresql", "pkcs11"))  # where an operator has them
NAMED = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?")  # PEP 508
OF_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def installed(root: str = OURS, extras: frozenset[str] = EXTRAS) -> dict[str, metadata.Distribution]:
    """By canonical name (PEP 503), without the root.

    What is asked for and not installed is for another system, or another Python.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting, seen = [(root, extras)], set()
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        try:
            package = metadata.distribution(asked[0])
        except metadata.PackageNotFoundError:
            continue
        found[asked[0]] = package
        waiting += _needs(package, asked[1])
    found.pop(root, None)
    return dict(sorted(found.items()))


def bill() -> dict[str, Any]:
    """CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/"""
    components = [_component(name, package) for name, package in installed().items()]
    us = {"type": "application", "name": OURS, "version": metadata.version(OURS)}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": us},
        "components": components,
    }


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _component(name: str, package: metadata.Distribution) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{package.version}"
    return {"type": "library", "bom-ref": address, "name": name, "version": package.version, "purl": address}


def _needs(package: metadata.Distribution, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    needs = []
    for line in package.requires or ():
        match = NAMED.match(line)
        if match is None:
            continue
        name, its_extras, marker = match.groups()
        of_extra = OF_EXTRA.findall(marker or "")
        if not of_extra or extras.intersection(of_extra):
            wanted = frozenset(each.strip() for each in (its_extras or "").split(",") if each.strip())
            needs.append((canonical(name), wanted))
    return needs
