"""Whose accounts may sign in: a TOML file, one section each, as `cloud serve --outside FILE` reads it.

    [google]
    client_id = "…"
    client_secret_file = "google.secret"

    [example]
    name = "Example Ltd"
    issuer = "https://login.example.org"
    client_id = "gatelodge"
    client_secret_file = "example.secret"

google and facebook are known: they need no issuer. A secret stands in a file of its own, which only its owner
can read; paths are relative to the TOML file. again = "no" is for one that does not ask a person again who is
signed in there, or does not say when (auth_time): Google.

Register PUBLIC_URL/outside/SECTION/answer with the provider.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from host_tools import exit_codes
from host_tools.cloud.credentials import holds, path_of
from host_tools.errors import ToolError

OIDC, FACEBOOK = "oidc", "facebook"
LOCAL = ("localhost", "127.0.0.1", "::1")
SECTION = re.compile(r"[a-z][a-z0-9-]{0,29}")
RESERVED = ("new", "have")  # addresses of our own pages
OTHERS_MAY = 0o077
URL = re.compile(r"[\x21\x24-\x7e]+")  # with neither quotation marks nor a fragment
SECRET_REMEDY = "write the secret into a file, and name that: client_secret_file"
PRESETS: dict[str, dict[str, Any]] = {
    "google": {"name": "Google", "issuer": "https://accounts.google.com", "again": "no"},
    "facebook": {
        "name": "Facebook",
        "kind": FACEBOOK,
        "issuer": "https://graph.facebook.com/v21.0",
        "dialog": "https://www.facebook.com/v21.0/dialog/oauth",
    },
}


@dataclass(frozen=True)
class Outside:
    """One provider. `issuer`: what its ID tokens say, letter by letter; of Facebook the Graph API."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    kind: str = OIDC
    dialog: str = ""  # where Facebook asks the person
    ca_file: str = ""  # authorities to trust instead of the system's
    again: str = "yes"  # "no": it does not ask a person again who is signed in there, or does not say when

    @property
    def asks_again(self) -> bool:
        """Whether signing in there once more proves who it is (OpenID Connect Core 1.0, 3.1.2.1: max_age)."""
        return self.kind == OIDC and self.again == "yes"


def load(path: Path) -> tuple[Outside, ...]:
    """In the file's order. Raises ToolError, which never tells a secret."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _fault(f"{path} cannot be read ({why})", "write it in TOML") from error
    return tuple(_provider(path, name, values) for name, values in given.items())


def _provider(path: Path, name: str, values: Any) -> Outside:
    if not SECTION.fullmatch(name) or name in RESERVED or not isinstance(values, dict):
        raise _fault(f"{name!r} in {path} is no provider", "write [name] in small letters above its keys")
    found = {**PRESETS.get(name, {}), **values, "id": name}
    if "client_secret" in found:
        raise _fault(f"[{name}] in {path} holds a secret", SECRET_REMEDY)
    found["client_secret"] = _secret(path, name, found.pop("client_secret_file", None))
    if found.get("ca_file"):
        found["ca_file"] = str(path.parent / str(found["ca_file"]))
    known = {row.name for row in fields(Outside)}
    for key, value in found.items():
        if key not in known or not isinstance(value, str):
            remedy = f"there are {', '.join(sorted(known))}"
            raise _fault(f"{key} of [{name}] in {path} is unknown, or no text", remedy)
    lacking = [key for key in ("name", "issuer", "client_id", "client_secret") if not found.get(key)]
    if lacking:
        raise _fault(f"[{name}] in {path} is incomplete", f"give {', '.join(lacking)}")
    return _checked(path, Outside(**found))


def _checked(path: Path, provider: Outside) -> Outside:
    if provider.kind not in (OIDC, FACEBOOK):
        raise _fault(f"kind of [{provider.id}] in {path} is unknown", f"it is {OIDC} or {FACEBOOK}")
    if provider.again not in ("yes", "no"):
        raise _fault(f"again of [{provider.id}] in {path} is unknown", "it is yes or no")
    for address in filter(None, (provider.issuer, provider.dialog)):
        if not is_secure(address, local_too=True) or "?" in address:
            raise _fault(f"{address} of [{provider.id}] in {path} is no https address", "correct it")
    return provider


def is_secure(address: object, *, local_too: bool) -> bool:
    """Whether it is an https URL, or one of http on this computer where that is allowed."""
    if not isinstance(address, str) or not URL.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    local = local_too and parts.scheme == "http" and parts.hostname in LOCAL
    return bool(parts.hostname) and (parts.scheme == "https" or local)


def _secret(path: Path, name: str, file: Any) -> str:
    if not isinstance(file, str):
        raise _fault(f"[{name}] in {path} names no client_secret_file", SECRET_REMEDY)
    secret = path_of(path.parent, str(file))
    try:
        if secret.stat().st_mode & OTHERS_MAY and not holds(secret):
            raise _fault(f"{secret} can be read by others", f"run: chmod 600 {secret}")
        return secret.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(f"{secret} cannot be read", "name a file that holds the secret alone") from error


def _fault(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.USAGE)
