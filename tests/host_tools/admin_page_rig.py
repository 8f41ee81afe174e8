"""Starts tests/fakes/admin_page.py under MicroPython, and drives it by HTTPS or by a browser."""

import datetime
import http.client
import io
import ipaddress
import json
import re
import socket
import ssl
import subprocess

import pyotp
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image
from playwright.sync_api import expect

from tests.micropython.run import ROOT, environment, interpreter

CHROMIUM = "/usr/bin/chromium"
PASSWORD = "a lantern above the river gate"
DEADLINE_S = 20
HEAP_KB = 8192  # of a board that says nothing else
SERVICE_CODE = "000G-40R4-0M30-E209-Z"  # of tests/fakes/admin_page.py


def write_certificate(folder):
    """A certificate of its own for 127.0.0.1, and its key, as MicroPython reads them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gatelodge.home")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("gatelodge.home"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
    builder = builder.not_valid_after(now + datetime.timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    legacy = serialization.PrivateFormat.TraditionalOpenSSL
    (folder / "certificate.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (folder / "key.der").write_bytes(key.private_bytes(serialization.Encoding.DER, legacy, plain))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class AdminPage:
    """A running admin page. `tell(line)` moves its simulated world."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        write_certificate(folder)
        self.process = None
        self.start()

    def start(self):
        place = [str(self.port), str(self.folder), "quick"]
        command = [interpreter(), "-X", f"heapsize={HEAP_KB}k", "tests/fakes/admin_page.py", *place]
        log = open(self.folder / "log.txt", "ab")  # noqa: SIM115 - the process owns it from here
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        assert self.process.stdout.readline().startswith("ready"), (self.folder / "log.txt").read_text()

    def stop(self):
        self.process.stdin.close()  # it ends at the end of its stdin
        try:
            self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def ask(self, method, path, body=None, **headers):
        """(status, headers, body) of one request; header names with underscores for hyphens."""
        context = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=DEADLINE_S, context=context)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        came = answer.status, answer.headers, answer.read().decode()
        connection.close()
        return came


def cookie_of(headers, name):
    for line in headers.get_all("Set-Cookie") or ():
        found = re.match(re.escape(name) + "=([^;]*)", line)
        if found:
            return f"{name}={found.group(1)}"
    return ""


def decode_qr(tab):
    picture = tab.locator("[data-qr] svg").screenshot()
    return zxingcpp.read_barcode(Image.open(io.BytesIO(picture))).text


def set_up(tab, router):
    """Through the wizard. Returns (authenticator, recovery codes, the code that was used)."""
    tab.goto(router.url)
    tab.get_by_label("Service code").fill(SERVICE_CODE.lower())
    tab.keyboard.press("Enter")
    tab.get_by_label("New password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    totp = pyotp.parse_uri(decode_qr(tab))
    code = totp.now()
    tab.get_by_label("Six-digit code").press_sequentially(code)
    codes = tab.locator("[data-codes] li")
    codes.first.wait_for()
    found = codes.all_inner_texts()
    tab.get_by_label("safe place").check()
    tab.get_by_role("button", name="Open the overview").click()
    tab.locator("[data-chart] svg").wait_for()
    return totp, found, code


def sign_out(tab):
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_text("You are signed out.")).to_be_visible()


def enter_password(tab):
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    tab.locator("#code").wait_for()


def weight_of(request):
    sizes = request.sizes()
    return sizes["responseHeadersSize"] + sizes["responseBodySize"]
