"""What an application asks at the authorization endpoint: pure, one row per parameter.

OpenID Connect Core 1.0 section 3.1.2, OAuth 2.0 (RFC 6749 section 4.1), PKCE (RFC 7636), and what OAuth's
security practice (RFC 9700) makes of them: the code flow alone, S256 for every client, addresses compared
letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from host_tools.cloud.languages.text import N_

SCOPES = ("openid", "profile", "email", "offline_access")
PROMPTS = ("none", "login", "consent", "select_account")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # as a thumbprint: 256 bits in base64url
# RFC 6749 appendix A: what a state may hold. It comes back to the application as it was.
PRINTABLE = re.compile(r"[\x20-\x7e]*")
WRITTEN = re.compile(r"[\x21-\x7e]+")  # what a URL is written in
REGISTERED = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")  # RFC 3986 section 2, and no more
HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # as a name, or an address without its brackets
MAX_AGE = re.compile(r"[0-9]{1,9}")
URI_MAX = 400
LENGTH_MAX = {"state": 1000, "nonce": 200, "scope": 400, "login_hint": 254}


class Known(NamedTuple):
    """What the request is checked against: a registered application."""

    id: str
    redirect_uris: tuple[str, ...]
    scope: tuple[str, ...]


class Asked(NamedTuple):
    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    state: str
    nonce: str
    challenge: str
    prompt: tuple[str, ...]
    max_age_s: int | None
    pushed: str  # the reference by which the browser brought it; "" the question itself
    jkt: str  # thumbprint of the key that alone may bring the code; "" any (RFC 9449 section 10)


class AskedWrongly(Exception):  # noqa: N818 - it is an answer of the protocol, not a fault of ours
    """`error` goes back to the application; the text is for whoever builds it."""

    def __init__(self, error: str, text: str, redirect_uri: str = "", state: str = ""):
        super().__init__(text)
        self.error = error
        self.text = text
        self.redirect_uri = redirect_uri  # "": nobody who could be told; the person is
        self.state = state


class Rule(NamedTuple):
    """What is wrong where `broken` is true of the parameters."""

    broken: Callable[[Mapping[str, str]], bool]
    error: str
    text: str


# The first that is broken is the answer.
RULES = (
    Rule(lambda given: "request" in given, "request_not_supported", "a request object is not supported"),
    Rule(lambda given: "request_uri" in given, "request_uri_not_supported", "request_uri is not supported"),
    Rule(lambda given: not _fits(given), "invalid_request", "a parameter is too long, or not printable"),
    Rule(
        lambda given: given.get("response_type") != "code",
        "unsupported_response_type",
        "response_type must be code",
    ),
    Rule(
        lambda given: given.get("response_mode", "query") != "query",
        "invalid_request",
        "response_mode must be query",
    ),
    Rule(
        lambda given: (
            given.get("code_challenge_method") != "S256"
            or not CHALLENGE.fullmatch(given.get("code_challenge", ""))
        ),
        "invalid_request",
        "a code_challenge by S256 is required (RFC 7636)",
    ),
    Rule(
        lambda given: "dpop_jkt" in given and not CHALLENGE.fullmatch(given["dpop_jkt"]),
        "invalid_request",
        "dpop_jkt is a key's thumbprint by SHA-256 (RFC 9449)",
    ),
    Rule(lambda given: "openid" not in _words(given, "scope"), "invalid_scope", "scope must name openid"),
    Rule(
        lambda given: not _fit_together(_words(given, "prompt")),
        "invalid_request",
        "prompt is none, or some of login, consent and select_account",
    ),
    Rule(
        lambda given: not MAX_AGE.fullmatch(given.get("max_age", "0")),
        "invalid_request",
        "max_age is a number of seconds",
    ),
)


def read(given: Mapping[str, str], repeated: frozenset[str], known: Known | None, pushed: str = "") -> Asked:
    """Raises AskedWrongly.

    repeated: parameters that came more than once, which none may (RFC 6749 section 3.1).
    """
    known, redirect_uri = _told(given, repeated, known)
    state = given.get("state", "") if _fits(given) else ""
    if repeated:
        text = f"{sorted(repeated)[0]} is there twice"
        raise AskedWrongly("invalid_request", text, redirect_uri, state)
    for rule in RULES:
        if rule.broken(given):
            raise AskedWrongly(rule.error, rule.text, redirect_uri, state)
    asked = _words(given, "scope")
    return Asked(
        client_id=known.id,
        redirect_uri=redirect_uri,
        scope=tuple(scope for scope in known.scope if scope in asked),  # what is unknown is left out
        state=state,
        nonce=given.get("nonce", ""),
        challenge=given["code_challenge"],
        prompt=_words(given, "prompt"),
        max_age_s=int(given["max_age"]) if "max_age" in given else None,
        pushed=pushed,
        jkt=given.get("dpop_jkt", ""),
    )


def _words(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(given.get(name, "").split())


def _fits(given: Mapping[str, str]) -> bool:
    values = ((given.get(name, ""), longest) for name, longest in LENGTH_MAX.items())
    return all(len(value) <= longest and PRINTABLE.fullmatch(value) for value, longest in values)


def _fit_together(prompt: tuple[str, ...]) -> bool:
    return not set(prompt) - set(PROMPTS) and ("none" not in prompt or len(prompt) == 1)


def _told(given: Mapping[str, str], repeated: frozenset[str], known: Known | None) -> tuple[Known, str]:
    """Who asks, and where the answer may go. Without both, nobody is sent anywhere."""
    if known is None or "client_id" in repeated:
        raise AskedWrongly("invalid_client", N_("This application is not known here."))
    uri = given.get("redirect_uri", "")
    if "redirect_uri" in repeated or not any(same_address(uri, one) for one in known.redirect_uris):
        raise AskedWrongly(
            "invalid_request", N_("This application wants its answer at an address that is not its own.")
        )
    return known, uri


def same_address(given: str, registered: str) -> bool:
    """Letter by letter; but an app on this computer listens at whatever port is free (RFC 8252, 7.3)."""
    if given == registered:
        return True
    if len(given) > URI_MAX or not WRITTEN.fullmatch(given):  # urlsplit overlooks tabs and ends of lines
        return False
    try:
        one, other = urlsplit(given), urlsplit(registered)
        _ = one.port
    except ValueError:
        return False
    loopback = other.scheme == "http" and other.hostname in ("127.0.0.1", "::1")
    bare = one.netloc == one.netloc.rpartition("@")[2]
    same = (one.scheme, one.hostname, one.path, one.query, one.fragment)
    return (
        loopback and bare and same == (other.scheme, other.hostname, other.path, other.query, other.fragment)
    )


NO_URL = N_("%(address)s is no URL.")
UNWRITTEN = N_(
    "An address has at most %(count)s characters, all of them such as a URL has: a name in other letters is "
    "written as xn--…"
)
FRAGMENT = N_("%(address)s has a fragment: leave out the # and what follows it.")
WILDCARD = N_("%(address)s has a wildcard: addresses are compared letter by letter, so write each one out.")
NAMES_USER = N_("%(address)s holds a user: leave out what stands before the @.")
SCHEME = N_(
    "%(address)s must begin with https:, with http: where it is on the person's own computer, or with an "
    "app's own scheme like org.example.app:"
)


def fault_of_address(uri: str) -> str | None:
    """Why an address cannot be registered, as a key of the catalogues; None where it can."""
    if len(uri) > URI_MAX or not REGISTERED.fullmatch(uri):
        return UNWRITTEN
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return NO_URL
    if "#" in uri:  # RFC 6749 section 3.1.2
        return FRAGMENT
    if "*" in uri:
        return WILDCARD
    if parts.username is not None or parts.password is not None:
        return NAMES_USER
    if parts.scheme == "https" and parts.hostname and HOST.fullmatch(parts.hostname):
        return None
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"):
        return None
    if "." in parts.scheme:  # an app's own scheme is a reversed domain name (RFC 8252 section 7.1)
        return None
    return SCHEME


def answer_address(redirect_uri: str, **fields: str) -> str:
    """The address with the answer in its query, beside what is there (RFC 6749 section 4.1.2)."""
    parts = urlsplit(redirect_uri)
    added = urlencode({name: value for name, value in fields.items() if value})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))
