"""The outbox of development: what would have been sent. Its routes exist in development only."""

from __future__ import annotations

import re

from aiohttp import web
from markupsafe import Markup, escape

from host_tools.cloud.delivery.post import MAIL, PUSH, SMS, TELEGRAM, VOICE
from host_tools.cloud.pages.render import page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.models import OutboxMessage

LINK = re.compile(r"https://[^\s<]+")
CHANNEL_WORDS = {MAIL: "Mail", SMS: "SMS", VOICE: "Call", TELEGRAM: "Telegram", PUSH: "Push"}


async def messages(request: web.Request) -> web.StreamResponse:
    rows = [(message, _with_links(message.body)) for message in await _messages(request)]
    return page(request, "outbox.html", rows=rows, channels=CHANNEL_WORDS)


async def messages_json(request: web.Request) -> web.StreamResponse:
    """The same for scripts: the newest first."""
    names = ("id", "channel", "recipient", "subject", "body", "created_at")
    return web.json_response(
        [{name: getattr(row, name) for name in names} for row in await _messages(request)]
    )


async def _messages(request: web.Request) -> list[OutboxMessage]:
    outbox = request.app[PARTS].outbox
    return await outbox.messages() if outbox else []


def _with_links(body: str) -> Markup:
    return Markup(LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', str(escape(body))))
