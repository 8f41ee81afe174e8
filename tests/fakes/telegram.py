"""Telegram for one bot: the part of the Bot API that the cloud uses, and the people on the other side.

Written from https://core.telegram.org/bots/api: an answer is {"ok": true, "result": ...} or {"ok": false,
"error_code": ..., "description": ...}; updates are given until an offset beyond them confirms them; a newer
poll ends an older one with 409.
"""

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestServer

BOT, TOKEN = "gatelodge_test_bot", "123456:a-token_of-the-bot"
TEXT_MAX, DATA_MAX = 4096, 64  # bytes of a button's data


class Telegram:
    """`async with Telegram() as telegram`: telegram.url; `person = telegram.person(7, "Ada")`.

    blocked: chats that take nothing from the bot. refusals: answers for the next calls of sendMessage,
    (error code, parameters).
    """

    def __init__(self):
        self.chats, self.blocked, self.refusals, self.edited = {}, set(), [], {}
        self.polls, self.answered, self.strangers = 0, [], 0
        self._updates, self._news, self._next_id, self._poll = [], asyncio.Condition(), 1, 0
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._call)
        self._server = TestServer(app)

    async def __aenter__(self):
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    def person(self, chat, first_name, kind="private", **more):
        return Person(self, {"id": chat, "type": kind, "first_name": first_name, **more})

    async def put(self, kind, content):
        async with self._news:
            self._updates.append({"update_id": self._next_id, kind: content})
            self._next_id += 1
            self._news.notify_all()

    async def _call(self, request):
        if request.match_info["token"] != TOKEN:
            self.strangers += 1
            return _error(401, "Unauthorized")
        methods = {
            "getUpdates": self._get_updates,
            "sendMessage": self._send,
            "editMessageText": self._edit,
            "answerCallbackQuery": self._answer,
        }
        method = methods.get(request.match_info["method"])
        return await method(await request.json()) if method else _error(404, "Not Found")

    async def _get_updates(self, asked):
        self.polls += 1
        self._poll += 1
        mine = self._poll
        async with self._news:
            self._updates = [row for row in self._updates if row["update_id"] >= asked.get("offset", 0)]
            self._news.notify_all()
            try:
                async with asyncio.timeout(asked.get("timeout", 0)):
                    await self._news.wait_for(lambda: self._updates or mine != self._poll)
            except TimeoutError:
                return _result([])
        if mine != self._poll:
            return _error(409, "Conflict: terminated by other getUpdates request")
        return _result([row for row in self._updates if set(row) & set(asked["allowed_updates"])])

    async def _send(self, asked):
        if self.refusals:
            code, parameters = self.refusals.pop(0)
            return _error(code, "Too Many Requests", parameters)
        chat, text = int(asked["chat_id"]), asked["text"]
        if chat in self.blocked:
            return _error(403, "Forbidden: bot was blocked by the user")
        rows = asked.get("reply_markup", {}).get("inline_keyboard", [])
        if not 0 < len(text) <= TEXT_MAX or any(
            len(b["callback_data"].encode()) > DATA_MAX for r in rows for b in r
        ):
            return _error(400, "Bad Request")
        messages = self.chats.setdefault(chat, [])
        messages.append({"message_id": len(messages) + 1, "text": text, "rows": rows})
        return _result(messages[-1])

    async def _edit(self, asked):
        message = self.chats[int(asked["chat_id"])][asked["message_id"] - 1]
        message.update(text=asked["text"], rows=[])  # without reply_markup the buttons go
        return _result(message)

    async def _answer(self, asked):
        self.answered.append(asked["callback_query_id"])
        return _result(True)


class Person:
    """A person in a chat with the bot."""

    def __init__(self, telegram, chat):
        self._telegram, self._chat = telegram, chat
        self.language_code = "en"  # of the app

    @property
    def messages(self):
        return self._telegram.chats.get(self._chat["id"], [])

    @property
    def buttons(self):
        """What the newest message offers, {text: data}."""
        rows = self.messages[-1]["rows"] if self.messages else []
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    async def says(self, text):
        message = {"message_id": 1, "from": self._user(), "chat": self._chat, "text": text}
        await self._telegram.put("message", message)

    async def opens(self, address):
        """A deep link: the app sends its parameter when the person presses Start."""
        await self.says("/start " + address.partition("?start=")[2])

    async def presses(self, text):
        await self.presses_data(self.buttons[text])

    async def presses_data(self, data):
        message = {"message_id": len(self.messages), "chat": self._chat}
        pressed = {"id": "q", "from": self._user(), "message": message, "data": data}
        await self._telegram.put("callback_query", pressed)

    def _user(self):
        return {"id": self._chat["id"], "is_bot": False, "language_code": self.language_code}


def _result(result):
    return web.json_response({"ok": True, "result": result})


def _error(code, description, parameters=None):
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters or {}}
    return web.json_response(body, status=code)
