"""Look at the options that `cloud serve` would be given, and refuse what is unsafe in production.

Takes the options of `cloud serve`, starts nothing and changes nothing. One sentence for each fault.
"""

from __future__ import annotations

import argparse
import sys

from host_tools import exit_codes
from host_tools.cloud import settings, verb_serve
from host_tools.cloud.unsafe import faults

add_arguments = verb_serve.add_arguments


def run(args: argparse.Namespace) -> int:
    found = faults(settings.from_arguments(args))
    for sentence in found:
        print(f"unsafe: {sentence}", file=sys.stderr)
    print("safe" if not found else f"{len(found)} unsafe settings")
    return exit_codes.FAILED if found else exit_codes.OK
