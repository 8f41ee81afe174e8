"""The pages that links with a code lead to (links.py), in three steps at one address.

GET shows a field for the code. The script fills it from the address, forgets the address, and sends it; else
somebody types it. The first POST shows what it is for, and the second one, with the form of that page, does
it. So opening the link changes nothing: mail scanners open every link, and some run its script.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from host_tools.cloud import links
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import Handler
from host_tools.cloud.pages.render import page

CODE = forms.Field(
    "link_code",
    N_("Enter the code of the message."),
    80,
    lambda typed: None if links.parsed(typed) else N_("That is not the code of the message. Compare them."),
)
DOING = forms.Field("doing", "", 10, optional=True)

Step = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Opened(NamedTuple):
    """look, act: what the first and the second POST answer, given the code. title: marked for translation."""

    title: str
    look: Step
    act: Step

    async def get(self, request: web.Request) -> web.StreamResponse:
        return self._ask(request, {}, 200)

    async def post(self, request: web.Request) -> web.StreamResponse:
        filled = await forms.read(request, (CODE, DOING))
        if filled.errors:
            return self._ask(request, filled.errors, 422, filled.values[CODE.name])
        step = self.act if filled.values[DOING.name] else self.look
        return await step(request, links.parsed(filled.values[CODE.name]))

    def _ask(
        self, request: web.Request, errors: dict[str, str], status: int, typed: str = ""
    ) -> web.Response:
        return page(request, "opened.html", title=self.title, typed=typed, errors=errors, status=status)


def moved(address: str) -> Handler:
    """Of a link whose path held its token."""

    async def lead(request: web.Request) -> web.StreamResponse:
        raise web.HTTPSeeOther(f"{address}#{request.match_info['token']}")

    return lead
