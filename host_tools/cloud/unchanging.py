"""Credentials of ours that do not change by themselves, or that nobody asks for (OWASP ASVS 5, 13.2.1).

An advice for each, and no fault: whether the other side knows anything better is the operator's to find out.
"""

from __future__ import annotations

from collections.abc import Iterator

from host_tools.cloud.delivery.given import LOCAL
from host_tools.cloud.delivery.oauth_config import SECRET, OAuthSettings
from host_tools.cloud.settings import Settings

ROW = "which does not change (ASVS 13.2.1)"
BY_WHAT = "give it a table [smtp.oauth], or a certificate_file"
BY_KEY = "if its server knows private_key_jwt or tls_client_auth, give it a key_file"


def unchanging(settings: Settings) -> Iterator[str]:
    """One sentence each: whom it opens, and what could stand in its place."""
    smtp, telephony = settings.delivery.smtp, settings.delivery.telephony
    if smtp and smtp.password:
        yield f"[smtp] signs in by a password, {ROW}: {BY_WHAT} in its place."
    if smtp and smtp.host not in LOCAL and not (smtp.user or smtp.external or smtp.certificate_file):
        yield f"[smtp] does not say who we are at {smtp.host} (ASVS 13.2.1): {BY_WHAT}."
    if smtp and smtp.oauth:
        yield from _secret("smtp.oauth", smtp.oauth)
    if telephony and telephony.token:
        other = "a table [telephony.oauth] may stand in its place"
        yield f"[telephony] signs in by a token, {ROW}: {other}."
    if telephony and telephony.oauth:
        yield from _secret("telephony.oauth", telephony.oauth)
    if settings.clamd and not settings.clamd.startswith("/"):
        yield f"clamd at {settings.clamd} asks nobody who they are (ASVS 13.2.1): name its socket."
    if settings.delivery.telegram:
        remedy = "Telegram knows nothing else. Leave the section out, or replace the token from time to time"
        yield f"[telegram] signs in by a bot's token, {ROW}: {remedy}."
    for provider in settings.outside:
        if provider.client_secret:
            yield f"[{provider.id}] of --outside knows us by a client_secret, {ROW}."


def _secret(name: str, oauth: OAuthSettings) -> Iterator[str]:
    if oauth.method == SECRET:
        yield f"[{name}] gets its tokens by a client_secret, {ROW}: {BY_KEY}."
