"""How messages leave: a TOML file, one section for each way, as `cloud serve --delivery FILE` reads it.

    [smtp]
    host = "mail.example.org"
    user = "gatelodge"
    password_file = "smtp.password"

A secret stands in a file of its own, which only its owner can read, or in the environment
(GATELODGE_SMTP_PASSWORD); never in the TOML file. Paths are relative to that file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from host_tools.cloud.credentials import path_of
from host_tools.cloud.delivery.given import (
    LOCAL,
    check_address,
    check_ca_file,
    check_pair,
    fault,
    read_secret,
    reason,
    secret_remedy,
    variable,
)
from host_tools.cloud.delivery.oauth_config import OAuthSettings, check_oauth

STARTTLS, TLS, NONE = "starttls", "tls", "none"
SUBMISSION_PORT, TLS_PORT = 587, 465  # RFC 8314 section 3.3
SENDER = "gatelodge@localhost"
NUMBER = re.compile(r"\+[1-9]\d{6,14}")  # E.164
SENDS = re.compile(rf"{NUMBER.pattern}|MG[0-9a-f]{{32}}")
# Of Chromium, Firefox, Edge and Safari.
PUSH_SERVICES = (
    "fcm.googleapis.com", "updates.push.services.mozilla.com", ".notify.windows.com", ".push.apple.com",
)  # fmt: skip
BOT = re.compile(r"[A-Za-z0-9_]{5,32}")
BOT_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")  # it becomes part of an address
# One try for each call, and six calls a day for an account (accounts/costs.py): with the password known, and
# every number of so small a pool, a stranger is in on three days of ten at most.
CALLERS_MIN = 20


@dataclass(frozen=True)
class SmtpSettings:
    """security: STARTTLS and TLS verify the server's certificate; NONE is for this computer alone."""

    host: str
    port: int = SUBMISSION_PORT
    security: str = STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)  # in its place: oauth, or external
    oauth: OAuthSettings | None = None
    external: bool = False  # the certificate signs us in (AUTH EXTERNAL), as the user if one is named
    ca_file: str = ""  # authorities to trust instead of the system's
    sender: str = SENDER
    certificate_file: str = ""  # by which the server knows us, beside a password or in its place
    key_file: str = ""


@dataclass(frozen=True)
class TelephonySettings:
    """A Twilio-compatible API. Text messages need sms_from, calls need callers.

    callers: the numbers that call, in E.164. The last four digits of one are a code: whoever knows them all
    guesses one in so many.
    """

    account: str
    token: str = field(default="", repr=False)  # or oauth
    oauth: OAuthSettings | None = None
    api: str = "https://api.twilio.com"
    sms_from: str = ""  # a number in E.164, or a messaging service (MG…)
    callers: tuple[str, ...] = ()
    ring_s: int = 20  # four to six rings, and no voice mail
    ca_file: str = ""


@dataclass(frozen=True)
class TelegramSettings:
    """token_file: where the token came from; it is read again when it has changed."""

    bot: str  # its user name, without the @
    token: str = field(repr=False)
    api: str = "https://api.telegram.org"
    ca_file: str = ""
    token_file: str = ""


@dataclass(frozen=True)
class PushSettings:
    """contact: whom a push service writes to (RFC 8292 section 2.1).

    services: the hosts that are written to; one that begins with a dot is any below it.
    """

    contact: str
    services: tuple[str, ...] = PUSH_SERVICES
    ca_file: str = ""


@dataclass(frozen=True)
class Delivery:
    """One field for each way; None where this cloud has none."""

    smtp: SmtpSettings | None = None
    telephony: TelephonySettings | None = None
    telegram: TelegramSettings | None = None
    push: PushSettings | None = None


class Section(NamedTuple):
    settings: type  # a dataclass: its fields are the keys, a default makes one optional
    secrets: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # keys that are tables: the rows NAME.KEY


