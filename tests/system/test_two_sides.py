"""The router has two sides: the home reaches the admin page, the internet does not."""

import asyncio
import socket
import ssl

import pytest

from host_tools.emulator import qemu
from host_tools.emulator.house import House, Options
from host_tools.progress import Progress
from tests.bench.processes import free_port

PATIENCE_S = 10


@pytest.fixture
def internet_port(monkeypatch):
    """A port of this computer that leads to the router's page from the internet's side."""
    port = free_port()
    plain = qemu.command

    def with_port(*arguments):
        line = plain(*arguments)
        at = next(at for at, word in enumerate(line) if word.startswith("user,id=wan"))
        line[at] += f",hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:443"
        return line

    monkeypatch.setattr(qemu, "command", with_port)
    return port


def speaks_tls(port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whoever it is
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        try:
            return context.wrap_socket(line).version() is not None
        except (ssl.SSLError, ConnectionResetError):
            return False


async def test_only_the_home_reaches_the_admin_page(tmp_path, internet_port):
    options = Options(run_dir=tmp_path / "run", auto_ports=True)
    async with House(options, Progress(as_json=True)) as house:
        assert await asyncio.to_thread(speaks_tls, house.ports["admin"])
        assert not await asyncio.to_thread(speaks_tls, internet_port)
