"""Pages of the applications that may sign people in, for staff with the role for it (guards.for_registrar).

What is wrong with an application is said by oidc/described.py, here as at the console.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import told
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_
from host_tools.cloud.oidc.described import CODE, DEVICE, GRANTS, REFRESH, USUAL_GRANTS, Changed, Described
from host_tools.cloud.oidc.registrar import Held
from host_tools.cloud.oidc.requests import SCOPES
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

BY_KEY, BY_SECRET, BY_NOTHING = "key", "secret", "nothing"
PROOFS = {
    BY_KEY: N_("by its key (private_key_jwt)"),
    BY_SECRET: N_("by a secret that we make"),
    BY_NOTHING: N_("by nothing: it can keep no secret"),
}
GRANT_WORDS = {
    CODE: N_("Sign people in by a browser"),
    REFRESH: N_("Stay signed in"),
    DEVICE: N_("Sign people in by a device's code"),
}
CHOSEN = ("profile", "email", "offline_access")  # the scope openid is every application's
TEXT_MAX = 10_000


def check_proof(value: str) -> str | None:
    return None if value in PROOFS else N_("Choose from the list how it proves itself.")


ID = forms.Field("id", N_("Give it an id, for example “garden”."), 39)
NAME = forms.Field("name", N_("Name it as people know it."), 80, forms.check_name)
PROOF = forms.Field("proof", N_("Choose from the list how it proves itself."), 10, check_proof)
ADDRESSES = (
    forms.Field("redirect_uris", "", TEXT_MAX, optional=True, lines=True),
    forms.Field("after_logout_uris", "", TEXT_MAX, optional=True, lines=True),
    forms.Field("logout_uri", "", 400, optional=True),
    forms.Field("jwks", "", TEXT_MAX, optional=True, lines=True),
    forms.Field("plain", "", 10, optional=True),
)
TICKS = tuple(forms.Field(name, "", 10, optional=True) for name in (*GRANTS, *CHOSEN))
MARK = forms.Field("mark", "", 40, optional=True)
ADD = (ID, NAME, PROOF, *ADDRESSES, *TICKS, forms.OWN_PASSWORD)
CHANGE = (*ADDRESSES, *TICKS[: len(GRANTS)], MARK, forms.OWN_PASSWORD)


# A method of Registrar: the client's id, the password, the visit.
Act = Callable[[str, str, Visit], Awaitable[None]]


class Deed(NamedTuple):
    """What is asked about on a page of its own: its button, and what it says of its consequence."""

    title: str
    says: str
    button: str
    sure: str = ""  # beside a tick; "": there is none


DEEDS = {
    "secret": Deed(
        N_("Make a new secret"),
        N_("The secret that it has now opens nothing from then on, and the new one is shown once."),
        N_("Make a new secret"),
    ),
    "disable": Deed(
        N_("Disable the application"),
        N_(
            "Nobody signs in with it, and all its tokens are void at once, also for devices that were let "
            "in. What people have agreed to is kept until it is enabled. "
            "Sessions that it keeps by itself go on."
        ),
        N_("Disable it"),
    ),
    "enable": Deed(
        N_("Enable the application"),
        N_("People sign in with it again, and are not asked anew what they have agreed to."),
        N_("Enable it"),
    ),
    "remove": Deed(
        N_("Remove the application"),
        N_(
            "Nobody signs in with it, all its tokens are void at once, and everybody is disconnected from "
            "it. Sessions that it keeps by itself go on, and it is not told when one of ours ends. An "
            "application that is registered under its id later is another one."
        ),
        N_("Remove it"),
        N_("Remove it, with everything that people have agreed to, for good."),
    ),
}


async def overview(request: web.Request) -> web.StreamResponse:
    parts = request.app[PARTS]
    rows, done = await parts.registrar.all(), await parts.registrar.history()
    return page(
        request, "clients.html", rows=rows, no_exceptions=parts.oidc.strict, done=done, told=told
    )


async def add(request: web.Request) -> web.StreamResponse:
    form = forms.empty(ADD)
    form.values.update(dict.fromkeys((*USUAL_GRANTS, "profile", "email"), "yes"), proof=BY_KEY)
    return _add_page(request, form)


async def post_add(request: web.Request) -> web.StreamResponse:
    form, status = await forms.read(request, ADD), 422
    if not form.errors:
        try:
            described, registrar = _described(form.values), request.app[PARTS].registrar
            secret = await registrar.add(described, form.values["password"], request[VISIT])
        except RefusedError as error:
            form, status = _refused(form, error), status_of(error)
        else:
            return _registered_page(request, described.id, described.name, secret)
    return _add_page(request, form, status)


async def client(request: web.Request) -> web.StreamResponse:
    held = await request.app[PARTS].registrar.look(request.match_info["id"])
    found, ticks = held.client, dict.fromkeys(held.client.grants.split(), "yes")
    values = {name: getattr(found, name) for name in ("redirect_uris", "after_logout_uris", "logout_uri")}
    form = forms.empty(CHANGE)
    form.values.update(values, **ticks, plain="yes" if found.plain else "", mark=held.mark)
    return _client_page(request, held, form)


async def post_change(request: web.Request) -> web.StreamResponse:
    registrar, client_id = request.app[PARTS].registrar, request.match_info["id"]
    form, status = await forms.read(request, CHANGE), 422
    values = form.values
    if not form.errors:
        try:
            await registrar.change(
                client_id, _changed(values), values["mark"], values["password"], request[VISIT]
            )
        except RefusedError as error:
            form, status = _refused(form, error), status_of(error)
        else:
            raise web.HTTPSeeOther(f"/clients/{client_id}?done=client-changed")
    return _client_page(request, await registrar.look(client_id), form, status)


async def ask(request: web.Request) -> web.StreamResponse:
    return await _deed_page(request, {})


async def post_secret(request: web.Request) -> web.StreamResponse:
    form, client_id = await forms.read(request, (forms.OWN_PASSWORD,)), request.match_info["id"]
    registrar = request.app[PARTS].registrar
    if form.errors:
        return await _deed_page(request, form.errors, 422)
    try:
        secret = await registrar.new_secret(client_id, form.values["password"], request[VISIT])
    except RefusedError as error:
        return await _deed_page(request, refused(error), status_of(error))
    name = (await registrar.look(client_id)).client.name
    return _registered_page(request, client_id, name, secret)


async def post_disable(request: web.Request) -> web.StreamResponse:
    return await _done(request, request.app[PARTS].registrar.disable, "client-disabled")


async def post_enable(request: web.Request) -> web.StreamResponse:
    return await _done(request, request.app[PARTS].registrar.enable, "client-enabled")


async def post_remove(request: web.Request) -> web.StreamResponse:
    return await _done(request, request.app[PARTS].registrar.remove, "client-removed", forms.SURE)


async def _done(request: web.Request, act: Act, notice: str, *fields: forms.Field) -> web.StreamResponse:
    form = await forms.read(request, (*fields, forms.OWN_PASSWORD))
    if form.errors:
        return await _deed_page(request, form.errors, 422)
    try:
        await act(request.match_info["id"], form.values["password"], request[VISIT])
    except RefusedError as error:
        return await _deed_page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther(f"/clients?done={notice}")


def _refused(form: forms.Filled, error: RefusedError) -> forms.Filled:
    """A key that is not taken is not shown again: it may be a private one."""
    errors = refused(error)
    shown = {**form.values, "jwks": ""} if "jwks" in errors else form.values
    return forms.Filled(shown, errors)


def _described(values: dict[str, str]) -> Described:
    """Raises nothing: what is wrong is found where it is registered."""
    by = values["proof"]
    return Described(
        id=values["id"],
        name=values["name"],
        redirect_uris=_addresses(values["redirect_uris"]),
        after_logout_uris=_addresses(values["after_logout_uris"]),
        logout_uri=values["logout_uri"],
        scope=[scope for scope in SCOPES if scope not in CHOSEN or values[scope]],
        public=by == BY_NOTHING,
        jwks=values["jwks"] if by == BY_KEY else "",
        grants=[grant for grant in GRANTS if values[grant]],
        plain=bool(values["plain"]),
    )


def _changed(values: dict[str, str]) -> Changed:
    """No new key leaves those that there are."""
    return Changed(
        jwks=values["jwks"] or None,
        grants=[grant for grant in GRANTS if values[grant]],
        redirect_uris=_addresses(values["redirect_uris"]),
        after_logout_uris=_addresses(values["after_logout_uris"]),
        logout_uri=values["logout_uri"],
        plain=bool(values["plain"]),
    )


def _addresses(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _registered_page(request: web.Request, client_id: str, name: str, secret: str) -> web.Response:
    return page(request, "client_registered.html", id=client_id, name=name, secret=secret)


def _add_page(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    return page(
        request, "client_add.html", form=form, proofs=PROOFS, grants=GRANT_WORDS, scopes=CHOSEN, status=status
    )


def _client_page(request: web.Request, held: Held, form: forms.Filled, status: int = 200) -> web.Response:
    return page(request, "client.html", held=held, form=form, grants=GRANT_WORDS, status=status)


async def _deed_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    held = await request.app[PARTS].registrar.look(request.match_info["id"])
    deed = DEEDS[request.path.rpartition("/")[2]]
    return page(request, "client_deed.html", held=held, deed=deed, errors=errors, status=status)
