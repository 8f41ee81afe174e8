"""What a handler answers: a page, data for the script, or another place to go."""

from microdot import Response

from gatelodge import compat
from gatelodge.web.html import escape

HTML = "text/html; charset=utf-8"
JSON = "application/json"
NO_STORE = "no-store"  # pages and data are of this moment and of this person


def is_for_script(path):
    return path.startswith("/api/") or path == "/live"


def page(html, status=200, cookies=()):
    return Response(html, status, _headers(HTML, cookies))


def data(value, status=200, cookies=()):
    return Response(compat.json.dumps(value).encode(), status, _headers(JSON, cookies))


def see_other(target):
    return Response(b"", 303, {"Location": target, "Cache-Control": NO_STORE})


def signin_error(error):
    """The answer to SigninError: 429 when waiting helps, else 422."""
    body = {"field": error.field, "text": error.text, "wait_s": error.wait_s, "offer": error.offer}
    response = data({"error": body}, 429 if error.wait_s else 422)
    if error.wait_s:
        response.headers["Retry-After"] = str(error.wait_s)
    return response


def refusal_body(path, refusal):
    """(content type, bytes) that say why a request was refused."""
    if is_for_script(path):
        error = {"field": "form", "text": refusal.text, "wait_s": None, "offer": None}
        return JSON, compat.json.dumps({"error": error}).encode()
    text = escape(refusal.text)
    # Without style or script: it has to be right when nothing else is.
    return HTML, (
        "<!doctype html><html lang=en><title>%s</title><h1>%s</h1><p><a href='/'>Gatelodge</a></p>"
        % (text, text)
    ).encode()


def _headers(kind, cookies):
    headers = {"Content-Type": kind, "Cache-Control": NO_STORE}
    if cookies:
        headers["Set-Cookie"] = list(cookies)
    return headers
