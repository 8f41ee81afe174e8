"""Messages by a Telegram bot (https://core.telegram.org/bots/api), and what people press and say there.

The bot asks for updates (long polling). One process of a cloud does: Telegram ends the older of two polls,
with 409, and gives every update to whoever asks next until it is confirmed by an offset beyond it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

from host_tools.cloud.delivery import http
from host_tools.cloud.delivery.config import TelegramSettings, is_bot_token
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.kept_secret import KeptSecret
from host_tools.cloud.languages.text import speaking
from host_tools.cloud.store.models import Message
from host_tools.cloud.store.outage import is_away

POLL_S = 25  # an update ends it at once
ANSWER_S = 20  # beyond a poll's own time
AGAIN_S = (1, 5, 15, 60)
DATABASE_AGAIN_S = 1
WANTED = ("message", "callback_query")
# 403: the person has blocked the bot, or left Telegram. 400: there is no such chat (any more).
FINAL = (400, 403)

# (chat, its name, what was said or what the pressed button holds) -> what the bot answers; "" nothing.
Listener = Callable[[str, str, str], Awaitable[str]]
log = logging.getLogger("cloud.telegram")


class Api:
    """Its token stands in every address: no failure names one. It is replaced by writing another one (of
    @BotFather's /revoke) into its file.
    """

    def __init__(self, settings: TelegramSettings):
        self._api = settings.api.rstrip("/")
        self._token = KeptSecret(settings.token, settings.token_file, is_bot_token)
        self._context = http.trusting(settings.ca_file)

    async def call(self, method: str, timeout_s: float = ANSWER_S, **parameters: Any) -> Any:
        url = f"{self._api}/bot{self._token.current()}/{method}"
        answer = await http.request(
            "POST", url, json=parameters, timeout_s=timeout_s, context=self._context
        )
        content = answer.content if isinstance(answer.content, dict) else {}
        if content.get("ok") is True:
            return content.get("result")
        asked_to_wait = content.get("parameters", {}).get("retry_after")
        wait_s = float(asked_to_wait) if isinstance(asked_to_wait, int) else answer.retry_after_s
        final = answer.status in FINAL
        raise DeliveryError(f"Telegram answered {answer.status}", permanent=final, retry_after_s=wait_s)


class Chats:
    """The driver. A message's recipient is a chat; its `extra` may hold {"buttons": [[[text, data]]]}."""

    at_once = 4

    def __init__(self, api: Api):
        self._api = api

    async def send(self, message: Message) -> str:
        parameters: dict[str, Any] = {"chat_id": message.recipient, "text": message.body}
        rows = json.loads(message.extra or "{}").get("buttons", ())
        if rows:
            keyboard = [[{"text": text, "callback_data": data} for text, data in row] for row in rows]
            parameters["reply_markup"] = {"inline_keyboard": keyboard}
        await self._api.call("sendMessage", **parameters)
        return ""

    async def arrived(self, message: Message) -> bool:
        return True


class Bot:
    """`run` hears what people say (`said`) and press (`pressed`) in their private chats with the bot."""

    def __init__(self, api: Api, said: Listener, pressed: Listener):
        self._api = api
        self._said = said
        self._pressed = pressed

    async def run(self) -> None:
        """For ever. What Telegram refuses is asked for again, ever more seldom."""
        offset, failures = 0, 0
        while True:
            try:
                updates = await self._poll(offset)
                failures = 0
            except DeliveryError as error:
                wait_s = max(AGAIN_S[min(failures, len(AGAIN_S) - 1)], error.retry_after_s or 0.0)
                log.warning("no updates: %s, again in %g s", error, wait_s)
                failures += 1
                await asyncio.sleep(wait_s)
                continue
            for update in updates:
                await self._take(update)
                offset = max(offset, update["update_id"] + 1)

    async def _poll(self, offset: int) -> list[dict[str, Any]]:
        found = await self._api.call(
            "getUpdates", POLL_S + ANSWER_S, offset=offset, timeout=POLL_S, allowed_updates=WANTED
        )
        updates = found if isinstance(found, list) else []
        return [row for row in updates if isinstance(row, dict) and isinstance(row.get("update_id"), int)]

    async def _take(self, update: dict[str, Any]) -> None:
        """Nobody sends it again once the next is asked for: while the database is away, it waits here."""
        while not await self._taken(update):
            await asyncio.sleep(DATABASE_AGAIN_S)

    async def _taken(self, update: dict[str, Any]) -> bool:
        """One that cannot be understood or carried out keeps no other waiting."""
        try:
            if "callback_query" in update:
                with _spoken_to(update["callback_query"]):
                    await self._take_press(update["callback_query"])
            elif "message" in update:
                with _spoken_to(update["message"]):
                    await self._take_text(update["message"])
        except DeliveryError as error:
            log.warning("an answer was not sent: %s", error)
        except (KeyError, TypeError, AttributeError):
            log.warning("an update was not understood")
        except Exception as error:
            if is_away(error):
                return False
            log.exception("an update failed")
        return True

    async def _take_text(self, message: dict[str, Any]) -> None:
        chat = message["chat"]
        if chat["type"] != "private":
            return
        answer = await self._said(str(chat["id"]), _name(chat), str(message.get("text", "")))
        if answer:
            await self._api.call("sendMessage", chat_id=chat["id"], text=answer)

    async def _take_press(self, query: dict[str, Any]) -> None:
        message = query["message"]
        chat = message["chat"]
        answer = await self._pressed(str(chat["id"]), _name(chat), str(query.get("data", "")))
        await self._api.call("answerCallbackQuery", callback_query_id=query["id"])
        if answer:  # in the place of the question: its buttons go with it
            await self._api.call(
                "editMessageText", chat_id=chat["id"], message_id=message["message_id"], text=answer
            )


def _spoken_to(said: dict[str, Any]) -> AbstractContextManager[None]:
    """In the language of the person's app (an IETF tag, "de-AT"), where Telegram tells of it."""
    return speaking(str(said.get("from", {}).get("language_code", ""))[:2])


def _name(chat: dict[str, Any]) -> str:
    """As people know it: "Ada Bell (@ada)"."""
    words = " ".join(str(chat[key]) for key in ("first_name", "last_name") if chat.get(key))
    at = f"@{chat['username']}" if chat.get("username") else ""
    named = f"{words} ({at})" if words and at else words or at
    return "".join(character for character in named if character.isprintable())[:80]
