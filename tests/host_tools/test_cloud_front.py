"""What stands in front of every page: the operator's certificate, proxies, the log of what was refused."""

import argparse
import asyncio
import base64
import datetime
import ipaddress
import logging
import re
import ssl
from contextlib import AsyncExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from host_tools.cloud import verb_serve
from host_tools.cloud.accounts import signin
from host_tools.cloud.certificates import KeyPair
from host_tools.cloud.operators_certificate import OperatorsCertificate
from host_tools.cloud.pages.proxies import client_address
from host_tools.cloud.pages.refusals import LIMIT
from host_tools.cloud.settings import key_pair
from host_tools.cloud.store import database
from host_tools.cloud.store.models import Account
from host_tools.cloud.unsafe import faults
from host_tools.errors import ToolError
from tests.host_tools.cloud_rig import Rig, code_in, database_url, settings

HOST = "account.example.org"
PROXIES = tuple(ipaddress.ip_network(text) for text in ("192.0.2.1", "10.0.0.0/8", "2001:db8::/32"))


def write_pair(folder, names=(HOST,), days=30, serial=1, key=None):
    """A certificate that signs itself, as a renewal writes it: the certificate first, then its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    now = datetime.datetime.now(datetime.UTC)
    since, until = now - datetime.timedelta(days=60), now + datetime.timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, since, until)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
    made = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    pair = KeyPair(folder / "own.pem", folder / "own.key")
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    pair.key.chmod(0o600)
    return pair


async def shown(port):
    """The serial number of the certificate that a browser is shown at a new connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der).serial_number


async def test_v12_2_2_the_operators_certificate_is_shown_and_a_renewed_one_is_taken(tmp_path):
    own = OperatorsCertificate(write_pair(tmp_path), HOST)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=own.context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await shown(port) == 1 and not own.refresh()
        old_key = (tmp_path / "own.key").read_bytes()
        write_pair(tmp_path, serial=2)
        new_key = (tmp_path / "own.key").read_bytes()
        (tmp_path / "own.key").write_bytes(old_key)  # a renewal that is half done
        assert not own.refresh() and await shown(port) == 1
        (tmp_path / "own.key").write_bytes(new_key)
        assert own.refresh() and await shown(port) == 2
        for wrong in ({"days": -1}, {"names": ("other.example.org",)}):
            write_pair(tmp_path, serial=3, **wrong)
            assert not own.refresh() and await shown(port) == 2
        (tmp_path / "own.pem").unlink()
        assert not own.refresh() and await shown(port) == 2


@pytest.mark.parametrize(
    ("changed", "why"), [({"days": -1}, "expired"), ({"names": ("example.org",)}, f"not for {HOST}")]
)
def test_a_certificate_that_browsers_would_refuse_is_refused_at_the_start(tmp_path, changed, why):
    with pytest.raises(ToolError, match=why):
        OperatorsCertificate(write_pair(tmp_path, **changed), HOST)


