"""What an operator does at the command line, on the database of a cloud: accounts, pruning, migrations."""

import asyncio
import os
import re
import time

import pytest
from sqlalchemy import select

from host_tools import cli, exit_codes
from host_tools.cloud import console, settings
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import KINDS_OF_CHANGE, RESET
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.models import Event
from host_tools.errors import ToolError
from tests.host_tools.cloud_rig import PATIENCE_S, Rig

EMAIL, URL = "ada@example.org", "https://localhost:8444"
STOP = re.compile(r"https://[^/]+(/waiting#\S+)")


@pytest.fixture
async def rig(tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "grace")
    key_ring.secret_box(tmp_path, 1.0)
    async with Rig(tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/cloud.db") as rig:
        yield rig


async def account(rig, *words):
    """`gatelodge cloud account ...` in a thread: it has a loop of its own, and the computer's clock."""
    options = ["--data", str(rig.folder), "--public-url", URL]
    status = await asyncio.to_thread(cli.main, ["cloud", "account", *options, *words])
    rig.clock.now = max(rig.clock.now, time.time())
    return status


def test_an_operator_whom_the_computer_has_no_name_for_is_told_by_number(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**30)
    assert console.operator() == f"gatelodge cloud (uid {2**30})"


async def events(rig, kind):
    async with rig.parts.database.read() as session:
        return list(await session.scalars(select(Event).where(Event.kind == kind)))


async def sent(rig, subject):
    rig.parts.post.wake()
    async with asyncio.timeout(PATIENCE_S):
        while not (found := [mail for mail in await rig.mails(EMAIL) if mail.subject == subject]):
            await asyncio.sleep(0.01)
    return found[0]


async def test_a_disabled_account_lets_nobody_in_and_everybody_is_out(rig, ada, capsys):
    assert await account(rig, "disable", EMAIL, "--reason", "Reported as stolen") == exit_codes.OK
    assert (await ada.get("/routers")).path == "/sign-in"
    page = await ada.sign_in()
    assert page.status == 422 and "is disabled" in page.text
    assert "is disabled" not in (await ada.sign_in(password="not the password")).text
    assert "Reported as stolen" in (await sent(rig, "The account was disabled")).body
    [event] = await events(rig, "account_disabled")
    assert event.browser == "gatelodge cloud (grace)"
    await account(rig, "disable", EMAIL, "--reason", "again")
    assert "was disabled already" in capsys.readouterr().out


async def test_an_enabled_account_lets_its_person_in_again(rig, ada):
    await account(rig, "disable", EMAIL, "--reason", "x")
    assert await account(rig, "enable", EMAIL) == exit_codes.OK
    assert (await ada.enter()).path == "/routers"


async def test_a_disabled_account_is_not_reset_by_mail(rig, ada):
    await account(rig, "disable", EMAIL, "--reason", "x")
    await rig.browser().post("/forgotten", email=EMAIL)
    await sent(rig, "The account was disabled")
    assert "Set a new password" not in [mail.subject for mail in await rig.mails(EMAIL)]


async def test_an_account_that_was_created_sets_its_password_by_mail(rig, capsys):
    words = ("create", "ben@example.org", "--first-name", "Ben", "--country", "be", "--user-name", "K7")
    assert await account(rig, *words) == exit_codes.OK
    assert await account(rig, *words) == exit_codes.FAILED
    assert await account(rig, "show", "k7") == exit_codes.OK
    said = capsys.readouterr().out
    assert re.search(r"password +not set yet", said) and re.search(r"country +BE", said)


async def test_showing_an_account_shows_no_secret(rig, ada, capsys):
    totp, _ = await ada.enrol()
    assert await account(rig, "show", EMAIL) == exit_codes.OK
    said = capsys.readouterr().out
    assert re.search(r"authenticators +1", said) and re.search(r"state +enabled", said)
    assert totp.secret not in said and "$argon2" not in said


@pytest.mark.parametrize(
    "words, status",
    [
        (("show", "nobody@example.org"), exit_codes.FAILED),
        (("create", "no address", "--first-name", "X"), exit_codes.USAGE),
        (("create", "a@example.org", "--first-name", "X", "--country", "XX"), exit_codes.USAGE),
        (("disable", EMAIL, "--reason", "x" * 121), exit_codes.USAGE),
    ],
)
async def test_what_makes_no_sense_is_one_sentence(rig, ada, capsys, words, status):
    assert await account(rig, *words) == status
    assert capsys.readouterr().err.count("\n") == 1


async def test_two_factor_is_reset_after_its_time_and_not_before(rig, ada):
    await ada.enrol()
    await account(rig, "reset-two-factor", EMAIL, "--reason", "Showed an identity card")
    mail = await sent(rig, "Two-factor is to be reset")
    assert "Showed an identity card" in mail.body
    rig.clock.now += KINDS_OF_CHANGE[RESET].wait_s - 60
    assert await rig.parts.waiting.carry_out() == 0
    assert "authenticator app" in (await rig.browser().sign_in()).text
    rig.clock.now += 3600
    assert await rig.parts.waiting.carry_out() == 1
    await sent(rig, "Two-factor was reset")
    assert (await ada.get("/routers")).path == "/sign-in"
    assert "Code from the e-mail" in (await ada.sign_in()).text
    assert len(await events(rig, "two_factor_reset")) == 1


async def test_its_person_stops_a_reset_by_the_mails_link(rig, ada):
    await ada.enrol()
    await account(rig, "reset-two-factor", EMAIL, "--reason", "Somebody called")
    path = STOP.search((await sent(rig, "Two-factor is to be reset")).body)[1]
    stranger = rig.browser()
    assert "Somebody called" in (await stranger.get(path)).text
    assert len(await rig.parts.waiting.of((await rig.parts.administration.find(EMAIL)).id)) == 1
    assert "Stopped" in (await stranger.post(path)).text
    assert (await stranger.get(path)).status == 410
    rig.clock.now += KINDS_OF_CHANGE[RESET].wait_s
    assert await rig.parts.waiting.carry_out() == 0
    await sent(rig, "The reset of two-factor was stopped")


async def test_its_person_stops_a_reset_on_the_security_page(rig, ada):
    await ada.enrol()
    await account(rig, "reset-two-factor", EMAIL, "--reason", "Somebody called")
    page = await ada.get("/security")
    assert "Two-factor will be reset by support" in page.text and "Somebody called" in page.text
    await ada.post("/waiting/stop", form_page="/security", kind="two-factor reset")
    assert "will be reset" not in (await ada.get("/security")).text


async def test_pruning_carries_out_what_has_waited(rig, ada, capsys):
    await ada.enrol()
    rig.clock.now -= 30 * 24 * 3600
    holder = (await rig.parts.administration.find(EMAIL)).id
    await rig.parts.waiting.ask(holder, RESET, "x", Visit("", "", "", rig.clock()))
    status = await asyncio.to_thread(cli.main, ["cloud", "prune", "--data", str(rig.folder)])
    assert status == exit_codes.OK and "1 waiting changes carried out" in capsys.readouterr().out
    assert (await rig.parts.administration.counts(holder))["authenticators"] == 0


async def test_migrating_says_where_the_schema_is(rig, capsys):
    status = await asyncio.to_thread(cli.main, ["cloud", "migrate", "--data", str(rig.folder)])
    assert status == exit_codes.OK and "the schema is at 00" in capsys.readouterr().out


def check(data, *options):
    return cli.main(["cloud", "check", "--data", str(data), *options])


SAFE = (
    "--public-url", "https://account.gatelodge.net", "--mail-from", "no-reply@gatelodge.net",
    "--trusted-proxy", "192.0.2.1", "--breached-passwords", "https://range.example.net",
)  # fmt: skip
OTHER = "https://my.gatelodge.net"
TWO_SITES_OF_ONE_NAME = ("--help-port", "1", "--help-url", OTHER, "--portal-port", "2", "--portal-url", OTHER)


def test_safe_settings_are_let_through(tmp_path, capsys):
    key_ring.secret_box(tmp_path, 1.0)
    tmp_path.chmod(0o700)
    assert check(tmp_path, *SAFE, "--smtp", "localhost:25") == exit_codes.OK
    assert capsys.readouterr().out == "safe\n"


@pytest.mark.parametrize(
    "options, said",
    [
        ((*SAFE, "--development"), "--development shows every message"),
        (("--smtp", "localhost:25", "--mail-from", "a@gatelodge.net"), "nobody else can reach"),
        ((*SAFE[2:], "--smtp", "localhost:25", "--public-url", "https://192.0.2.7"), "need a name"),
        ((*SAFE[:2], "--smtp", "localhost:25"), "nobody can answer or trust"),
        (
            (*SAFE, "--smtp", "localhost:25", "--database", "postgresql+asyncpg://u:walnut@db/x"),
            "holds a password",
        ),
        (
            (*SAFE, "--smtp", "localhost:25", "--database", "postgresql+asyncpg://u@db/x"),
            "without encryption",
        ),
        ((*SAFE[:4], "--smtp", "localhost:25"), "--certificate is missing"),
        ((*SAFE[:6], "--smtp", "localhost:25"), "--breached-passwords is missing"),
        (
            (*SAFE, "--smtp", "localhost:25", "--certificate", "/nowhere.pem", "--key", "/nowhere.key"),
            "/nowhere.pem cannot be used",
        ),
        ((*SAFE, "--smtp", "localhost:25", "--device-bind", "0.0.0.0"), "whose routers they are"),
        ((*SAFE, "--smtp", "localhost:25", "--help-port", "8446"), "--help-url names localhost"),
        (
            (*SAFE, "--smtp", "localhost:25", "--help-port", "1", "--help-url", SAFE[1] + ":1"),
            "cookies know no ports",
        ),
        (
            (*SAFE, "--smtp", "localhost:25", *TWO_SITES_OF_ONE_NAME),
            "--portal-url has the name of --help-url",
        ),
    ],
)
def test_unsafe_settings_are_refused_with_a_sentence_each(tmp_path, capsys, options, said):
    tmp_path.chmod(0o700)
    assert check(tmp_path, *options) == exit_codes.FAILED
    told = capsys.readouterr().err
    assert said in told and all(line.startswith(("unsafe: ", "advice: ")) for line in told.splitlines())
    assert "walnut" not in told


def test_files_that_others_can_read_are_unsafe(tmp_path, capsys):
    key_ring.secret_box(tmp_path, 1.0)
    os.chmod(tmp_path / key_ring.RING, 0o640)
    tmp_path.chmod(0o755)
    assert check(tmp_path, *SAFE, "--smtp", "localhost:25") == exit_codes.FAILED
    told = capsys.readouterr().err
    assert f"{tmp_path} can be read by others" in told and "seal.keys can be read by others" in told
    assert "/secrets.key" not in told


@pytest.mark.parametrize(
    "url", ["https://[", "https://a:x", "https://a:0", "https://u@a", "http://a", "https://a/b"]
)
def test_an_address_that_is_none_is_one_sentence(url):
    with pytest.raises(ToolError, match="no public URL"):
        settings.public_url(url)
    assert settings.public_url("https://account.example.org:8444/") == "https://account.example.org:8444"
