"""How we get tokens that end, in place of what does not change: a table in a section.

    [telephony.oauth]
    token_url = "https://oauth.example.org/token"
    client_id = "gatelodge"
    key_file = "telephony.key"
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from host_tools.cloud.delivery.given import check_address, check_ca_file, check_pair, check_private, fault
from host_tools.cloud.delivery.signing_key import SigningKey

# The names of IANA's "OAuth Token Endpoint Authentication Methods".
KEY, CERTIFICATE, SECRET = "private_key_jwt", "tls_client_auth", "client_secret_post"


@dataclass(frozen=True)
class OAuthSettings:
    """One client of one authorization server (RFC 6749 section 4.4).

    method: KEY signs who we are (RFC 7523), CERTIFICATE shows it (RFC 8705), SECRET is for servers that know
    neither: it does not change by itself. certificate_file beside KEY: the assertion names it (x5t#S256).
    audience: whom the assertion is for; the token_url where it is not named.
    """

    token_url: str
    client_id: str
    method: str = KEY
    key_file: str = ""
    certificate_file: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    audience: str = ""
    ca_file: str = ""


class Method(NamedTuple):
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()


METHODS = {
    KEY: Method(needs=("key_file",), takes=("certificate_file", "audience")),
    CERTIFICATE: Method(needs=("certificate_file", "key_file")),
    SECRET: Method(needs=("client_secret",)),
}
OF_METHODS = ("key_file", "certificate_file", "client_secret", "audience")


def check_oauth(name: str, oauth: OAuthSettings) -> None:
    """name: of the section, as it stands in the file. Raises ToolError."""
    check_address(name, "token_url", oauth.token_url)
    check_ca_file(oauth.ca_file)
    if oauth.method not in METHODS:
        raise fault(f"method of [{name}] is {oauth.method!r}", f"write {', '.join(METHODS)}")
    method = METHODS[oauth.method]
    given = [key for key in OF_METHODS if getattr(oauth, key)]
    for key in method.needs:
        if key not in given:
            raise fault(f"[{name}] has no {_key(key)}", f"{oauth.method} needs it")
    for key in given:
        if key not in method.needs + method.takes:
            raise fault(f"{_key(key)} of [{name}] is no use", f"{oauth.method} takes none: leave it out")
    if oauth.certificate_file:
        check_pair(name, oauth.certificate_file, oauth.key_file, "name both in PEM")
    if oauth.method == KEY:
        _check_key(name, oauth)


def _check_key(name: str, oauth: OAuthSettings) -> None:
    path, remedy = Path(oauth.key_file), "make one: openssl ecparam -genkey -name prime256v1 -noout"
    if not path.is_file():
        raise fault(f"there is no file {path}", "name a private key in PEM")
    check_private(path)
    try:
        SigningKey.read(path)
    except ValueError as error:
        raise fault(f"key_file of [{name}]: {error}", remedy) from error


def _key(name: str) -> str:
    return f"{name}_file" if name == "client_secret" else name
