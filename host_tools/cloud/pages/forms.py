"""Forms: one row per field.

What is required, how long, and how it must look is checked here and shown there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

from host_tools.cloud.accounts.countries import COUNTRIES
from host_tools.cloud.accounts.emails import check_email, normal
from host_tools.cloud.accounts.profile import time_zones
from host_tools.cloud.languages.text import N_, NAMES, _
from host_tools.cloud.pages.render import ASK_PASSWORD, asked_again
from host_tools.cloud.pages.uploads import POSTED

# What turns the direction of writing (UAX #9, sections 2.1 to 2.4): a text could read as another.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_country(value: str) -> str | None:
    return None if value in COUNTRIES else N_("Choose your country from the list.")


def check_name(value: str) -> str | None:
    printable = all(unicodedata.category(character)[0] != "C" for character in value)
    return None if printable else N_("A name has letters, spaces, hyphens and apostrophes.")


def check_text(value: str) -> str | None:
    """Written by one person, read by another: no control characters, nothing that turns the direction."""
    controls = any(unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t" for each in value)
    wrong = controls or not TURNING.isdisjoint(value)
    return N_("The text has characters that nobody can see. Write it without them.") if wrong else None


def check_language(value: str) -> str | None:
    return None if value in NAMES else N_("Choose a language from the list.")


def check_time_zone(value: str) -> str | None:
    return None if value in time_zones() else N_("Choose a time zone from the list.")


class Field(NamedTuple):
    name: str
    missing: str  # what to say when it is empty
    max_length: int = 80
    check: Callable[[str], str | None] | None = None
    keep_spaces: bool = False  # of a password every character counts
    lower: bool = False
    optional: bool = False
    lines: bool = False  # a text of several
    proof: bool = False  # asked of who is signed in already, and has not proved just now who they are


class Filled(NamedTuple):
    values: dict[str, str]
    errors: dict[str, str]  # by field; empty when all is well


# Both together are what a router is told of its owner: at most 160 characters (contract/messages.py).
FIRST_NAME = Field("first_name", N_("Enter your first name."), 79, check_name)
LAST_NAME = Field("last_name", N_("Enter your last name."), 80, check_name)
NEW_EMAIL = Field("email", N_("Enter your e-mail address."), 254, check_email, lower=True)
COUNTRY = Field("country", N_("Choose your country."), 2, check_country)
COUNTRY_IF_ANY = COUNTRY._replace(optional=True)
LANGUAGE = Field("language", N_("Choose a language."), 8, check_language)
BROWSERS_ZONE = Field("zone", "", 40, optional=True)
TIME_ZONE = Field("time_zone", N_("Choose a time zone."), 40, check_time_zone)
NEW_PASSWORD = Field("password", N_("Choose a password."), 200, keep_spaces=True)
NEXT_PASSWORD = Field("new_password", N_("Choose a new password."), 200, keep_spaces=True)
TERMS = Field("terms", N_("Read the terms and tick this box to go on."), 10)
TERMS_IF_NEW = Field("terms", "", 10, optional=True)
EMAIL_LOGIN = Field("email", N_("Enter your e-mail address."), 254, lower=True)
PASSWORD = Field("password", N_("Enter your password."), 200, keep_spaces=True)
OWN_PASSWORD = PASSWORD._replace(proof=True)  # of a sensitive action (accounts/proof.py)
TRUST = Field("trust", "", 10, optional=True)
METHOD = Field("method", "", 20, optional=True)
PHONE_ID = Field("phone", "", 32, optional=True)
PHONE = Field("number", N_("Enter your phone number, with its country's prefix."), 60)
NUMBER = Field("number", N_("Enter the number that the other browser shows."), 8)
CODE = Field("code", N_("Enter the code."), 40)
CREDENTIAL = Field("credential", N_("The browser sent no passkey. Try again."), 8192)
USER_CODE = Field("user_code", N_("Enter the code that the device shows."), 20)
SUBSCRIPTION = Field("subscription", N_("The browser gave no subscription. Try again."), 4096)
PASSKEY_NAME = Field("name", N_("Name the passkey, for example “My phone”."), 60, check_name)
SUBJECT = Field("subject", N_("Enter a subject, for example “No internet since Monday”."), 120, check_text)
HELP_ROUTER = Field("router", "", 64, check_text, optional=True)
HELP_DIAGNOSTICS = Field("diagnostics", "", 10, optional=True)
HELP_LOOK = Field("look_first", "", 10, optional=True)
HELP_TEXT = Field("text", N_("Write the message."), 5000, check_text, lines=True)
HELP_NOTE = Field("note", N_("Write the note."), 5000, check_text, lines=True)
SURE = Field("sure", N_("Tick this box to go on."), 10)
KIND = Field("kind", "", 20, optional=True)
SERVICE_CODE = Field("service_code", N_("Enter the service code from the label."), 64)
AUTHENTICATOR_NAME = Field("name", N_("Name the authenticator, for example “My phone”."), 60, check_name)

SIGN_UP = (FIRST_NAME, LAST_NAME, NEW_EMAIL, COUNTRY, NEW_PASSWORD, TERMS)
PROFILE = (FIRST_NAME, LAST_NAME._replace(optional=True), COUNTRY_IF_ANY, LANGUAGE, TIME_ZONE)
SIGN_IN = (EMAIL_LOGIN, PASSWORD)


async def read(request: web.Request, fields: tuple[Field, ...]) -> Filled:
    """The form's values, each cleaned and checked by its row."""
    posted = request[POSTED].fields if POSTED in request else await request.post()
    values, errors = {}, {}
    for field in fields:
        given = posted.get(field.name, "")
        value = clean(given if isinstance(given, str) else "", field)
        values[field.name] = value
        fault = None if field.proof and not value and not needs_password(request) else fault_of(value, field)
        if fault is not None:
            errors[field.name] = fault
    return Filled(values, errors)


def needs_password(request: web.Request) -> bool:
    """Whether a sensitive form asks for it: not of who has none, or proves more on its own page."""
    return asked_again(request) == ASK_PASSWORD


def clean(value: str, field: Field) -> str:
    if field.keep_spaces:
        return value
    if field.lines:
        return unicodedata.normalize("NFC", "\n".join(value.splitlines()).strip())
    composed = unicodedata.normalize("NFC", " ".join(value.split()))
    return normal(composed) if field.lower else composed


def fault_of(value: str, field: Field) -> str | None:
    """What is wrong, in the reader's language."""
    if not value:
        return None if field.optional else _(field.missing)
    if len(value) > field.max_length:
        return _("Use at most %(count)s characters.", count=field.max_length)
    wrong = field.check(value) if field.check else None
    return _(wrong) if wrong else None


def empty(fields: tuple[Field, ...]) -> Filled:
    return Filled(dict.fromkeys((field.name for field in fields), ""), {})
