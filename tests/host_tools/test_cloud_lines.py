"""Connections that somebody holds by taking no answer."""

import asyncio

import pytest
from aiohttp import web

from host_tools.cloud import certificates
from host_tools.cloud.pages import line
from host_tools.cloud.pages.guards import headers_of_all
from host_tools.cloud.systemd.sockets import Address
from tests.host_tools.cloud_rig import PATIENCE_S

SIZE, PAGES = 1024 * 1024, 40  # more than all buffers between us and a browser that reads nothing
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
async def runner():
    async def page(request):
        return web.Response(body=bytes(SIZE))

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    yield runner
    await runner.cleanup()


async def asked(runner, folder):
    """(reader, writer) of a browser that has asked, and reads nothing yet."""
    certs = certificates.load_or_create(folder)
    at, headers = Address("127.0.0.1", 0), headers_of_all("localhost")
    await line.Lines(runner, at, certs.portal_context(), headers).start()
    port = runner.addresses[0][1]
    tls = {"ssl": certs.trusted(), "server_hostname": "localhost"}
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **tls)
    writer.transport.pause_reading()
    writer.write(ASK * PAGES)
    return reader, writer


async def lines(runner, number):
    while len(runner.server.connections) != number:
        await asyncio.sleep(0.01)


async def test_who_takes_no_answer_is_given_up(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(line, "UNREAD_S", 0.1)
    async with asyncio.timeout(PATIENCE_S):
        _, writer = await asked(runner, tmp_path)
        await lines(runner, 1)
        await lines(runner, 0)  # although that browser never closed it
    writer.transport.abort()


async def test_who_takes_it_late_has_all_of_it(runner, tmp_path):
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asked(runner, tmp_path)
        await lines(runner, 1)
        writer.transport.resume_reading()
        for _ in range(PAGES):
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(SIZE) == bytes(SIZE)
    writer.transport.abort()
