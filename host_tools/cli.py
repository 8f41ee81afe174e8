"""The command `gatelodge`: find the verb, parse its arguments, run it, say how it ended.

A verb is one row. Its module has `add_arguments(parser)` and `run(args) -> exit status`, and is
imported only when its verb is called, so that no verb waits for another one's libraries.
"""

import argparse
import errno
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from gatelodge.contract.errors import GatelodgeError

from host_tools import exit_codes
from host_tools.errors import ToolError


class Verb(NamedTuple):
    words: str
    module: str
    summary: str


VERBS = (
    Verb("run", "host_tools.emulator.run", "start the cloud and an emulated router, provisioned and ready"),
    Verb("languages update", "host_tools.release.verb_languages", "bring the catalogues up to the code"),
    Verb("bundle build", "host_tools.release.verb_bundle", "compile the firmware into one bundle"),
    Verb("board build", "host_tools.release.verb_board", "build a board's image"),
    Verb("board micropython", "host_tools.release.verb_micropython", "fetch MicroPython for this computer"),
    Verb("release key", "host_tools.release.verb_key", "make the key that signs firmware bundles"),
    Verb("flash", "host_tools.flash.verb_flash", "send a signed bundle to a router, over its serial port"),
    Verb("provision", "host_tools.factory.verb_provision", "provision the routers at the serial ports"),
    Verb("ports", "host_tools.factory.verb_ports", "list the serial ports of this computer"),
    Verb("bench", "host_tools.factory.verb_bench", "serve the operator's page: a tile for each port"),
    Verb("label", "host_tools.factory.verb_label", "show a board's label, or print a spoilt one again"),
    Verb("factory init", "host_tools.factory.verb_init", "create a factory's keys and records"),
    Verb("factory revoke", "host_tools.factory.verb_revoke", "revoke a router's certificate"),
    Verb("factory rework", "host_tools.factory.verb_rework", "enter that a router is back on the bench"),
    Verb("ledger verify", "host_tools.factory.verb_ledger_verify", "check that no entry was changed or lost"),
    Verb("ledger clock", "host_tools.factory.verb_ledger_clock", "enter that the clock is right now"),
    Verb("ledger show", "host_tools.factory.verb_ledger_show", "print what became of a router"),
    Verb("ledger export", "host_tools.factory.verb_ledger_export", "print the entries for other programs"),
    Verb("ledger stats", "host_tools.factory.verb_ledger_stats", "show the yield, as a table and as a chart"),
    Verb("cloud serve", "host_tools.cloud.verb_serve", "run the cloud service"),
    Verb("cloud clients", "host_tools.cloud.oidc.verb_clients", "manage the applications that sign in here"),
    Verb("cloud account", "host_tools.cloud.verb_account", "create, disable, enable, show, reset two-factor"),
    Verb("cloud check", "host_tools.cloud.verb_check", "refuse what is unsafe in production"),
    Verb("cloud unit", "host_tools.cloud.verb_unit", "print hardened units of systemd for the service"),
    Verb("cloud migrate", "host_tools.cloud.verb_migrate", "bring the database to this release"),
    Verb("cloud prune", "host_tools.cloud.verb_prune", "drop what is over"),
    Verb("cloud rotate-keys", "host_tools.cloud.verb_rotate_keys", "seal the secrets under a new key"),
    Verb("cloud breached-passwords", "host_tools.cloud.verb_breached_passwords", "keep stolen ones"),
    Verb("cloud import-users", "host_tools.cloud.verb_import_users", "bring customers with user names"),
    Verb("cloud import-devices", "host_tools.cloud.verb_import_devices", "take in a factory's routers"),
)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    verb = find_verb(arguments)
    if verb is None:
        return _explain(arguments)
    try:
        return _run(verb, arguments[len(verb.words.split()) :])
    except ToolError as error:
        print(f"gatelodge: {error}", file=sys.stderr)
        return error.exit_code
    except GatelodgeError as error:
        print(f"gatelodge: {error}", file=sys.stderr)
        return exit_codes.FAILED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise  # a fault of ours: its traceback tells where
        print("gatelodge: the disk is full: free some of it and try again", file=sys.stderr)
        return exit_codes.DISK_FULL
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED


def find_verb(arguments: Sequence[str]) -> Verb | None:
    for verb in VERBS:
        words = verb.words.split()
        if list(arguments[: len(words)]) == words:
            return verb
    return None


def _run(verb: Verb, arguments: Sequence[str]) -> int:
    module = importlib.import_module(verb.module)
    parser = argparse.ArgumentParser(prog="gatelodge " + verb.words, description=module.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


def _explain(arguments: Sequence[str]) -> int:
    wanted = not arguments or arguments[0] in ("-h", "--help", "help")
    if not wanted:
        tried = " ".join(arguments[:2])
        print(f"gatelodge: there is no verb {tried!r}: choose one of these", file=sys.stderr)
    width = max(len(verb.words) for verb in VERBS)
    lines = [f"  gatelodge {verb.words:{width}}  {verb.summary}" for verb in VERBS]
    print("\n".join(["usage:", *lines]), file=sys.stdout if wanted else sys.stderr)
    return exit_codes.OK if wanted else exit_codes.USAGE


if __name__ == "__main__":
    sys.exit(main())
