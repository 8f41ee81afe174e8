"""Customers of the time before (N1): a CSV with their user names and e-mails becomes accounts without a
password. The first sign-in, by a message to the e-mail, sets one (resets.py).

All lines or none: a file with one fault imports nobody. Importing it again changes nothing.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.countries import COUNTRIES
from host_tools.cloud.accounts.emails import check_email, is_user_name, normal
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import new_id

REQUIRED = ("user_name", "email")
OPTIONAL = ("first_name", "last_name", "country")
LINES_MAX = 200_000
ADDED, LINKED, UNCHANGED = "added", "linked", "unchanged"
NAME_MAX, USER_NAME_MAX = 79, 64


class Customer(NamedTuple):
    line: int
    user_name: str
    email: str
    first_name: str
    last_name: str
    country: str


class Fault(NamedTuple):
    line: int
    text: str


def read(text: str) -> tuple[list[Customer], list[Fault]]:
    """The customers, and what is wrong by line (1 is the header). Commas, or semicolons as offices use."""
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns, fault = _columns(next(rows, []))
        if fault:
            return [], [Fault(1, fault)]
        return _checked(_customers(rows, columns))
    except csv.Error as error:
        return [], [Fault(rows.line_num, f"is no CSV: {error}")]


def _columns(header: list[str]) -> tuple[list[str], str | None]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in (*REQUIRED, *OPTIONAL)]
    if missing:
        return names, f"names no column {missing[0]!r}: it needs {', '.join(REQUIRED)}"
    if unknown or len(set(names)) < len(names):
        what = repr(unknown[0]) if unknown else "a column twice"
        return names, f"names {what}: it may name {', '.join((*REQUIRED, *OPTIONAL))}, once each"
    return names, None


def _customers(rows: Iterator[list[str]], columns: list[str]) -> Iterator[Customer | Fault]:
    for count, row in enumerate(rows):
        line = count + 2
        if count >= LINES_MAX:
            yield Fault(line, f"is past {LINES_MAX} customers: split the file")
            return
        if not row:
            continue
        if len(row) != len(columns):
            yield Fault(line, f"has {len(row)} fields, not {len(columns)}")
            continue
        given = {name: _clean(value) for name, value in zip(columns, row, strict=True)}
        values = [given.get(name, "") for name in (*REQUIRED, *OPTIONAL)]
        user_name, email, first_name, last_name, country = values
        yield Customer(
            line, normal(user_name), normal(email), first_name or user_name, last_name, country.upper()
        )


def _clean(value: str) -> str:
    return unicodedata.normalize("NFC", " ".join(value.split()))


def _checked(found: Iterable[Customer | Fault]) -> tuple[list[Customer], list[Fault]]:
    customers, faults = [], []
    seen: dict[str, int] = {}
    for row in found:
        fault = row if isinstance(row, Fault) else _fault(row, seen)
        if fault is not None:
            faults.append(fault)
        elif isinstance(row, Customer):
            customers.append(row)
            seen[row.user_name] = seen[row.email] = row.line
    return customers, faults


def _fault(row: Customer, seen: dict[str, int]) -> Fault | None:
    checks = ((row.user_name, _check_user_name), (row.email, _check_email), (row.country, _check_country))
    for value, check in checks:
        text = check(value)
        if text:
            return Fault(row.line, text)
    for name in (row.first_name, row.last_name):
        if len(name) > NAME_MAX or not _printable(name):
            return Fault(row.line, f"has a name that is longer than {NAME_MAX} characters, or is no text")
    for value in (row.user_name, row.email):
        if value in seen:
            return Fault(row.line, f"repeats {value!r} of line {seen[value]}")
    return None


def _check_user_name(value: str) -> str | None:
    fine = 0 < len(value) <= USER_NAME_MAX and is_user_name(value) and _printable(value)
    return None if fine else f"has no user name: 1 to {USER_NAME_MAX} characters without @"


def _check_email(value: str) -> str | None:
    return f"has no e-mail address {value!r}: write it as name@example.com" if check_email(value) else None


def _check_country(value: str) -> str | None:
    fine = value == "" or value in COUNTRIES
    return None if fine else f"has no country {value!r}: two letters (ISO 3166-1), or none"


def _printable(text: str) -> bool:
    return all(unicodedata.category(character)[0] != "C" for character in text)


async def apply(
    session: AsyncSession, customers: Iterable[Customer], now: float, tell: Callable[[Customer, str], None]
) -> list[Fault]:
    """Into the caller's transaction, which must not commit where there is a fault.

    tell: called with each customer and what became of it, ADDED, LINKED or UNCHANGED.
    """
    faults = []
    for row in customers:
        by_name = await session.scalar(select(Account).where(Account.user_name == row.user_name))
        by_email = await session.scalar(select(Account).where(Account.email == row.email))
        if by_name is not None and by_name is by_email:
            tell(row, UNCHANGED)
        elif by_name is not None:
            faults.append(Fault(row.line, f"names {row.user_name!r}, who has another e-mail here"))
        elif by_email is None:
            session.add(_new_account(row, now))
            tell(row, ADDED)
        elif by_email.user_name:
            faults.append(Fault(row.line, f"names {row.email!r}, who has another user name here"))
        else:
            by_email.user_name = row.user_name
            tell(row, LINKED)
    return faults


def _new_account(row: Customer, now: float) -> Account:
    """Nobody's password matches an empty hash, and no terms are read yet."""
    account = Account(id=new_id(), email=row.email, user_name=row.user_name, country=row.country)
    account.first_name, account.last_name = row.first_name, row.last_name
    account.password_hash, account.terms_version, account.created_at = "", "", now
    return account
