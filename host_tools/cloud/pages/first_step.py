"""The page of the first step, which several others come back to."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.pages import forms
from host_tools.cloud.pages.render import page
from host_tools.cloud.parts import PARTS


def sign_in_page(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    """`form`: of forms.SIGN_IN."""
    providers = [provider.outside for provider in request.app[PARTS].outside.providers.values()]
    return page(request, "sign_in.html", form=form, providers=providers, status=status)
