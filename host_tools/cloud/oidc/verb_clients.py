"""Manage the applications that may sign people in by this cloud (OpenID Connect).

    gatelodge cloud clients list --data DIR
    gatelodge cloud clients add porch --name Porch --redirect URL --keys keys.json --data DIR
    gatelodge cloud clients add garden --name "Garden App" --redirect URL --plain --data DIR
    gatelodge cloud clients change garden --grants authorization_code --redirect URL --data DIR
    gatelodge cloud clients secret garden --data DIR
    gatelodge cloud clients disable|enable garden --data DIR
    gatelodge cloud clients remove garden --data DIR

A client is strict: it proves itself by a key (`--keys`, a JWK set, in a file or as it is; private_key_jwt),
pushes its requests (PAR), and every token is bound to its key (DPoP). `--plain` makes an exception of it,
which the list shows: a token or a secret that is stolen from it can be used. An exception may have a secret,
which is shown once, on stdout and alone, so that it can be sent straight into a file; a new one voids the one
before. `--public` is for an app that can keep none; `--dpop` and `--par` ask a part of an exception. PKCE is
asked of all.

Staff with the role "clients" do the same on the page /clients, but for parts of Gatelodge itself (`--ours`).
That page shows what was changed here too, and by whom, and so does `cloud serve --log-to`.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.clock import system_clock
from host_tools.cloud.oidc.clients import Clients
from host_tools.cloud.oidc.described import (
    GRANTS,
    KEYLESS,
    NO_FLOW,
    USUAL_GRANTS,
    Changed,
    Described,
    WrongClient,
)
from host_tools.cloud.oidc.requests import SCOPES
from host_tools.cloud.store.oidc_models import OidcClient
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(ACTIONS), metavar="|".join(ACTIONS))
    parser.add_argument("id", nargs="?", default="", metavar="ID")
    console.add_arguments(parser)
    add = parser.add_argument_group("add").add_argument
    add("--name", default="", help="what people read when they are asked")
    add("--scope", nargs="+", default=list(SCOPES), choices=SCOPES, help="what it may ask (default all)")
    add("--public", action="store_true", help="it can keep no secret: an exception, too")
    add("--ours", action="store_true", help="a part of Gatelodge: nobody is asked for consent")
    both = parser.add_argument_group("add and change").add_argument
    both("--redirect", action="append", metavar="URL", help="where answers go; may be repeated")
    both("--after-logout", action="append", metavar="URL", help="where people may be led after a sign-out")
    both("--logout", metavar="URL", help="what is told when a session is over")
    both("--keys", metavar="FILE|JSON", help="its public keys: it proves itself by one of them")
    text = f"how it may come to tokens (default {' and '.join(USUAL_GRANTS)})"
    both("--grants", nargs="+", choices=GRANTS, help=text)
    switch = argparse.BooleanOptionalAction
    both("--plain", action=switch, default=None, help="an exception to what follows, and to --keys")
    both("--dpop", action=switch, default=None, help="bind all of an exception's tokens to its key (DPoP)")
    both("--par", action=switch, default=None, help="take an exception's requests only pushed (PAR)")


def run(args: argparse.Namespace) -> int:
    if args.action != "list" and not args.id:
        raise ToolError(f"{args.action} needs the client's ID", "name it after the action", exit_codes.USAGE)
    return console.run(partial(_run, args))


async def _run(args: argparse.Namespace) -> int:
    async with console.opened(args) as database:
        try:
            await ACTIONS[args.action](Clients(database, system_clock, console.operator()), args)
        except WrongClient as error:
            remedy = REMEDIES.get(error.sentence, "'gatelodge cloud clients list' shows those that there are")
            raise ToolError(str(error), remedy, exit_codes.USAGE) from error
    return exit_codes.OK


async def _list(clients: Clients, _: argparse.Namespace) -> None:
    for client in await clients.all():
        print(f"{client.id:24} {_kind(client):13} {client.name}")
        print(f"{'':24} {' '.join(_ways(client))}")
        for uri in client.redirect_uris.split("\n"):
            print(f"{'':24} {uri}")


def _kind(client: OidcClient) -> str:
    return "ours" if client.ours else "public" if client.public else "confidential"


def _ways(client: OidcClient) -> list[str]:
    proof = "key" if client.jwks else "secret" if client.secret_hash else "no proof"
    marks = (
        ("strict", not client.plain),
        ("EXCEPTION", client.plain),
        ("DPoP", client.plain and client.dpop_bound),
        ("PAR", client.plain and client.pushed_only),
        ("DISABLED", client.disabled_at is not None),
    )
    return [proof, *client.grants.split(), *(name for name, is_set in marks if is_set)]


async def _add(clients: Clients, args: argparse.Namespace) -> None:
    described = Described(
        id=args.id,
        name=args.name,
        redirect_uris=args.redirect or (),
        after_logout_uris=args.after_logout or (),
        logout_uri=args.logout or "",
        scope=args.scope,
        public=args.public,
        ours=args.ours,
        jwks=_keys(args.keys) or "",
        grants=args.grants or USUAL_GRANTS,
        dpop_bound=bool(args.dpop),
        pushed_only=bool(args.par),
        plain=bool(args.plain),
    )
    _show(await clients.add(described), args.id)


async def _change(clients: Clients, args: argparse.Namespace) -> None:
    changed = Changed(
        jwks=_keys(args.keys),
        grants=args.grants,
        dpop_bound=args.dpop,
        pushed_only=args.par,
        redirect_uris=args.redirect,
        after_logout_uris=args.after_logout,
        logout_uri=args.logout,
        plain=args.plain,
        public_only=None if args.logout is None else False,
    )
    await clients.change(args.id, changed)
    print(f"client {args.id} is changed", file=sys.stderr)


def _keys(given: str | None) -> str | None:
    """The key set as it is, or in a file. Raises WrongClient."""
    if given is None or given.lstrip().startswith("{"):
        return given
    try:
        return Path(given).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise WrongClient("jwks", f"{given} cannot be read") from error


async def _secret(clients: Clients, args: argparse.Namespace) -> None:
    _show(await clients.new_secret(args.id), args.id)


async def _disable(clients: Clients, args: argparse.Namespace) -> None:
    await clients.disable(args.id)
    print(f"client {args.id} is disabled, and all that it was given is void", file=sys.stderr)


async def _enable(clients: Clients, args: argparse.Namespace) -> None:
    await clients.enable(args.id)
    print(f"client {args.id} is enabled", file=sys.stderr)


async def _remove(clients: Clients, args: argparse.Namespace) -> None:
    await clients.remove(args.id)
    print(f"client {args.id} is removed, and all that it was given is void", file=sys.stderr)


def _show(secret: str, client_id: str) -> None:
    if not secret:
        print(f"client {client_id} is registered", file=sys.stderr)
        return
    print(f"the secret of {client_id}, which is shown this once:", file=sys.stderr)
    print(secret)


ACTIONS = {
    "list": _list,
    "add": _add,
    "change": _change,
    "secret": _secret,
    "disable": _disable,
    "enable": _enable,
    "remove": _remove,
}
REMEDIES = {
    KEYLESS: "give its public keys by --keys, or make it an exception by --plain",
    NO_FLOW: "give --grants authorization_code or device_code",
}
