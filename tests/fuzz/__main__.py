"""Throw bad input at what reads it, for as long as told: heads, journals, sign-ins, WebSocket frames.

The exit status is 1 when something came out that must not; the last line then makes it again. With --keep,
what goes a way through the code that no kept sample has gone is cut short and written to tests/fuzz/corpus.
"""

import argparse
import secrets
import sys

from gatelodge import log

from tests.fuzz import runs


def arguments(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, metavar="N", help="in all (20)")
    parser.add_argument("--seed", type=int, metavar="S", help="draw the same again (a fresh one)")
    parser.add_argument("--only", choices=sorted(runs.TARGETS), help="this one only")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what goes a new way (slower)")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="begin with this attempt (0)")
    return parser.parse_args(argv)


def main(argv=None):
    options = arguments(argv)
    seed = secrets.randbelow(10**9) if options.seed is None else options.seed
    names = [options.only] if options.only else sorted(runs.TARGETS)
    log.configure(with_debug=False)
    print(f"seed {seed}", flush=True)
    keeper = runs.Keeper() if options.keep else None
    failed = 0
    for name in names:
        try:
            count = runs.run_for(name, seed, options.seconds / len(names), options.first, keeper)
            print(f"{name:<10}{count} attempts", flush=True)
        except runs.Found as found:
            failed = 1
            print(f"{name:<10}{found}", flush=True)
    for path in keeper.kept if keeper else ():
        print(f"kept {path}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
