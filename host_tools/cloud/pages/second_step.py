"""Pages of the sign-in's second step. Which methods are open, and which is asked, signin.py says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from aiohttp import web

from host_tools.cloud.accounts import codes, numbers, signin
from host_tools.cloud.accounts.attempts import START_AGAIN, Waiting
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.second_step import Entered
from host_tools.cloud.accounts.sessions import WHOLE_S
from host_tools.cloud.delivery.post import TELEGRAM
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.pages import deliveries, forms, live
from host_tools.cloud.pages.cookies import set_cookie
from host_tools.cloud.pages.first_step import sign_in_page
from host_tools.cloud.pages.guards import SESSION_COOKIE, refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

CHOOSE = "/security/choose"


class Words(NamedTuple):
    title: str
    label: str  # of the field, or what is to be done
    offer: str  # the button that asks this way


WORDS = {
    "authenticator": Words(
        N_("Enter the code"), N_("Code from your authenticator app"), N_("Use an authenticator app")
    ),
    "passkey": Words(N_("Use your passkey"), N_("Your device asks you to unlock it."), N_("Use a passkey")),
    "telegram": Words(N_("Answer in Telegram"), N_("Press the button in the chat."), N_("Ask in Telegram")),
    "telegram_code": Words(
        N_("Enter the code"), N_("Code from the Telegram chat"), N_("Send a code in Telegram")
    ),
    "sms": Words(N_("Enter the code"), N_("Code from the text message"), N_("Send a text message")),
    "push": Words(N_("Agree on a trusted browser"), "", N_("Ask on a trusted browser")),
    "mail": Words(N_("Enter the code"), N_("Code from the e-mail"), N_("Send a code by e-mail")),
    "voice": Words(N_("Answer a call"), N_("Last four digits of the number that called"), N_("Call instead")),
    "recovery": Words(N_("Use a recovery code"), N_("Recovery code"), N_("Use a recovery code")),
}


async def code(request: web.Request) -> web.StreamResponse:
    return await code_page(request, {})


async def post_code(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.CODE, forms.TRUST))
    if filled.errors:
        return await code_page(request, filled.errors, 422)
    wants_trust, second_step = bool(filled.values["trust"]), request.app[PARTS].second_step
    try:
        entered = await second_step.answer(filled.values["code"], wants_trust, request[VISIT])
    except RefusedError as error:
        return await code_page(request, refused(error), status_of(error))
    raise signed_in(entered, "/routers?done=clock-learned" if entered.learned else "/routers")


async def post_method(request: web.Request) -> web.StreamResponse:
    """Another way, or the same once more."""
    filled = await forms.read(request, (forms.METHOD, forms.PHONE_ID))
    second_step, visit = request.app[PARTS].second_step, request[VISIT]
    method, phone_id = filled.values["method"], filled.values["phone"]
    waiting = await second_step.waiting(visit)
    asked_before = waiting.row.method if waiting else ""
    try:
        asked = await (second_step.choose(method, phone_id, visit) if method else second_step.send(visit))
    except RefusedError as error:
        return await code_page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/sign-in/code" + ("?done=texted" if asked != (method or asked_before) else ""))


async def post_take(request: web.Request) -> web.StreamResponse:
    """After somebody agreed elsewhere."""
    filled = await forms.read(request, (forms.TRUST,))
    try:
        entered = await request.app[PARTS].second_step.take(bool(filled.values["trust"]), request[VISIT])
    except RefusedError as error:
        return await code_page(request, refused(error), status_of(error))
    raise signed_in(entered)


async def live_state(request: web.Request) -> web.StreamResponse:
    """What the open page waits for: that somebody agrees."""
    parts, visit = request.app[PARTS], request[VISIT]

    async def snapshot() -> dict[str, Any] | None:
        waiting = await parts.second_step.waiting(replace(visit, now=parts.clock()))
        return _told(waiting) if waiting else {"version": signin.VOID}

    waiting = await parts.second_step.waiting(visit)
    if waiting is None:
        raise web.HTTPNotFound
    return await live.stream(request, snapshot, (f"sign-in:{waiting.row.id}",), visit.browser_hash)


async def code_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    """Where nothing waits any more, the first step again."""
    visit = request[VISIT]
    waiting = await request.app[PARTS].second_step.waiting(visit)
    if waiting is None:
        told = {"": START_AGAIN} if errors or status != 200 or "over" in request.query else {}
        filled = forms.empty(forms.SIGN_IN)._replace(errors=told)
        return sign_in_page(request, filled, status)
    context = _words_of(waiting, visit.now)
    context["left_s"], context["support"] = None, request.app[PARTS].settings.support_email
    if waiting.row.method == "authenticator":
        factors = request.app[PARTS].factors
        context["left_s"] = await factors.code_left_s(waiting.account.id, visit.now)
    return page(request, "code.html", errors=errors, waiting=waiting, status=status, **context)


def _told(waiting: Waiting) -> dict[str, Any]:
    """What the open page is told: another version loads it again, a fault is said in place."""
    version = f"{waiting.row.state} {waiting.row.method}"
    return {"version": version, "delivery": _fault_of(waiting) if waiting.sent else ""}


def _fault_of(waiting: Waiting) -> str:
    if waiting.row.method == "push":
        return ""  # an open page may still be asked
    faults = deliveries.CALL if waiting.row.method == "voice" else deliveries.CODE
    return deliveries.told(faults, waiting.progress)


def signed_in(entered: Entered, address: str = "/routers") -> web.HTTPSeeOther:
    answer = web.HTTPSeeOther(CHOOSE if entered.lead else address)
    if entered.state != signin.SIGNED_IN:
        return web.HTTPSeeOther("/sign-in/code")
    set_cookie(answer, SESSION_COOKIE, entered.session_token or "", WHOLE_S)
    return answer


def _ways(name: str, waiting: Waiting) -> list[tuple[str, str, str]]:
    """The buttons that ask by this method: (method, phone id, what it says). One for each number."""
    if name not in signin.BY_PHONE:
        return [] if name == waiting.row.method else [(name, "", WORDS[name].offer)]
    sent_to = waiting.sent.recipient if waiting.sent and waiting.row.method == name else ""
    return [
        (name, phone.id, f"{_(WORDS[name].offer)} ({numbers.hinted(phone.number)})")
        for phone in waiting.phones
        if phone.number != sent_to
    ]


def _words_of(waiting: Waiting, now: float) -> dict[str, Any]:
    method = signin.BY_NAME[waiting.row.method]
    others = [way for name in waiting.offered for way in _ways(name, waiting)]
    sent_to = waiting.sent.recipient if waiting.sent else ""
    sent_to = "Telegram" if method.channel == TELEGRAM and sent_to else sent_to
    return {
        "sent_to": numbers.hinted(sent_to) if sent_to.startswith("+") else sent_to,
        "words": WORDS[method.name],
        "method": method,
        "others": others,
        "resend_s": int(codes.resend_wait_s(waiting.sent, now) + 0.999),
        "told": _told(waiting),
        "approved": waiting.row.state == signin.APPROVED,
    }
