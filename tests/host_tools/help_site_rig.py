"""The portal and the help centre at two origins of this computer, over TLS."""

from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from aiohttp.test_utils import TestServer

from host_tools.cloud import certificates
from host_tools.cloud.help import site as help_site
from host_tools.cloud.pages.routes import make_help_app
from tests.host_tools.cloud_rig import Page, Rig, free_port


@asynccontextmanager
async def two_origins(folder):
    """A Rig with `site`, `help` (its origin) and `certs`."""
    made = certificates.load_or_create(folder)
    port, help_port = free_port(), free_port()
    portal, helped = f"https://localhost:{port}", f"https://localhost:{help_port}"
    addresses = {"port": port, "public_url": portal, "help_url": helped, "help_port": help_port}
    async with Rig(folder, tls=made.portal_context(), **addresses) as rig:
        rig.parts.tasks.start(rig.parts.oidc.logins.run(made.trusted()), "logouts")
        rig.certs, rig.help = made, helped
        rig.site = await help_site.make(rig.parts, made.trusted())
        server = TestServer(
            make_help_app(rig.parts, rig.site), scheme="https", host="localhost", port=help_port
        )
        await server.start_server(ssl=made.portal_context())
        try:
            yield rig
        finally:
            await server.close()


async def fetch(browser, url, **options):
    """A page of either origin, redirects followed unless told otherwise."""
    async with browser._session.get(url, **options) as answer:
        return Page(answer.status, answer.url, await answer.text(), answer.headers)


async def send(browser, url, csrf, **fields):
    async with browser._session.post(url, data={"csrf": csrf, **fields}) as answer:
        return Page(answer.status, answer.url, await answer.text(), answer.headers)


async def asked(rig, browser, to="/help"):
    """One step of a sign-in at the help centre: (the address at the portal, what it asks)."""
    page = await fetch(browser, f"{rig.help}/sign-in?to={to}", allow_redirects=False)
    address = page.headers["Location"]
    return address, {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def answered(browser, address):
    """The address at the help centre to which the portal leads who is signed in there."""
    return (await fetch(browser, address, allow_redirects=False)).headers["Location"]
