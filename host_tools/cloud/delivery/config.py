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
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from host_tools import exit_codes
from host_tools.cloud.credentials import holds, path_of
from host_tools.errors import ToolError

STARTTLS, TLS, NONE = "starttls", "tls", "none"
LOCAL = ("localhost", "127.0.0.1", "::1")
SUBMISSION_PORT, TLS_PORT = 587, 465  # RFC 8314 section 3.3
OTHERS_MAY = 0o077
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
    password: str = field(default="", repr=False)
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
    token: str = field(repr=False)
    api: str = "https://api.twilio.com"
    sms_from: str = ""  # a number in E.164, or a messaging service (MG…)
    callers: tuple[str, ...] = ()
    ring_s: int = 20  # four to six rings, and no voice mail
    ca_file: str = ""


@dataclass(frozen=True)
class TelegramSettings:
    bot: str  # its user name, without the @
    token: str = field(repr=False)
    api: str = "https://api.telegram.org"
    ca_file: str = ""


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


SECTIONS = {
    "smtp": Section(SmtpSettings, ("password",), ("ca_file", "certificate_file", "key_file")),
    "telephony": Section(TelephonySettings, secrets=("token",), paths=("ca_file",)),
    "telegram": Section(TelegramSettings, secrets=("token",), paths=("ca_file",)),
    "push": Section(PushSettings, paths=("ca_file",)),
}


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Delivery:
    """Raises ToolError, which names the key and never a value of a secret."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _fault(f"{path} cannot be read ({_reason(error)})", "write it in TOML") from error
    unknown = sorted(set(given) - set(SECTIONS))
    if unknown:
        raise _fault(f"{path} has a section [{unknown[0]}]", f"there are {', '.join(SECTIONS)}")
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
        raise _fault(f"{text!r} is no mail server", "write it as HOST:PORT")
    security = NONE if host in LOCAL else TLS if int(port) == TLS_PORT else STARTTLS
    return SmtpSettings(host, int(port), security, sender=sender)


def _section(path: Path, name: str, values: Any, environment: Mapping[str, str]) -> Any:
    section = SECTIONS[name]
    if not isinstance(values, dict):
        raise _fault(f"{name} in {path} is no section", f"write [{name}] above its keys")
    found = {key: value for key, value in values.items() if not key.endswith("_file") or key in section.paths}
    plain = sorted(set(found) & set(section.secrets))
    if plain:
        raise _fault(f"[{name}] in {path} holds a secret ({plain[0]})", _secret_remedy(name, plain[0]))
    for key in section.secrets:
        secret = _secret(path, name, key, values, environment)
        found |= {} if secret is None else {key: secret}
    return _typed(path, name, _resolved(path, section, found))


def _typed(path: Path, name: str, found: dict[str, Any]) -> Any:
    known = {row.name: row for row in fields(SECTIONS[name].settings)}
    for key, value in found.items():
        if key not in known:
            raise _fault(f"[{name}] in {path} has no key {key}", f"there are {', '.join(known)}")
        found[key] = tuple(value) if isinstance(value, list) else value
        wanted = str(known[key].type).partition("[")[0]
        parts = found[key] if wanted == "tuple" and isinstance(value, list) else ()
        if type(found[key]).__name__ != wanted or not all(isinstance(part, str) for part in parts):
            raise _fault(f"{key} of [{name}] in {path} is no {wanted}", "correct it")
    try:
        return SECTIONS[name].settings(**found)
    except TypeError as error:
        raise _fault(f"[{name}] in {path} is incomplete", "give " + _missing(error)) from error


def _missing(error: TypeError) -> str:
    return str(error).rpartition(": ")[2].replace("'", "")


def _resolved(path: Path, section: Section, found: dict[str, Any]) -> dict[str, Any]:
    return {
        key: str(path_of(path.parent, value)) if key in section.paths and isinstance(value, str) else value
        for key, value in found.items()
    }


def _secret(
    path: Path, name: str, key: str, values: dict[str, Any], environment: Mapping[str, str]
) -> str | None:
    """From the environment, else from the file that is named; None where neither is."""
    variable = _variable(name, key)
    if variable in environment:
        return environment[variable]
    named = values.get(f"{key}_file")
    if named is None:
        return None
    secret_path = path_of(path.parent, str(named))
    try:
        mode, text = secret_path.stat().st_mode, secret_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(f"{secret_path} cannot be read ({_reason(error)})", _secret_remedy(name, key)) from error
    if mode & OTHERS_MAY and not holds(secret_path):
        raise _fault(f"{secret_path} can be read by others", f"run chmod 600 {secret_path}")
    return text.strip()


def _check_smtp(smtp: SmtpSettings) -> None:
    if smtp.security not in (STARTTLS, TLS, NONE):
        raise _fault(f"security of [smtp] is {smtp.security!r}", f"write {STARTTLS}, {TLS} or {NONE}")
    if smtp.security == NONE and smtp.host not in LOCAL:
        raise _fault(f"mail to {smtp.host} would travel in the clear", f"set security to {STARTTLS} or {TLS}")
    if bool(smtp.user) != bool(smtp.password):
        raise _fault("[smtp] has a user or a password, and not both", _secret_remedy("smtp", "password"))
    _check_ca_file(smtp.ca_file)
    if smtp.certificate_file or smtp.key_file:
        _check_own(smtp)


def _check_own(smtp: SmtpSettings) -> None:
    """The certificate that the mail server is shown, and its key."""
    remedy = "name both, certificate_file and key_file, and encrypt: security = starttls or tls"
    if not (smtp.certificate_file and smtp.key_file) or smtp.security == NONE:
        raise _fault("[smtp] shows no certificate this way", remedy)
    for path in (Path(smtp.certificate_file), Path(smtp.key_file)):
        if not path.is_file():
            raise _fault(f"there is no file {path}", remedy)
    key = Path(smtp.key_file)
    if key.stat().st_mode & OTHERS_MAY and not holds(key):
        raise _fault(f"{key} can be read by others", f"run chmod 600 {key}")
    try:  # a key that wants a password is refused: nobody is there to be asked
        ssl.create_default_context().load_cert_chain(smtp.certificate_file, key, password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        what = f"[smtp] certificate_file and key_file do not fit ({_reason(error)})"
        raise _fault(what, "name a certificate and its own key in PEM, without a password") from error


def _check_telephony(telephony: TelephonySettings) -> None:
    _check_address("telephony", telephony.api)
    _check_ca_file(telephony.ca_file)
    if not telephony.sms_from and not telephony.callers:
        raise _fault("[telephony] sends nothing", "name a number in sms_from, or numbers in callers")
    if telephony.sms_from and not SENDS.fullmatch(telephony.sms_from):
        raise _fault("sms_from of [telephony] is no sender", "write a number as +32470123456, or MG…")
    odd = [number for number in telephony.callers if not NUMBER.fullmatch(number)]
    if odd:
        raise _fault(f"callers of [telephony] holds {odd[0]!r}", "write a number as +32470123456")
    endings = {number[-4:] for number in telephony.callers}
    if telephony.callers and len(endings) < CALLERS_MIN:
        raise _fault(
            f"callers of [telephony] has {len(endings)} different endings",
            f"name numbers with {CALLERS_MIN} or more: one in so many is guessed",
        )


def _check_telegram(telegram: TelegramSettings) -> None:
    _check_address("telegram", telegram.api)
    _check_ca_file(telegram.ca_file)
    if not BOT.fullmatch(telegram.bot):
        raise _fault(f"bot of [telegram] is {telegram.bot!r}", "write the bot's user name, without the @")
    if not BOT_TOKEN.fullmatch(telegram.token):
        raise _fault("the token of [telegram] is none of a bot", _secret_remedy("telegram", "token"))


def _check_push(push: PushSettings) -> None:
    _check_ca_file(push.ca_file)
    if not push.contact.startswith(("mailto:", "https://")):
        raise _fault(f"contact of [push] is {push.contact!r}", "write mailto:NAME@HOST")
    if not all(push.services):
        raise _fault("services of [push] holds an empty name", "write the names of hosts")


def _check_address(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # an address or a port that is none
        host = None
    if not host or parts.scheme != "https" and host not in LOCAL or parts.query:
        raise _fault(f"api of [{name}] is {url!r}", "write it as https://NAME")


def _check_ca_file(path: str) -> None:
    if path and not Path(path).is_file():
        raise _fault(f"there is no file {path}", "name the authorities' certificates in PEM")


def _secret_remedy(name: str, key: str) -> str:
    return f"put it into a file that {key}_file names, or into {_variable(name, key)}"


def _variable(name: str, key: str) -> str:
    return f"GATELODGE_{name}_{key}".upper()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _fault(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.USAGE)
