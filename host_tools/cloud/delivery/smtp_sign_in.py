"""Signing in to a mail server (RFC 4954): by a password, a token that ends, or the certificate of the line.

aiosmtplib knows passwords, and of tokens XOAUTH2 alone; what is standardized has its frames here.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

import aiosmtplib

from host_tools.cloud.delivery.config import SmtpSettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.token_source import TokenSource

BEARER, XOAUTH2, EXTERNAL = "OAUTHBEARER", "XOAUTH2", "EXTERNAL"
LINE_MAX = 510  # of a command, without its end (RFC 5321 section 4.5.3.1.4)
CONTINUE, DONE = 334, 235
REFUSED = (535, 534, 530)  # credentials that are not (any longer) good


async def sign_in(client: aiosmtplib.SMTP, settings: SmtpSettings, tokens: TokenSource | None) -> None:
    """As the settings say; nobody where they name none. Raises SMTPException, DeliveryError."""
    if tokens is not None:
        await _by_token(client, settings, tokens)
    elif settings.external:
        await _offered(client, (EXTERNAL,))
        await _authenticate(client, EXTERNAL, settings.user.encode(), b"")
    elif settings.user:
        await client.login(settings.user, settings.password)


async def _by_token(client: aiosmtplib.SMTP, settings: SmtpSettings, tokens: TokenSource) -> None:
    """A token that has been withdrawn is replaced once."""
    name = await _offered(client, FRAMES)
    frame, after_fault = FRAMES[name]
    for again in (False, True):
        token = await tokens.token()
        try:
            await _authenticate(client, name, frame(settings, token), after_fault)
        except aiosmtplib.SMTPAuthenticationError as error:
            if again or error.code not in REFUSED:
                raise
            tokens.refused(token)
        else:
            break


async def _offered(client: aiosmtplib.SMTP, names: Iterable[str]) -> str:
    """The first of them that the server knows. Raises DeliveryError."""
    await client.ehlo()
    known = {name.upper() for name in client.server_auth_methods}
    for name in names:
        if name in known:
            return name
    raise DeliveryError(f"the mail server does not offer AUTH {' or '.join(names)}")


async def _authenticate(client: aiosmtplib.SMTP, name: str, response: bytes, after_fault: bytes) -> None:
    """Raises SMTPAuthenticationError. after_fault: what ends an exchange that the server challenged."""
    encoded = base64.b64encode(response) or b"="  # section 4: an initial response that is empty
    if len(b"AUTH  ") + len(name) + len(encoded) > LINE_MAX:
        answer = await client.execute_command(b"AUTH", name.encode())
        if answer.code == CONTINUE:
            answer = await client.execute_command(encoded)
    else:
        answer = await client.execute_command(b"AUTH", name.encode(), encoded)
    if answer.code == CONTINUE:
        answer = await client.execute_command(base64.b64encode(after_fault))
    if answer.code != DONE:
        raise aiosmtplib.SMTPAuthenticationError(answer.code, "")  # the server's text may quote the token


def _bearer(settings: SmtpSettings, token: str) -> bytes:
    """RFC 7628 section 3.1; the user is a saslname of RFC 5801 section 4."""
    user = settings.user.replace("=", "=3D").replace(",", "=2C")
    pairs = (f"host={settings.host}", f"port={settings.port}", f"auth=Bearer {token}")
    return f"n,a={user},\x01{chr(1).join(pairs)}\x01\x01".encode()


def _xoauth2(settings: SmtpSettings, token: str) -> bytes:
    """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol"""
    return f"user={settings.user}\x01auth=Bearer {token}\x01\x01".encode()


# mechanism -> (what is sent, what is sent after a fault: RFC 7628 section 3.2.3). The first that is offered.
FRAMES = {BEARER: (_bearer, b"\x01"), XOAUTH2: (_xoauth2, b"")}
