"""The account, and sites of ours at origins of their own, on this computer and over TLS."""

import re
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import parse_qs, parse_qsl, urlsplit

from aiohttp.test_utils import TestServer
from sqlalchemy import select

from host_tools.cloud import certificates
from host_tools.cloud.pages.app import make_site_app
from host_tools.cloud.sites import client as sites
from host_tools.cloud.store.oidc_models import OidcPushed
from tests.host_tools.cloud_rig import Page, Rig, free_port


@asynccontextmanager
async def own_origins(folder, *kinds, **changed):
    """A Rig with `url` (by the kind's name, and the account's), `clients` and `certs`."""
    made = certificates.load_or_create(folder)
    ports = {name: free_port() for name in ("account", *(kind.name for kind in kinds))}
    urls = {name: f"https://localhost:{port}" for name, port in ports.items()}
    addresses = {"port": ports["account"], "public_url": urls["account"], **changed}
    for kind in kinds:
        addresses |= {f"{kind.name}_url": urls[kind.name], f"{kind.name}_port": ports[kind.name]}
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(Rig(folder, tls=made.portal_context(), **addresses))
        rig.parts.tasks.start(rig.parts.oidc.logins.run(made.trusted()), "logouts")
        rig.certs, rig.url, rig.clients = made, urls, {}
        for kind in kinds:
            client = rig.clients[kind.name] = await sites.make(kind, rig.parts, made.trusted())
            place = {"scheme": "https", "host": "localhost", "port": ports[kind.name]}
            server = TestServer(make_site_app(rig.parts, client), **place)
            await server.start_server(ssl=made.portal_context())
            stack.push_async_callback(server.close)
        yield rig


async def fetch(browser, url, **options):
    """A page of any origin, redirects followed unless told otherwise."""
    async with browser._session.get(url, **options) as answer:
        return Page(answer.status, answer.url, await answer.text(), answer.headers)


async def send(browser, url, csrf, **fields):
    async with browser._session.post(url, data={"csrf": csrf, **fields}) as answer:
        return Page(answer.status, answer.url, await answer.text(), answer.headers)


def onward(page):
    """Where a page goes on by itself."""
    return re.search(r'url=([^"]+)"', page.text)[1].replace("&amp;", "&")


async def asked(rig, browser, kind, to=""):
    """One step of a sign-in at a site: (the address at the account, what it asks)."""
    page = await fetch(browser, f"{rig.url[kind.name]}/sign-in?to={to or kind.home}", allow_redirects=False)
    address = page.headers["Location"]
    return address, {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def pushed(rig, change=lambda query: query):
    """What a site has pushed last, as it is after the change: no browser can do that."""
    async with rig.parts.database.write() as session:
        row = await session.scalar(select(OidcPushed).order_by(OidcPushed.expires_at.desc()).limit(1))
        row.query = change(row.query)
        return dict(parse_qsl(row.query))


async def answered(browser, address):
    """The address at the site to which the account leads who is signed in there."""
    return (await fetch(browser, address, allow_redirects=False)).headers["Location"]
