"""What the pages are held against: aiohttp on uvloop that renders the same template and does nothing else.

python -m tests.bench.cloud_bare PORT CHAIN KEY
"""

import asyncio
import ssl
import sys
from types import SimpleNamespace

import uvloop
from aiohttp import web

from host_tools.cloud.pages.render import ASK_PASSWORD, ENVIRONMENT
from host_tools.cloud.pages.site import At
from tests.bench.cloud_service import EMAIL

ACCOUNT = SimpleNamespace(name="Ada Bell", email=EMAIL, time_zone="", role="", language="en")
CONTEXT = {
    "account": ACCOUNT, "csrf": "0" * 64, "now": 0.0, "notice": None, "path": "/routers",
    "at": At("", "", ""), "approval": None, "asked_again": ASK_PASSWORD, "rows": [], "live": True,
    "ends_at": 0, "form_page": "", "claim": None,
}  # fmt: skip


async def routers(_request):
    text = ENVIRONMENT.get_template("routers.html").render(CONTEXT)
    return web.Response(text=text, content_type="text/html")


async def serve(port, chain, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    app = web.Application()
    app.router.add_get("/routers", routers)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