def test_a_key_that_is_missing_or_can_be_read_by_others_is_refused(tmp_path):
    assert OperatorsCertificate(write_pair(tmp_path, ("*.example.org",)), HOST)
    pair = write_pair(tmp_path)
    pair.key.chmod(0o644)
    with pytest.raises(ToolError, match="others on this computer can read it"):
        OperatorsCertificate(pair, HOST)
    pair.key.write_bytes(b"no key")
    with pytest.raises(ToolError, match="cannot be used"):
        OperatorsCertificate(pair, HOST)
    pair.key.unlink()
    with pytest.raises(ToolError, match="cannot be used"):
        OperatorsCertificate(pair, HOST)
    with pytest.raises(ToolError, match="name both"):
        key_pair(pair.certificate, None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # no proxy of ours: what it says counts for nothing
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "198.51.100.1"),
        ("192.0.2.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # to its left anybody may write
        ("192.0.2.1", ["1.1.1.1", "198.51.100.1, 10.1.1.1"], "198.51.100.1"),
        ("192.0.2.1", ["10.0.0.1"], "10.0.0.1"),
        ("::ffff:192.0.2.1", ["198.51.100.1"], "198.51.100.1"),
        ("2001:db8::1", ["2001:db9::2"], "2001:db9::2"),
        ("192.0.2.1", ["198.51.100.1, unknown"], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1, "], "192.0.2.1"),
        ("192.0.2.1", ["x" * 8000], "192.0.2.1"),
        ("192.0.2.1", ["fe80::1%" + "x" * 8000], "192.0.2.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_v4_1_3_of_what_proxies_say_only_that_of_trusted_ones_counts(peer, forwarded, found):
    assert client_address(peer, forwarded, PROXIES) == found


async def test_v4_1_3_a_trusted_proxy_says_who_asks(tmp_path):
    """Each behind it is throttled, and written down, by an address of their own."""
    async with Rig(tmp_path, trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),)) as rig:
        ada = rig.browser(**{"X-Forwarded-For": "1.1.1.1, 198.51.100.7"})
        await ada.join()
        log = (await ada.get("/security/sessions")).text
        assert "198.51.100.7" in log and "1.1.1.1" not in log
        assert (await rig.browser(**{"X-Forwarded-For": "198.51.100.8"}).get("/outbox")).status == 404


def test_a_proxy_is_an_address_or_a_network_and_not_everybody(tmp_path):
    assert verb_serve.network("192.0.2.1").num_addresses == 1
    for text in ("proxy.example.org", "192.0.2.1/24", ""):
        with pytest.raises(argparse.ArgumentTypeError):
            verb_serve.network(text)
    for text, unsafe in (("0.0.0.0/0", True), ("::/0", True), ("10.0.0.0/8", False), ("192.0.2.1", False)):
        told = " ".join(faults(settings(tmp_path, trusted_proxies=(ipaddress.ip_network(text),))))
        assert ("trusts strangers" in told) == unsafe, text


async def test_v6_3_5_who_knows_the_password_and_has_no_second_factor_is_told_of(rig, ada):
    await ada.enrol()
    thief = rig.browser()
    await thief.sign_in()
    for _ in range(signin.TRIES):
        before = len(await rig.mails("ada@example.org"))
        await thief.post("/sign-in/code", code="000000")
    mails = await rig.mails("ada@example.org")
    assert len(mails) == before + 1 and mails[0].subject == "A sign-in failed at the second step"
    assert "If it was not you" in mails[0].body and "/undo" not in mails[0].body
    log = (await ada.get("/security/log")).text
    assert log.count("A sign-in failed at the second step") == signin.TRIES


MASS = {
    "role": "admin",
    "id": "x",
    "account_id": "x",
    "password_hash": "x",
    "disabled_at": "",
    "verified": "1",
}


async def test_v15_3_3_a_field_that_a_form_does_not_have_changes_nothing(rig, ada):
    """Mass assignment: neither a role nor another e-mail comes with the name."""
    form = await ada.get("/profile")
    values = {"first_name": "Ann", "last_name": "Bell", "country": "BE", "language": "en", "time_zone": "UTC"}
    await ada.post_raw("/profile", {"csrf": form.csrf, **values, **MASS, "email": "mallory@example.org"})
    eve = rig.browser()
    await eve.sign_up("eve@example.org", **MASS)
    code = code_in((await rig.mails("eve@example.org"))[0])
    await eve.post("/confirm", code=code, **MASS)
    async with rig.parts.database.read() as session:
        rows = list(await session.scalars(select(Account).order_by(Account.email)))
    assert [(row.email, row.first_name, row.role) for row in rows] == [
        ("ada@example.org", "Ann", ""), ("eve@example.org", "Ada", ""),
    ]  # fmt: skip
    assert all(row.password_hash.startswith("$argon2id$") and len(row.id) == 30 for row in rows)
    for browser in (ada, eve):
        assert (await browser.get("/desk")).status == 404


ELSEWHERE = (
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_v3_7_2_nothing_that_came_leads_to_another_site(rig, ada, target):
    """By a parameter, a cookie, or where a form says that it was."""
    ours = rig.server.make_url("/").host
    going = base64.urlsafe_b64encode(target.encode()).decode()
    asks = (
        ("/security/prove", {"next": target}, {}, {}),
        ("/sign-in", {"next": target, "done": target}, {}, {}),
        ("/oidc/resume", {}, {"__Host-cloud-going": going}, {}),
    )
    for path, query, cookies, headers in asks:
        ada._session.cookie_jar.update_cookies(cookies, rig.server.make_url("/"))
        page = await ada.get(path, params=query, headers=headers)
        assert page.url.host == ours and f'href="{target}"' not in page.text, path
    form = await ada.get("/security")
    origin = str(rig.server.make_url("/")).rstrip("/")
    for referer in (target, origin + target):
        fields = {"csrf": form.csrf, "language": "en"}
        page = await ada.post_raw("/language", fields, {"Referer": referer}, allow_redirects=False)
        assert page.headers["Location"] == "/", referer


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_who_waits_too_long_for_another_writer_is_asked_to_try_again(
    tmp_path, kind, monkeypatch, caplog
):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    async with Rig(tmp_path, database_url=database_url(tmp_path, kind)) as rig:
        browser = rig.browser()
        await browser.get("/sign-in")
        async with rig.parts.database.write() as session:
            await session.execute(select(1))  # it begins with its first statement
            page = await browser.sign_in("nobody@example.org")
            assert page.status == 503 and "Too much is going on" in page.text
        assert (await browser.sign_in("nobody@example.org")).status == 422
    assert "waited too long" in caplog.text and "Traceback" not in caplog.text


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_who_finds_every_connection_taken_is_asked_to_come_back(tmp_path, kind, monkeypatch, caplog):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    async with Rig(tmp_path, database_url=database_url(tmp_path, kind)) as rig, AsyncExitStack() as taken:
        browser, pool = rig.browser(), rig.parts.database.engine.pool
        while pool.overflow() < pool._max_overflow:
            session = await taken.enter_async_context(rig.parts.database.read())
            await session.execute(select(1))
        page = await browser.get("/health")
        assert page.status == 503 and int(page.headers["Retry-After"]) > 0
        await taken.aclose()
        assert (await browser.get("/health")).status == 200
    assert "waited too long" in caplog.text and "Traceback" not in caplog.text


def refusals(caplog):
    return [row.getMessage() for row in caplog.records if row.name == "cloud.refused"]


async def test_v16_3_2_and_v16_3_3_what_was_refused_is_in_the_log(rig, ada, eve, caplog):
    caplog.set_level(logging.INFO)
    await ada.enrol()
    path = re.search(r"/security/authenticators/[0-9a-f]+/remove", (await ada.get("/security")).text)[0]
    assert (await eve.get(path)).status == 404
    assert (await eve.post_raw("/profile", {"csrf": "made up"})).status == 403
    assert (await rig.browser().get("/nowhere")).status == 404
    assert (await rig.browser().get("/api/v1/account")).status == 401
    found = refusals(caplog)
    assert len(found) == 3 and path not in " ".join(found)
    assert "GET /security/authenticators/{id}/remove: 404 to account" in found[0]
    assert "POST /profile: 403 to account" in found[1] and "401 to nobody at 127.0.0.1" in found[2]


async def test_a_flood_of_refusals_does_not_fill_the_log(rig, ada, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(LIMIT.burst + 20):
        await ada.get("/desk")
    assert len(refusals(caplog)) == LIMIT.burst
    rig.clock.now += LIMIT.every_s
    await ada.get("/desk")
    assert "20 refusals were not written down" in refusals(caplog)[-1]
