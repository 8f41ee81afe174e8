"""Look at the options that `cloud serve` would be given, and refuse what is unsafe in production.

Takes the options of `cloud serve`, starts nothing and changes nothing. One sentence for each fault. Keys that
are plain files get an advice, and no refusal: whether this computer has systemd is the operator's to know.
With --libraries it only writes which libraries are installed, as CycloneDX JSON.
"""

from __future__ import annotations

import argparse
import json
import sys

from host_tools import exit_codes
from host_tools.cloud import libraries, settings, verb_serve
from host_tools.cloud.unsafe import faults, plain_secrets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verb_serve.add_arguments(parser)
    text = "write which libraries are installed, as CycloneDX JSON, and look at nothing else"
    parser.add_argument("--libraries", action="store_true", help=text)


def run(args: argparse.Namespace) -> int:
    if args.libraries:
        print(json.dumps(libraries.bill(), indent=1))
        return exit_codes.OK
    told = settings.from_arguments(args)
    for sentence in plain_secrets(told):
        print(f"advice: {sentence}", file=sys.stderr)
    found = faults(told)
    for sentence in found:
        print(f"unsafe: {sentence}", file=sys.stderr)
    print("safe" if not found else f"{len(found)} unsafe settings")
    return exit_codes.FAILED if found else exit_codes.OK
