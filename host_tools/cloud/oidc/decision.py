"""What stands between a request and its answer: pure (OpenID Connect Core 1.0, 3.1.2.3 and 3.1.2.4)."""

from __future__ import annotations

from host_tools.cloud.oidc.requests import Asked, AskedWrongly

SIGN_IN, AGAIN, CONSENT, GO = "sign in", "sign in again", "consent", "go"
FRESH_S = 120  # whoever was asked to sign in again needs this long to come back here

# What an application is told that does not want its person to be asked (prompt=none).
SILENT = {SIGN_IN: "login_required", AGAIN: "login_required", CONSENT: "consent_required"}


def next_step(
    asked: Asked, signed_in_at: float | None, agreed: tuple[str, ...], ours: bool, now: float
) -> str:
    """SIGN_IN, AGAIN, CONSENT or GO. Raises AskedWrongly where only a question would help.

    agreed: the scopes that the account has let the application have. ours: nobody needs to be asked.
    """
    step = _step(asked, signed_in_at, agreed, ours, now)
    if "none" in asked.prompt and step in SILENT:
        text = "the person would have to be asked"
        raise AskedWrongly(SILENT[step], text, asked.redirect_uri, asked.state)
    return step


def _step(asked: Asked, signed_in_at: float | None, agreed: tuple[str, ...], ours: bool, now: float) -> str:
    if signed_in_at is None:
        return SIGN_IN
    age_s = now - signed_in_at
    wants_fresh = {"login", "select_account"} & set(asked.prompt)
    if age_s > FRESH_S and (wants_fresh or (asked.max_age_s is not None and age_s > asked.max_age_s)):
        return AGAIN
    if not ours and ("consent" in asked.prompt or set(asked.scope) - set(agreed)):
        return CONSENT
    return GO
