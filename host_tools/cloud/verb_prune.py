"""Drop what is over: old sessions, codes, links and messages; and carry out what has waited long enough.

The running cloud does the same every hour.
"""

from __future__ import annotations

import argparse

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.pruning import prune


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser, links=True)


def run(args: argparse.Namespace) -> int:
    return console.run(lambda: _run(args))


async def _run(args: argparse.Namespace) -> int:
    async with console.parts(args) as parts:
        done = await prune(parts)
    print(f"pruned; {done} waiting changes carried out")
    return exit_codes.OK
