"""An application as it is described by whoever registers it, and what is wrong with a description: pure.

The console and the page of staff ask the same here. Sentences are keys of the catalogues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_
from host_tools.cloud.oidc import assertions
from host_tools.cloud.oidc.requests import SCOPES, URI_MAX, fault_of_address
from host_tools.cloud.public_addresses import is_public

CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,38}")
NAME_MAX = 80
ADDRESSES_MAX = 20
SHOWN_MAX = 80  # characters of an address in a sentence about it
# How a client may come to tokens, and what one may that is registered without a word about it.
CODE, REFRESH, DEVICE = "authorization_code", "refresh_token", "device_code"
GRANTS = (CODE, REFRESH, DEVICE)
USUAL_GRANTS = (CODE, REFRESH)
OWN_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # what a resolver takes for the last part of an address

ID = N_("An id has 2 to 39 small letters, digits, dots, hyphens and underscores.")
NAME = N_("An application has a name of at most %(count)s characters: people read it.")
NO_ADDRESS = N_("Name at least one address that gets the answer.")
TOO_MANY = N_("An application has at most %(count)s addresses of a kind.")
LOGOUT = N_("%(address)s cannot be told of a sign-out: it must be an https address of another computer.")
NO_FLOW = N_("Tick signing in by a browser or by a device: else there is nothing to stay signed in for.")
KEYLESS = N_("A strict application proves itself by a key: paste it, or make the application an exception.")


class WrongClient(RefusedError):
    """What is wrong with an application's description; `field` of Described, or "" ."""


class Described(NamedTuple):
    """Addresses are absolute URLs. jwks: its public keys (RFC 7517), in JSON; with some it gets no secret.

    plain: an exception to what else holds for every application, which proves itself by a key, pushes its
    requests, and has its tokens bound to its key (OWASP ASVS 5.0.0, level 3: 10.4.13, 10.4.14, 10.4.16). Of
    an exception dpop_bound and pushed_only ask for a part of that.
    """

    id: str
    name: str
    redirect_uris: Sequence[str]
    after_logout_uris: Sequence[str] = ()
    logout_uri: str = ""
    scope: Sequence[str] = SCOPES
    public: bool = False
    ours: bool = False
    jwks: str = ""
    grants: Sequence[str] = USUAL_GRANTS
    dpop_bound: bool = False
    pushed_only: bool = False
    plain: bool = False
    public_only: bool = False  # who registered it may have us call the internet, and nothing inside


class Changed(NamedTuple):
    """What becomes of a client; None stays."""

    jwks: str | None = None
    grants: Sequence[str] | None = None
    dpop_bound: bool | None = None
    pushed_only: bool | None = None
    redirect_uris: Sequence[str] | None = None
    after_logout_uris: Sequence[str] | None = None
    logout_uri: str | None = None
    plain: bool | None = None
    public_only: bool | None = None


def checked(described: Described) -> Described:
    """The same in the order of our tables, its keys as they are kept. Raises WrongClient."""
    for wrong in _faults(described):
        raise wrong
    scope = tuple(scope for scope in SCOPES if scope in described.scope)
    grants = tuple(grant for grant in GRANTS if grant in described.grants)
    jwks = _keys(described.jwks) if described.jwks else ""
    return described._replace(scope=scope, grants=grants, jwks=jwks)


def check_from_page(described: Described) -> None:
    """What else holds where no operator of this computer asks: it is told of nothing inside. Raises
    WrongClient."""
    if described.logout_uri and not _is_outside(described.logout_uri):
        raise WrongClient("logout_uri", LOGOUT, address=_shown(described.logout_uri))


def _faults(described: Described) -> Iterator[WrongClient]:
    """The first is told. Without N_: what no page can ask for."""
    if not CLIENT_ID.fullmatch(described.id):
        yield WrongClient("id", ID)
    if not 0 < len(described.name.strip()) <= NAME_MAX or not described.name.isprintable():
        yield WrongClient("name", NAME, count=NAME_MAX)
    if unknown := set(described.scope) - set(SCOPES):
        yield WrongClient("scope", f"there is no scope {min(unknown)}: choose among {', '.join(SCOPES)}")
    if "openid" not in described.scope:
        yield WrongClient("scope", "the scope openid is what every client asks for")
    if unknown := set(described.grants) - set(GRANTS):
        yield WrongClient("grants", f"there is no grant {min(unknown)}: choose among {', '.join(GRANTS)}")
    if not set(described.grants) - {REFRESH}:
        yield WrongClient("grants", NO_FLOW)
    if described.public and described.jwks:
        yield WrongClient("jwks", "a public client keeps no key: leave out one of the two")
    if not described.jwks and not described.plain:
        yield WrongClient("jwks", KEYLESS)
    yield from _faults_of_addresses(described)


def _faults_of_addresses(described: Described) -> Iterator[WrongClient]:
    if not described.redirect_uris:
        yield WrongClient("redirect_uris", NO_ADDRESS)
    told = [described.logout_uri] if described.logout_uri else []
    for field, addresses in (
        ("redirect_uris", described.redirect_uris),
        ("after_logout_uris", described.after_logout_uris),
        ("logout_uri", told),
    ):
        if len(addresses) > ADDRESSES_MAX:
            yield WrongClient(field, TOO_MANY, count=ADDRESSES_MAX)
        for uri in addresses:
            if fault := fault_of_address(uri):
                yield WrongClient(field, fault, address=_shown(uri), count=URI_MAX)
    if told and not described.logout_uri.startswith(("https:", "http:")):
        yield WrongClient("logout_uri", LOGOUT, address=_shown(described.logout_uri))


def _shown(uri: str) -> str:
    return uri if len(uri) <= SHOWN_MAX else uri[:SHOWN_MAX] + "…"


def _is_outside(uri: str) -> bool:
    """Whether it names another computer than this one and its neighbours, as far as the name itself tells.

    Where a name leads is looked at when it is called (logins.py).
    """
    parts = urlsplit(uri)
    host = (parts.hostname or "").rstrip(".")
    try:
        return parts.scheme == "https" and is_public(host)
    except ValueError:
        last = host.rpartition(".")[2]
        named = "." in host and not host.endswith(OWN_NAMES) and not NUMBER.fullmatch(last)
        return parts.scheme == "https" and named


def _keys(text: str) -> str:
    try:
        return assertions.read_keys(text)
    except assertions.WrongKeys as error:
        raise WrongClient("jwks", error.sentence, **error.values) from error