OWN = ("ca_file", "certificate_file", "key_file")
OAUTH = Section(OAuthSettings, secrets=("client_secret",), paths=OWN)
SECTIONS = {
    "smtp": Section(SmtpSettings, secrets=("password",), paths=OWN, parts=("oauth",)),
    "smtp.oauth": OAUTH,
    "telephony": Section(TelephonySettings, secrets=("token",), paths=("ca_file",), parts=("oauth",)),
    "telephony.oauth": OAUTH,
    "telegram": Section(TelegramSettings, secrets=("token",), paths=("ca_file", "token_file")),
    "push": Section(PushSettings, paths=("ca_file",)),
}
WAYS = tuple(name for name in SECTIONS if "." not in name)


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Delivery:
    """Raises ToolError, which names the key and never a value of a secret."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise fault(f"{path} cannot be read ({reason(error)})", "write it in TOML") from error
    unknown = sorted(set(given) - set(WAYS))
    if unknown:
        raise fault(f"{path} has a section [{unknown[0]}]", f"there are {', '.join(WAYS)}")
    made = {name: _section(path, name, values, environment) for name, values in given.items()}
    return checked(Delivery(**made))


def checked(delivery: Delivery) -> Delivery:
    """What the ways need beyond the types of their keys. Raises ToolError."""
    if delivery.smtp:
        _check_smtp(delivery.smtp)
    if delivery.telephony:
        _check_telephony(delivery.telephony)
    if delivery.telegram:
        _check_telegram(delivery.telegram)
    if delivery.push:
        _check_push(delivery.push)
    return delivery


def smtp_server(text: str, sender: str) -> SmtpSettings:
    """Of HOST:PORT. Another computer is spoken to by TLS only. Raises ToolError."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise fault(f"{text!r} is no mail server", "write it as HOST:PORT")
    security = NONE if host in LOCAL else TLS if int(port) == TLS_PORT else STARTTLS
    return SmtpSettings(host, int(port), security, sender=sender)


def _section(path: Path, name: str, values: Any, environment: Mapping[str, str]) -> Any:
    section = SECTIONS[name]
    if not isinstance(values, dict):
        raise fault(f"{name} in {path} is no section", f"write [{name}] above its keys")
    found = {key: value for key, value in values.items() if not key.endswith("_file") or key in section.paths}
    plain = sorted(set(found) & set(section.secrets))
    if plain:
        raise fault(f"[{name}] in {path} holds a secret ({plain[0]})", secret_remedy(name, plain[0]))
    for key in section.secrets:
        secret = read_secret(path.parent, name, key, values, environment)
        found |= {} if secret is None else {key: secret}
        if variable(name, key) in environment:
            found.pop(f"{key}_file", None)
    for key in set(section.parts) & set(found):
        found[key] = _section(path, f"{name}.{key}", found[key], environment)
    return _typed(path, name, _resolved(path, section, found))


def _typed(path: Path, name: str, found: dict[str, Any]) -> Any:
    known = {row.name: row for row in fields(SECTIONS[name].settings)}
    for key, value in found.items():
        if key not in known:
            raise fault(f"[{name}] in {path} has no key {key}", f"there are {', '.join(known)}")
        found[key] = tuple(value) if isinstance(value, list) else value
        wanted = str(known[key].type).partition("[")[0].removesuffix(" | None")
        parts = found[key] if wanted == "tuple" and isinstance(value, list) else ()
        if type(found[key]).__name__ != wanted or not all(isinstance(part, str) for part in parts):
            raise fault(f"{key} of [{name}] in {path} is no {wanted}", "correct it")
    try:
        return SECTIONS[name].settings(**found)
    except TypeError as error:
        raise fault(f"[{name}] in {path} is incomplete", "give " + _missing(error)) from error


def _missing(error: TypeError) -> str:
    return str(error).rpartition(": ")[2].replace("'", "")


def _resolved(path: Path, section: Section, found: dict[str, Any]) -> dict[str, Any]:
    return {
        key: str(path_of(path.parent, value)) if key in section.paths and isinstance(value, str) else value
        for key, value in found.items()
    }


