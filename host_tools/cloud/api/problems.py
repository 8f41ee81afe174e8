"""Errors of the API, all of one form: problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError, ThrottledError

TYPE = "application/problem+json"
REALM = 'Bearer realm="api"'
# status -> what to do about it. Those of an operation are in its row (operations.py); the rest any may have.
DETAILS = {
    400: "The request cannot be read. Send it as HTTP asks.",
    401: "Send a personal token that is neither expired nor revoked, as Authorization: Bearer.",
    403: "The token's scopes do not cover this. Make one that has the scope.",
    404: "There is nothing at this address, or it is another account's.",
    405: "That method is not offered here. Allow says which are.",
    408: "The request did not arrive in time. Send it again.",
    413: "The request is too large. Send less.",
    421: "This name is not one of ours. Use the address that the cloud's operator gave you.",
    422: "The request was understood and refused.",
    429: "Too many requests. Wait as long as Retry-After says.",
    500: "Something went wrong on our side. Try again; if it stays, write to support.",
    503: "Too much is going on right now. Try again in a few seconds.",
}


class ProblemError(Exception):
    """An answer that is no success. detail: "" for the status's own; parameter: which one is wrong."""

    def __init__(
        self, status: int, detail: str = "", parameter: str = "", headers: Mapping[str, str] | None = None
    ):
        super().__init__(detail or DETAILS[status])
        self.status, self.detail, self.parameter = status, detail, parameter
        self.headers = dict(headers or {})


def answer(error: ProblemError) -> web.Response:
    """`type` is left out: about:blank, the title is the status's (RFC 9457 section 4.2.1)."""
    status = error.status
    body = {"title": title(status), "status": status, "detail": error.detail or DETAILS[status]}
    if error.parameter:
        body["parameter"] = error.parameter
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type=TYPE, headers=error.headers)


def title(status: int) -> str:
    return HTTPStatus(status).phrase


def of_status(status: int, error: web.HTTPException | None = None) -> web.Response:
    """Of a request that no operation answered. Allow of a 405 stays (RFC 9110 section 15.5.6)."""
    headers = {}
    if error is not None and "Allow" in error.headers:
        headers["Allow"] = error.headers["Allow"]
    return answer(ProblemError(status if status in DETAILS else 400, headers=headers))


def of_refusal(error: RefusedError) -> ProblemError:
    if isinstance(error, ThrottledError):
        return ProblemError(429, error.text, headers={"Retry-After": str(error.wait_s)})
    return ProblemError(422, error.text, error.field)


def no_token(sent: bool) -> ProblemError:
    """RFC 6750 section 3.1: without a token no error code, for nothing was tried."""
    challenge = REALM + ', error="invalid_token"' if sent else REALM
    return ProblemError(401, headers={"WWW-Authenticate": challenge})


def no_scope(scope: str) -> ProblemError:
    challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    detail = f"The token has no scope {scope}. Make one that has it."
    return ProblemError(403, detail, headers={"WWW-Authenticate": challenge})
