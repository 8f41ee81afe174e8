"""Manage the applications that may sign people in by this cloud (OpenID Connect).

    gatelodge cloud clients list --data DIR
    gatelodge cloud clients add garden --name "Garden App" --redirect https://app.example.org/back --data DIR
    gatelodge cloud clients add porch --name Porch --redirect URL --keys keys.json --dpop --par --data DIR
    gatelodge cloud clients change garden --grants authorization_code --data DIR
    gatelodge cloud clients secret garden --data DIR
    gatelodge cloud clients remove garden --data DIR

A secret is shown once, on stdout and alone, so that it can be sent straight into a file. `--public` is for an
app that can keep none; PKCE is asked of every client. A new secret voids the one before. With `--keys` (a JWK
set, in a file or as it is) a client proves itself by private_key_jwt, and has no secret.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.clock import system_clock
from host_tools.cloud.oidc.clients import GRANTS, USUAL_GRANTS, Changed, Clients, Described, WrongClient
from host_tools.cloud.oidc.requests import SCOPES
from host_tools.cloud.store.oidc_models import OidcClient
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(ACTIONS), metavar="|".join(ACTIONS))
    parser.add_argument("id", nargs="?", default="", metavar="ID")
    console.add_arguments(parser)
    add = parser.add_argument_group("add").add_argument
    add("--name", default="", help="what people read when they are asked")
    add("--redirect", action="append", default=[], metavar="URL", help="where answers go; may be repeated")
    add(
        "--after-logout",
        action="append",
        default=[],
        metavar="URL",
        help="where people may be led afterwards",
    )
    add("--logout", default="", metavar="URL", help="what is told when a session is over")
    add("--scope", nargs="+", default=list(SCOPES), choices=SCOPES, help="what it may ask (default all)")
    add("--public", action="store_true", help="it can keep no secret")
    add("--ours", action="store_true", help="a part of Gatelodge: nobody is asked for consent")
    both = parser.add_argument_group("add and change").add_argument
    both("--keys", metavar="FILE|JSON", help="its public keys: it proves itself by one of them")
    text = f"how it may come to tokens (default {' and '.join(USUAL_GRANTS)})"
    both("--grants", nargs="+", choices=GRANTS, help=text)
    switch = argparse.BooleanOptionalAction
    both("--dpop", action=switch, default=None, help="bind all its tokens to its key (DPoP)")
    both("--par", action=switch, default=None, help="take its requests only where it pushes them (PAR)")


def run(args: argparse.Namespace) -> int:
    if args.action != "list" and not args.id:
        raise ToolError(f"{args.action} needs the client's ID", "name it after the action", exit_codes.USAGE)
    return console.run(partial(_run, args))


async def _run(args: argparse.Namespace) -> int:
    async with console.opened(args) as database:
        try:
            await ACTIONS[args.action](Clients(database, system_clock), args)
        except WrongClient as error:
            remedy = "'gatelodge cloud clients list' shows those that there are"
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
    marks = (("DPoP", client.dpop_bound), ("PAR", client.pushed_only))
    return [proof, *client.grants.split(), *(name for name, is_set in marks if is_set)]


async def _add(clients: Clients, args: argparse.Namespace) -> None:
    described = Described(
        id=args.id,
        name=args.name,
        redirect_uris=args.redirect,
        after_logout_uris=args.after_logout,
        logout_uri=args.logout,
        scope=args.scope,
        public=args.public,
        ours=args.ours,
        jwks=_keys(args.keys) or "",
        grants=args.grants or USUAL_GRANTS,
        dpop_bound=bool(args.dpop),
        pushed_only=bool(args.par),
    )
    _show(await clients.add(described), args.id)


async def _change(clients: Clients, args: argparse.Namespace) -> None:
    await clients.change(args.id, Changed(_keys(args.keys), args.grants, args.dpop, args.par))
    print(f"client {args.id} is changed", file=sys.stderr)


def _keys(given: str | None) -> str | None:
    """The key set as it is, or in a file. Raises WrongClient."""
    if given is None or given.lstrip().startswith("{"):
        return given
    try:
        return Path(given).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise WrongClient(f"{given} cannot be read") from error


async def _secret(clients: Clients, args: argparse.Namespace) -> None:
    _show(await clients.new_secret(args.id), args.id)


async def _remove(clients: Clients, args: argparse.Namespace) -> None:
    if not await clients.remove(args.id):
        raise WrongClient(f"there is no client {args.id}")
    print(f"client {args.id} is removed, and all that it was given is void", file=sys.stderr)


def _show(secret: str, client_id: str) -> None:
    if not secret:
        print(f"client {client_id} is registered", file=sys.stderr)
        return
    print(f"the secret of {client_id}, which is shown this once:", file=sys.stderr)
    print(secret)


ACTIONS = {"list": _list, "add": _add, "change": _change, "secret": _secret, "remove": _remove}
