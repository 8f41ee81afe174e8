"""What stands in front of every operation: the token, its scope, its pace, and the parameters."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.api import openapi, parameters, problems
from host_tools.cloud.api.operations import Asked, Operation
from host_tools.cloud.api.tokens import Bearer
from host_tools.cloud.languages.text import ENGLISH, speak
from host_tools.cloud.parts import PARTS


async def describe(request: web.Request) -> web.StreamResponse:
    """For anybody: it holds nothing of an account."""
    return web.json_response(openapi.description(request.app[PARTS].settings.public_url))


def served(row: Operation):
    """The handler of a row."""

    async def handler(request: web.Request) -> web.StreamResponse:
        speak(ENGLISH)  # whatever the browser asks for: programs read this
        try:
            return await _answer(row, request)
        except problems.ProblemError as problem:
            return problems.answer(problem)
        except RefusedError as error:
            return problems.answer(problems.of_refusal(error))
        except NotTheirsError:
            return problems.of_status(404)

    return handler


async def _answer(row: Operation, request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    bearer = await _bearer(request)
    await parts.turnstile.take("api", account=bearer.token_id, address="")
    if row.scope not in bearer.scopes:
        raise problems.no_scope(row.scope)
    values = parameters.of_path(row.in_path, request.match_info)
    values |= parameters.of_query(row.in_query, list(request.query.items()))
    agent = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
    visit = Visit("", request.remote or "", agent, parts.clock(), account=bearer.account)
    found = await row.answer(Asked(parts, visit, values))
    headers = {"Location": f"{request.path}/{found['id']}"} if row.status == 202 else {}
    return web.json_response(found, status=row.status, headers=headers)


async def _bearer(request: web.Request) -> Bearer:
    """Raises ProblemError, ThrottledError: wrong tokens are counted by the address, right ones never."""
    parts = request.app[PARTS]
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise problems.no_token(sent=False)
    found = await parts.tokens.bearer(token.strip(), parts.clock())
    if found is None:
        await parts.turnstile.take("api_wrong", account="", address=request.remote or "")
        raise problems.no_token(sent=True)
    return found
