"""Which language a request is answered in: what the reader chose here, else what the browser asks for.

A page, an answer and an error are all said in one go, without waiting: the language is set before
(text.speak), and set again by whoever has waited meanwhile.
"""

from gatelodge.contract import languages
from gatelodge.text import speak

COOKIE = "__Host-language"
LASTS_S = 400 * 86400  # browsers keep no cookie longer

_ACCEPTED = b"\r\naccept-language:"
_CHOSEN = COOKIE.encode() + b"="


def of(request):
    """The tag for a message.Request, which keeps it."""
    if not request.language:
        accepted = request.headers.get("Accept-Language")
        request.language = languages.chosen(request.cookies.get(COOKIE), accepted)
    return request.language


def of_head(raw):
    """The same for a head that was refused before it was read: as far as it can be told from its bytes."""
    if not raw:
        return languages.ENGLISH.tag
    chosen = raw.split(_CHOSEN, 1)[1][:2] if _CHOSEN in raw else b""
    start = raw.lower().find(_ACCEPTED)
    accepted = raw[start + len(_ACCEPTED) :].split(b"\r\n", 1)[0] if start >= 0 else b""
    try:
        return languages.chosen(str(chosen, "utf-8"), str(accepted, "utf-8"))
    except UnicodeError:
        return languages.ENGLISH.tag


async def kept(request, answering):
    """Await an answer that takes a while, in the request's language before and after."""
    speak(of(request))
    try:
        return await answering
    finally:
        speak(of(request))
