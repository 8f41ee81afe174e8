"""Style, script and pictures: read once, addressed by their content, so that browsers may keep them."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

# The look is the contract's, the same file that the router serves.
CONTRACT = ("tokens.css", "logo.svg")
OWN = ("cloud.css", "cloud.js", "passkeys.js", "push.js", "service-worker.js")
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Asset(NamedTuple):
    content: bytes
    content_type: str
    version: str


class Assets:
    def __init__(self) -> None:
        sources = {name: files("gatelodge.contract").joinpath(name) for name in CONTRACT}
        sources |= {name: files("host_tools.cloud.pages").joinpath("static", name) for name in OWN}
        self._assets = {name: _asset(name, source.read_bytes()) for name, source in sources.items()}

    def address(self, name: str) -> str:
        return f"/static/{name}?v={self._assets[name].version}"

    def text(self, name: str) -> str:
        return self._assets[name].content.decode()

    async def serve(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{asset.version}"'}
        if asset.content_type == TYPES["svg"]:
            headers["Content-Security-Policy"] = _picture_policy(asset.content.decode())
        return web.Response(body=asset.content, content_type=asset.content_type, headers=headers)


def _asset(name: str, content: bytes) -> Asset:
    return Asset(content, TYPES[name.rpartition(".")[2]], hashlib.sha256(content).hexdigest()[:12])


def _picture_policy(svg: str) -> str:
    """The picture's own style, by its hash: it turns the logo's colour in the dark. Nothing else may run."""
    styles = re.findall(r"<style>(.*?)</style>", svg, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    return "default-src 'none'; style-src " + (
        " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    )


def _inline_logo(svg: str) -> str:
    """The logo as part of a page: the page's style colours it, its own would be refused there."""
    plain = re.sub(r"<style>.*?</style>|<title>.*?</title>", "", svg, flags=re.DOTALL)
    plain = re.sub(r' stroke="#[0-9a-fA-F]+"', ' stroke="currentColor"', plain, count=1)
    return plain.replace("<svg ", '<svg class="logo" aria-hidden="true" ', 1).strip()


ASSETS = Assets()
LOGO = _inline_logo(ASSETS.text("logo.svg"))
