"""Look after one account: create, disable, enable, show, reset two-factor, or give a role among the staff.

WHO is an e-mail, a user name or an account's id. Whatever is done is written to the account's log with the
name of whoever did it, and told to its person by mail, which the running cloud sends.

reset-two-factor is for a person who has proved to you who they are. It takes effect after 72 hours; until
then the person can stop it, by the mail's link or on the account's pages.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.accounts.countries import COUNTRIES
from host_tools.cloud.accounts.emails import check_email, is_user_name, normal
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import RESET
from host_tools.cloud.help.roles import MAY, NOBODY
from host_tools.cloud.parts import Parts
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import new_id
from host_tools.errors import ToolError

REASON_MAX = 120
NO_ROLE = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser, links=True)
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    create = verbs.add_parser("create", help="an account without a password: its person sets one by mail")
    create.add_argument("who", metavar="E-MAIL")
    create.add_argument("--first-name", required=True)
    create.add_argument("--last-name", default="")
    create.add_argument("--country", default="", help="two letters")
    create.add_argument("--user-name", help="of before")
    for name, says in (("enable", "let its person in again"), ("show", "what it has, no secret")):
        verbs.add_parser(name, help=says).add_argument("who", metavar="WHO")
    role = verbs.add_parser("role", help="let it answer help requests, look after applications, or neither")
    role.add_argument("who", metavar="WHO")
    role.add_argument("role", choices=(*MAY, NO_ROLE))
    for name, says in (("disable", "let nobody in, at once"), ("reset-two-factor", "in 72 hours")):
        verb = verbs.add_parser(name, help=says)
        verb.add_argument("who", metavar="WHO")
        verb.add_argument("--reason", required=True, help="for the log and the mail")


def run(args: argparse.Namespace) -> int:
    return console.run(lambda: _run(args))


async def _run(args: argparse.Namespace) -> int:
    async with console.parts(args) as parts:
        visit = Visit("", "", console.operator(), parts.clock())
        if args.what == "create":
            return await _create(args, parts, visit)
        account = await parts.administration.find(args.who)
        if account is None:
            raise ToolError(f"there is no account {args.who!r}", "name its e-mail, user name or id")
        if len(getattr(args, "reason", "")) > REASON_MAX:
            raise _usage("the reason is too long", f"use at most {REASON_MAX} characters")
        return await DEEDS[args.what](args, parts, account, visit)


async def _create(args: argparse.Namespace, parts: Parts, visit: Visit) -> int:
    email, country, user_name = normal(args.who), args.country.upper(), args.user_name
    if check_email(email):
        raise _usage(f"{args.who!r} is no e-mail address", "write it as name@example.com")
    if country and country not in COUNTRIES:
        raise _usage(f"there is no country {country!r}", "use two letters (ISO 3166-1)")
    if user_name is not None and not (user_name and is_user_name(user_name)):
        raise _usage(f"{user_name!r} is no user name", "use one without @")
    account = Account(id=new_id(), email=email)
    account.first_name, account.last_name = args.first_name[:79], args.last_name[:80]
    account.country, account.user_name = country, normal(user_name)[:64] if user_name else None
    account.password_hash, account.terms_version, account.created_at = "", "", visit.now
    if not await parts.administration.add(account, visit):
        raise ToolError(f"{email} or that user name has an account", "look at it with 'cloud account show'")
    print(f"{account.id} {email}: its person sets a password at {parts.settings.public_url}/forgotten")
    return exit_codes.OK


def _usage(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.USAGE)


async def _disable(args: argparse.Namespace, parts: Parts, account: Account, visit: Visit) -> int:
    done = await parts.administration.disable(account.id, args.reason, visit)
    print(f"{account.email}: {'disabled, and every session ended' if done else 'was disabled already'}")
    return exit_codes.OK


async def _enable(_: argparse.Namespace, parts: Parts, account: Account, visit: Visit) -> int:
    done = await parts.administration.enable(account.id, visit)
    print(f"{account.email}: {'enabled' if done else 'was enabled already'}")
    return exit_codes.OK


async def _reset(args: argparse.Namespace, parts: Parts, account: Account, visit: Visit) -> int:
    due_at = await parts.waiting.ask(account.id, RESET, args.reason, visit)
    print(f"{account.email}: two-factor is reset at {_utc(due_at)}, unless its person stops it")
    return exit_codes.OK


async def _role(args: argparse.Namespace, parts: Parts, account: Account, visit: Visit) -> int:
    role = NOBODY if args.role == NO_ROLE else args.role
    done = await parts.administration.set_role(account.id, role, visit)
    print(f"{account.email}: role {args.role}{'' if done else ' already'}")
    return exit_codes.OK


async def _show(_: argparse.Namespace, parts: Parts, account: Account, visit: Visit) -> int:
    counts = await parts.administration.counts(account.id)
    rows = {
        "id": account.id,
        "e-mail": account.email,
        "user name": account.user_name or "none",
        "name": account.name,
        "country": account.country or "none",
        "created": _utc(account.created_at),
        "state": f"disabled since {_utc(account.disabled_at)}" if account.disabled_at else "enabled",
        "role": account.role or NO_ROLE,
        "passkeys only": f"since {_utc(account.passkeys_only_at)}" if account.passkeys_only_at else "no",
        "password": "set" if account.password_hash else "not set yet",
        **{name.replace("_", " "): str(count) for name, count in counts.items()},
    }
    for waiting in await parts.administration.waiting(account.id):
        rows[f"waits: {waiting.kind}"] = f"until {_utc(waiting.due_at)}"
    width = max(map(len, rows))
    print("\n".join(f"{name:{width}}  {value}" for name, value in rows.items()))
    return exit_codes.OK


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))


Deed = Callable[[argparse.Namespace, Parts, Account, Visit], Awaitable[int]]
DEEDS: dict[str, Deed] = {
    "disable": _disable, "enable": _enable, "reset-two-factor": _reset, "role": _role, "show": _show,
}  # fmt: skip
