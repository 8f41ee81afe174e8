"""The firmware's TLS streams under MicroPython, against CPython's ssl module and a CA of its own.

A case is one MicroPython process that runs firmware_tls_peer.py, as the client or as the server.
"""

import asyncio
import datetime
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.micropython.run import ROOT, environment, interpreter

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)
PEER = "tests/host_tools/firmware_tls_peer.py"


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    def __init__(self, common_name):
        self.name = name(common_name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.sign(self.name, self.key.public_key(), x509.BasicConstraints(True, None), ())

    def sign(self, subject, public_key, constraints, names, start=NOW - DAY, end=NOW + DAY):
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public_key)
        )
        builder = (
            builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        )
        builder = builder.add_extension(constraints, critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, folder, file, common_name="router.test", **validity):
        """(certificate path, key path) as PEM for CPython, with .der beside them for MicroPython."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(common_name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        leaf = x509.BasicConstraints(False, None)
        certificate = self.sign(name(common_name), key.public_key(), leaf, names, **validity)
        write_certificate(folder / f"{file}.crt", certificate)
        plain = serialization.NoEncryption()
        for suffix, encoding in (("", serialization.Encoding.PEM), (".der", serialization.Encoding.DER)):
            data = key.private_bytes(encoding, serialization.PrivateFormat.TraditionalOpenSSL, plain)
            (folder / f"{file}.key{suffix}").write_bytes(data)
        return folder / f"{file}.crt", folder / f"{file}.key"


def write_certificate(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_name(path.name + ".der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    ours, foreign = Authority("our CA"), Authority("a foreign CA")
    write_certificate(folder / "ca.crt", ours.certificate)
    write_certificate(folder / "foreign-ca.crt", foreign.certificate)
    ours.issue(folder, "good")
    ours.issue(folder, "client", "unit 1")
    ours.issue(folder, "other-name", "elsewhere.test")
    ours.issue(folder, "expired", start=NOW - 3 * DAY, end=NOW - 2 * DAY)
    ours.issue(folder, "early", start=NOW + 2 * DAY, end=NOW + 3 * DAY)
    foreign.issue(folder, "foreign")
    return folder


def python_server_context(pki, certificate, *, client_ca=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / f"{certificate}.crt", pki / f"{certificate}.key")
    if version:
        context.minimum_version = context.maximum_version = version
    if client_ca:
        context.load_verify_locations(pki / client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def python_client_context(pki, *, certificate=None, ca="ca.crt"):
    context = ssl.create_default_context(cafile=str(pki / ca))
    if certificate:
        context.load_cert_chain(pki / f"{certificate}.crt", pki / f"{certificate}.key")
    return context


async def firmware_peer(*arguments):
    return await asyncio.create_subprocess_exec(
        interpreter(),
        PEER,
        *map(str, arguments),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def answer_of(process):
    """The JSON object that the MicroPython process printed last."""
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, err.decode()
    return json.loads(out.decode().splitlines()[-1])


async def echo_line(reader, writer):
    try:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        await reader.read()
    except (ssl.SSLError, OSError):
        return
    finally:
        writer.close()


async def firmware_client_against(context, pki, ca="ca.crt", certificate="-", handler=echo_line):
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await firmware_peer("client", port, pki, ca, certificate)
        return await answer_of(process)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("certificate", ["-", "client"])
async def test_client_speaks_with_a_server_that_our_ca_signed(pki, version, certificate):
    context = python_server_context(
        pki, "good", version=version, client_ca="ca.crt" if certificate != "-" else None
    )
    assert await firmware_client_against(context, pki, certificate=certificate) == {"line": "HELLO\n"}


@pytest.mark.parametrize(
    "certificate, reason",
    [("foreign", "untrusted"), ("other-name", "name"), ("expired", "expired"), ("early", "expired")],
)
async def test_client_names_why_it_refuses_a_server(pki, certificate, reason):
    answer = await firmware_client_against(python_server_context(pki, certificate), pki)
    assert answer["reason"] == reason
    assert answer["text"].startswith("the certificate of 127.0.0.1 port ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("certificate", ["-", "foreign"])
async def test_client_hears_that_the_server_refused_its_certificate(pki, version, certificate):
    context = python_server_context(pki, "good", client_ca="ca.crt", version=version)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = asyncio.get_running_loop().run_in_executor(None, refuse, listener, context)
        process = await firmware_peer("client", listener.getsockname()[1], pki, "ca.crt", certificate)
        answer = await answer_of(process)
        await refusing
    assert answer["reason"] == "alert"


def refuse(listener, context):
    """A blocking server: asyncio's hangs up after a failed handshake without sending OpenSSL's alert.

    It stays until the client has gone, or the unread rest of its flight would reset the alert away.
    """
    sock, _ = listener.accept()
    sock.settimeout(10)
    with sock.dup() as stays:
        with pytest.raises(ssl.SSLError), context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(10)
        while stays.recv(4096):
            pass


async def test_client_names_a_peer_that_speaks_no_tls(pki):
    async def greet(reader, writer):
        writer.write(b"220 not TLS at all\r\n" * 3)
        await reader.read(1000)
        writer.close()

    assert (await firmware_client_against(None, pki, handler=greet))["reason"] == "handshake"


async def test_client_names_a_peer_that_hangs_up_in_the_handshake(pki):
    async def hang_up(reader, writer):
        await reader.read(10)
        writer.close()

    answer = await firmware_client_against(None, pki, handler=hang_up)
    assert answer["reason"] in ("handshake", "line")


async def test_client_gives_up_on_a_peer_that_stays_silent_in_the_handshake(pki):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    answer = await firmware_client_against(None, pki, handler=silent)
    assert answer["reason"] == "line"
    assert "too slow" in answer["text"]


async def test_client_reads_what_comes_one_tls_record_per_byte(pki):
    async def drip(reader, writer):
        await reader.readline()
        for byte in b"SLOWLY\n":
            writer.write(bytes([byte]))
            await writer.drain()
        await reader.read()
        writer.close()

    assert await firmware_client_against(python_server_context(pki, "good"), pki, handler=drip) == {
        "line": "SLOWLY\n"
    }


async def test_client_reads_the_answer_of_a_server_that_hangs_up_with_it(pki):
    async def answer_and_leave(reader, writer):
        await reader.readline()
        writer.write(b"LAST WORDS\n")
        writer.close()

    context = python_server_context(pki, "good")
    assert await firmware_client_against(context, pki, handler=answer_and_leave) == {"line": "LAST WORDS\n"}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class FirmwareServer:
    """An echo server of the firmware, as a process."""

    def __init__(self, pki, client_ca="-", certificate="good"):
        self.port = free_port()
        self.arguments = ("server", self.port, pki, certificate, client_ca)

    async def __aenter__(self):
        self.process = await firmware_peer(*self.arguments)
        assert await asyncio.wait_for(self.process.stdout.readline(), 10) == b"ready\n"
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def connect(self, context):
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context)

    async def logged(self, text):
        while text not in (line := (await asyncio.wait_for(self.process.stderr.readline(), 10)).decode()):
            assert line, f"the server ended without logging {text!r}"
        return line


async def ask(streams, text):
    reader, writer = streams
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), 10)


async def test_server_serves_large_and_small_messages(pki):
    async with FirmwareServer(pki) as server:
        streams = await server.connect(python_client_context(pki))
        assert await ask(streams, b"x") == b"x"
        large = os.urandom(500_000)
        assert await ask(streams, large) == large
        streams[1].close()


async def test_server_takes_only_clients_that_its_ca_signed(pki):
    async with FirmwareServer(pki, "ca.crt") as server:
        streams = await server.connect(python_client_context(pki, certificate="client"))
        assert await ask(streams, b"known") == b"known"
        streams[1].close()
        for certificate, text in (
            ("foreign", "not correctly signed by the trusted CA"),
            (None, "showed no certificate"),
        ):
            with pytest.raises((ssl.SSLError, OSError, asyncio.IncompleteReadError)):
                await ask(await server.connect(python_client_context(pki, certificate=certificate)), b"x")
            await server.logged(text)


async def test_server_answers_a_client_that_has_closed_its_half(pki):
    async with FirmwareServer(pki, certificate="-") as server:
        reader, writer = await server.connect(None)
        writer.write(b"x" * 100_000)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(-1), 10) == b"x" * 100_000
        writer.close()


async def test_server_survives_clients_that_vanish(pki):
    async with FirmwareServer(pki) as server:
        for data in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.port)) as sock:
                sock.sendall(data)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        streams = await server.connect(python_client_context(pki))
        streams[1].transport.abort()
        streams = await server.connect(python_client_context(pki))
        assert await ask(streams, b"still here") == b"still here"
        streams[1].close()


async def test_server_drops_a_client_that_does_not_finish_its_handshake(pki):
    async with FirmwareServer(pki) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x16\x03\x01")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_idle_tls_connections_cost_no_wakeups(pki):
    """Counted by the kernel: voluntary context switches while three connections are open and silent."""
    async with FirmwareServer(pki) as server:
        everyone = [await server.connect(python_client_context(pki)) for _ in range(3)]
        for streams in everyone:
            assert await ask(streams, b"x") == b"x"
        before = voluntary_switches(server.process.pid)
        await asyncio.sleep(1)
        assert voluntary_switches(server.process.pid) - before <= 2
        for streams in everyone:
            streams[1].close()


def voluntary_switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.MULTILINE)[1])


def test_the_interpreter_is_there():
    assert shutil.which(interpreter()), f"{interpreter()} is missing: set MICROPYTHON, or let make build it"