def _check_smtp(smtp: SmtpSettings) -> None:
    if smtp.security not in (STARTTLS, TLS, NONE):
        raise fault(f"security of [smtp] is {smtp.security!r}", f"write {STARTTLS}, {TLS} or {NONE}")
    if smtp.security == NONE and smtp.host not in LOCAL:
        raise fault(f"mail to {smtp.host} would travel in the clear", f"set security to {STARTTLS} or {TLS}")
    check_ca_file(smtp.ca_file)
    if smtp.certificate_file or smtp.key_file:
        _check_own(smtp)
    _check_sign_in(smtp)


def _check_own(smtp: SmtpSettings) -> None:
    """The certificate that the mail server is shown, and its key."""
    remedy = "name both, certificate_file and key_file, and encrypt: security = starttls or tls"
    if not (smtp.certificate_file and smtp.key_file) or smtp.security == NONE:
        raise fault("[smtp] shows no certificate this way", remedy)
    check_pair("smtp", smtp.certificate_file, smtp.key_file, remedy)


def _check_sign_in(smtp: SmtpSettings) -> None:
    """By a password, by tokens or by the certificate: one of them, or none."""
    if smtp.oauth or smtp.external:
        if smtp.password or smtp.oauth and smtp.external:
            raise fault("[smtp] signs in in several ways", "keep one: password, [smtp.oauth] or external")
        if smtp.external and not smtp.certificate_file:
            raise fault("external of [smtp] has no certificate", "name certificate_file and key_file")
    elif bool(smtp.user) != bool(smtp.password):
        raise fault("[smtp] has a user or a password, and not both", secret_remedy("smtp", "password"))
    if smtp.oauth:
        if not smtp.user:
            raise fault("[smtp.oauth] has no mailbox", "name it as user of [smtp]")
        check_oauth("smtp.oauth", smtp.oauth)


def _check_telephony(telephony: TelephonySettings) -> None:
    check_address("telephony", "api", telephony.api)
    check_ca_file(telephony.ca_file)
    if bool(telephony.token) == bool(telephony.oauth):
        raise fault("[telephony] has no token, or two", "give token_file, or a table [telephony.oauth]")
    if telephony.oauth:
        check_oauth("telephony.oauth", telephony.oauth)
    if not telephony.sms_from and not telephony.callers:
        raise fault("[telephony] sends nothing", "name a number in sms_from, or numbers in callers")
    if telephony.sms_from and not SENDS.fullmatch(telephony.sms_from):
        raise fault("sms_from of [telephony] is no sender", "write a number as +32470123456, or MG…")
    odd = [number for number in telephony.callers if not NUMBER.fullmatch(number)]
    if odd:
        raise fault(f"callers of [telephony] holds {odd[0]!r}", "write a number as +32470123456")
    endings = {number[-4:] for number in telephony.callers}
    if telephony.callers and len(endings) < CALLERS_MIN:
        raise fault(
            f"callers of [telephony] has {len(endings)} different endings",
            f"name numbers with {CALLERS_MIN} or more: one in so many is guessed",
        )


def _check_telegram(telegram: TelegramSettings) -> None:
    check_address("telegram", "api", telegram.api)
    check_ca_file(telegram.ca_file)
    if not BOT.fullmatch(telegram.bot):
        raise fault(f"bot of [telegram] is {telegram.bot!r}", "write the bot's user name, without the @")
    if not is_bot_token(telegram.token):
        raise fault("the token of [telegram] is none of a bot", secret_remedy("telegram", "token"))


def is_bot_token(text: str) -> bool:
    return BOT_TOKEN.fullmatch(text) is not None


def _check_push(push: PushSettings) -> None:
    check_ca_file(push.ca_file)
    if not push.contact.startswith(("mailto:", "https://")):
        raise fault(f"contact of [push] is {push.contact!r}", "write mailto:NAME@HOST")
    if not all(push.services):
        raise fault("services of [push] holds an empty name", "write the names of hosts")
