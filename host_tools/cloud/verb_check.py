"""Look at the options that `cloud serve` would be given, and refuse what is unsafe in production.

Takes the options of `cloud serve`, starts nothing and changes nothing. One sentence for each fault. Keys that
are plain files get an advice, and no refusal: whether this computer has systemd is the operator's to know. So
does each credential that does not change by itself, and each application that is an exception to what is
asked of them (`cloud clients`), and a service of stolen passwords that does not answer just now.
With --libraries it only writes which libraries are installed, as CycloneDX JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from host_tools import exit_codes
from host_tools.cloud import libraries, settings, verb_serve
from host_tools.cloud.accounts.totp import ALGORITHMS, SHA1
from host_tools.cloud.accounts.totp_rule import classic_left
from host_tools.cloud.breached.away import AwayError
from host_tools.cloud.breached.collection import driver_of
from host_tools.cloud.oidc.exceptions import exceptions
from host_tools.cloud.store.looked_at import Unread
from host_tools.cloud.unchanging import unchanging
from host_tools.cloud.unsafe import faults, plain_secrets

OF_NOTHING = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"  # the SHA-1 of an empty text: nobody's password


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verb_serve.add_arguments(parser)
    text = "write which libraries are installed, as CycloneDX JSON, and look at nothing else"
    parser.add_argument("--libraries", action="store_true", help=text)


def run(args: argparse.Namespace) -> int:
    if args.libraries:
        print(json.dumps(libraries.bill(), indent=1))
        return exit_codes.OK
    told = settings.from_arguments(args)
    advice, refused = _applications(told)
    advice = [*plain_secrets(told), *unchanging(told), *_authenticators(told), *advice]
    for sentence in [*advice, *_stolen_passwords(told)]:
        print(f"advice: {sentence}", file=sys.stderr)
    found = faults(told) + refused
    for sentence in found:
        print(f"unsafe: {sentence}", file=sys.stderr)
    print("safe" if not found else f"{len(found)} unsafe settings")
    return exit_codes.FAILED if found else exit_codes.OK


def _stolen_passwords(asked: settings.Settings) -> list[str]:
    """An advice where the service is away, which keeps nobody from choosing a password."""
    driver = driver_of(asked.breached_passwords)
    if driver is None:
        return []
    try:
        asyncio.run(driver.knows(OF_NOTHING))
    except AwayError as error:
        return [f"new passwords would not be looked up just now: {error}."]
    return []


def _authenticators(asked: settings.Settings) -> list[str]:
    """Where new ones are made with another hash function than SHA-1: whether that is so of all."""
    rule = asked.totp_rule
    if rule.algorithm == SHA1:
        return []
    name = ALGORITHMS[rule.algorithm].name
    found = [f"--totp-classic lets people choose SHA-1 in place of {name}."] if rule.classic else []
    try:
        left = asyncio.run(classic_left(asked.database_url))
    except Unread as error:
        return [*found, f"{error}."]
    says = f"authenticators made with SHA-1 before {name}: {left}. Their owners' pages ask for new ones."
    return [*found, says] if left else found


def _applications(asked: settings.Settings) -> tuple[list[str], list[str]]:
    """What is worth to know of those that are exceptions, and what is a fault: a sentence each."""
    try:
        names = asyncio.run(exceptions(asked.database_url))
    except Unread as error:
        return [f"{error}."], []
    if asked.strict_applications:
        remedy = "give it a key by 'cloud clients change ID --keys FILE --no-plain'"
        says = f"--strict-applications refuses %s, which is an exception: {remedy}."
        return [], [says % name for name in names]
    says = "the application %s is an exception: its tokens serve whoever steals them."
    return [says % name for name in names], []
