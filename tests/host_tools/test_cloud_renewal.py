"""The operator's certificate is renewed under `gatelodge cloud serve`, while browsers are connected."""

import asyncio
import contextlib
import gc
import logging
import re
import ssl

import pytest
from cryptography import x509

from host_tools.cloud import operators_certificate
from host_tools.cloud.service import Service
from tests.host_tools.cloud_rig import PATIENCE_S, free_port, settings
from tests.host_tools.test_cloud_front import shown, write_pair


@pytest.fixture
def pool_log():
    """The service silences it at its stop, for good; and keeps the collector from what stood at its start."""
    pool = logging.getLogger("sqlalchemy.pool")
    level = pool.level
    yield
    pool.setLevel(level)
    gc.unfreeze()


@pytest.fixture
async def port(tmp_path, monkeypatch, caplog, pool_log):
    """Of a service that shows certificate 1, and looks for another one often."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(operators_certificate, "READ_EVERY_S", 0.05)
    pair, port = write_pair(tmp_path, ("localhost",)), free_port()
    told = settings(tmp_path / "data", port=port, public_url=f"https://localhost:{port}", certificate=pair)
    serving = asyncio.create_task(Service(told).serve())
    await until(lambda: serving.done() or f"ready at https://localhost:{port}" in caplog.text)
    yield port
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def until(look):
    async with asyncio.timeout(PATIENCE_S):
        while not look():
            await asyncio.sleep(0.02)


async def connected(port):
    """One connection of a browser, which it keeps, and the certificate that it was shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return reader, writer, x509.load_der_x509_certificate(der).serial_number


async def answer(reader, writer, port):
    """The status of one page more on this connection."""
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % port)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))
    return int(head.split()[1])


async def test_a_renewed_certificate_is_for_new_connections_and_a_broken_one_for_none(port, tmp_path, caplog):
    reader, writer, serial = await connected(port)
    assert serial == 1 and await answer(reader, writer, port) == 200
    write_pair(tmp_path, ("localhost",), serial=2)
    await until(lambda: "the certificate was read again" in caplog.text)
    assert await shown(port) == 2
    assert await answer(reader, writer, port) == 200  # the connection of before lives

    (tmp_path / "own.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    await until(lambda: "the certificate was not renewed, the last one stays: " in caplog.text)
    assert await shown(port) == 2 and await answer(reader, writer, port) == 200

    caplog.clear()
    write_pair(tmp_path, ("localhost",), serial=3)
    await until(lambda: "the certificate was read again" in caplog.text)
    assert await shown(port) == 3
    writer.close()
