import asyncio
import os
import socket

import pytest

from host_tools.emulator import serial_line
from host_tools.emulator.serial_line import SerialLine


@pytest.fixture
async def line(tmp_path):
    line = SerialLine(tmp_path / "serial")
    line.open()
    yield line
    line.close()


@pytest.fixture
async def router(line):
    ours, theirs = socket.socketpair()
    line.attach(ours.detach())
    theirs.setblocking(False)
    yield theirs
    theirs.close()


def open_port(line):
    port = os.open(line.link, os.O_RDWR | os.O_NOCTTY)
    os.set_blocking(port, False)
    return port


async def read_port(port, count):
    data = b""
    async with asyncio.timeout(5):
        while len(data) < count:
            try:
                data += os.read(port, count - len(data))
            except BlockingIOError:
                await asyncio.sleep(0.01)
    return data


async def read_router(router, count):
    loop, data = asyncio.get_running_loop(), b""
    async with asyncio.timeout(5):
        while len(data) < count:
            data += await loop.sock_recv(router, count - len(data))
    return data


async def test_every_byte_crosses_unchanged_both_ways(line, router):
    every = bytes(range(256))
    port = open_port(line)
    os.write(port, every)
    assert await read_router(router, 256) == every
    router.send(every)
    assert await read_port(port, 256) == every
    os.close(port)


async def test_more_than_any_buffer_holds_crosses_whole(line, router):
    sent = os.urandom(200_000)
    port = open_port(line)
    received = asyncio.create_task(read_port(port, len(sent)))
    await asyncio.get_running_loop().sock_sendall(router, sent)
    assert await received == sent
    os.close(port)


async def test_a_port_that_was_closed_opens_again(line, router):
    for _ in range(2):
        port = open_port(line)
        os.write(port, b"x")
        assert await read_router(router, 1) == b"x"
        os.close(port)


async def test_the_port_outlives_the_router(line, router):
    port = open_port(line)
    router.close()
    ours, again = socket.socketpair()
    line.attach(ours.detach())
    os.write(port, b"x")
    again.setblocking(False)
    assert await read_router(again, 1) == b"x"
    os.close(port)
    again.close()


async def test_what_nobody_reads_does_not_stop_the_router(line, router, monkeypatch):
    monkeypatch.setattr(serial_line, "LOST_AFTER_S", 0.01)
    async with asyncio.timeout(10):
        await asyncio.get_running_loop().sock_sendall(router, bytes(300_000))


async def test_closing_removes_the_link(tmp_path):
    line = SerialLine(tmp_path / "serial")
    line.open()
    line.close()
    assert not os.path.lexists(line.link)
