"""Tokens that end, in place of passwords and tokens that do not: for the carrier and for the mail server."""

import asyncio
import re
import ssl

import pytest

from host_tools import exit_codes
from host_tools.cloud import certificates
from host_tools.cloud.delivery import config, telephony, token_source
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.oauth_config import CERTIFICATE, SECRET, OAuthSettings
from host_tools.cloud.delivery.smtp import Smtp
from host_tools.cloud.delivery.token_source import AGAIN_S, EARLY_S, TokenSource
from host_tools.cloud.store.models import Message
from host_tools.errors import ToolError
from tests.fakes import authorization_server
from tests.fakes.authority import Authority
from tests.fakes.authorization_server import CLIENT, LIFE_S, AuthorizationServer, key_set
from tests.fakes.telephony import ACCOUNT, Telephony
from tests.host_tools.cloud_rig import PATIENCE_S
from tests.host_tools.smtp_rig import BearerInbox, ExternalInbox, Xoauth2Inbox, mail_server
from tests.host_tools.test_cloud_admin import SAFE, check
from tests.host_tools.test_cloud_mail import server_context

NUMBER, SENDER, USER = "+32470123456", "+32460000000", "gate,lodge=1@example.org"
NOW = 1_000_000.0
# aiosmtpd warns of a login without STARTTLS: it does not know that its line was TLS from the start.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Time:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def own(tmp_path):
    """(certificate file, key file), a client's."""
    paths = Authority("Operator").client(CLIENT).write(tmp_path, "own")
    for path in paths:
        (tmp_path / path).chmod(0o600)
    return paths


def pem(path):
    with open(path, encoding="ascii") as file:
        return file.read()


@pytest.fixture
async def server(clock, own):
    async with AuthorizationServer(clock, key_set(("EC", pem(own[1])))) as server:
        yield server


def by_key(server, own, **changed):
    return OAuthSettings(**{"token_url": server.url, "client_id": CLIENT, "key_file": own[1], **changed})


def by_secret(server):
    known = {"client_id": CLIENT, "method": SECRET, "client_secret": authorization_server.SECRET}
    return OAuthSettings(server.url, **known)


@pytest.fixture
def tokens(server, own, clock):
    return TokenSource(by_key(server, own), clock)


# --- the source


async def test_a_token_is_kept_until_shortly_before_its_end(server, tokens, clock):
    first = await tokens.token()
    clock.now += LIFE_S - EARLY_S - 1
    assert await tokens.token() == first and server.takes(first)
    clock.now += 1
    assert await tokens.token() != first and server.fetched == 2


@pytest.mark.parametrize("life_s, used_s", [(40, 20), (None, token_source.UNTOLD_S - EARLY_S)])
async def test_a_short_life_is_used_by_half_and_one_that_is_not_told_for_minutes(
    server, tokens, clock, life_s, used_s
):
    server.life_s = life_s
    first = await tokens.token()
    clock.now += used_s - 1
    assert await tokens.token() == first
    clock.now += 1
    assert await tokens.token() != first


async def test_of_many_who_ask_at_once_one_fetches(server, tokens):
    server.waits = asyncio.Event()
    asking = [asyncio.create_task(tokens.token()) for _ in range(20)]
    async with asyncio.timeout(PATIENCE_S):
        while not server.asked:
            await asyncio.sleep(0)
        server.waits.set()
        assert len(set(await asyncio.gather(*asking))) == 1
    assert server.asked == 1


async def test_one_who_gives_up_waiting_takes_nobody_elses_token_along(server, tokens):
    server.waits = asyncio.Event()
    first, second = (asyncio.create_task(tokens.token()) for _ in range(2))
    async with asyncio.timeout(PATIENCE_S):
        while not server.asked:
            await asyncio.sleep(0)
        first.cancel()
        server.waits.set()
        assert server.takes(await second)


async def test_a_token_that_was_refused_is_not_used_again_and_a_newer_one_stays(server, tokens):
    first = await tokens.token()
    tokens.refused(first)
    second = await tokens.token()
    tokens.refused(first)  # who was answered late
    assert await tokens.token() == second != first


@pytest.mark.parametrize(
    "status, body, told",
    [
        (401, {"error": "invalid_client", "error_description": "the key of"}, "401, invalid_client"),
        (400, {"error": "Ada Bell"}, "answered 400"),
        (500, ["?"], "answered 500"),
        (302, {}, "answered 302"),
        (200, {"access_token": "a b", "token_type": "Bearer"}, "no bearer token"),
        (200, {"access_token": "a\r\nX: y", "token_type": "Bearer"}, "no bearer token"),
        (200, {"access_token": "ab", "token_type": "mac"}, "no bearer token"),
        (200, {"access_token": 7, "token_type": "Bearer"}, "no bearer token"),
        (200, "ab", "no bearer token"),
    ],
)
async def test_what_is_no_token_is_told_by_its_kind(server, tokens, clock, status, body, told):
    server.answers.append((status, body))
    for _ in range(2):  # the second one is not asked for
        with pytest.raises(DeliveryError, match=told) as raised:
            await tokens.token()
        assert not raised.value.permanent and raised.value.__cause__ is None
        assert "Ada" not in str(raised.value) and "key of" not in str(raised.value)
    assert server.asked == 1
    clock.now += AGAIN_S
    assert server.takes(await tokens.token())


async def test_a_clock_that_is_put_back_keeps_nobody_waiting(server, tokens, clock):
    server.answers.append((503, {}))
    with pytest.raises(DeliveryError, match="503"):
        await tokens.token()
    clock.now -= 3600
    assert server.takes(await tokens.token())


async def test_an_answer_that_comes_in_parts_is_read_whole(server, tokens):
    server.in_parts = True
    assert server.takes(await tokens.token())


async def test_a_server_that_says_nothing_is_left_at_the_deadline(server, tokens, monkeypatch):
    monkeypatch.setattr(token_source, "TIMEOUT_S", 0.1)
    server.waits = asyncio.Event()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DeliveryError, match="cannot be reached"):
            await tokens.token()
    server.waits.set()


async def test_expires_in_of_any_kind_ends_within_a_day(server, clock, own):
    for odd in (True, "3600", -5, 10**30, 1.5):
        tokens = TokenSource(by_key(server, own), clock)
        server.answers.append((200, {"access_token": "odd", "token_type": "bearer", "expires_in": odd}))
        assert await tokens.token() == "odd"
        clock.now += token_source.LIFE_MAX_S
        assert await tokens.token() != "odd", odd


# --- who we are


async def test_an_assertion_is_good_once_and_names_its_key(server, tokens, own):
    for _ in range(2):
        tokens.refused(await tokens.token())
    assert {header["kid"] for header in server.headers} == {server.keys["keys"][0]["kid"]}
    assert all("x5t#S256" not in header for header in server.headers)
    assert server.fetched == 2  # another jti each


async def test_an_assertion_names_the_certificate_where_the_server_knows_us_by_it(server, own, clock):
    await TokenSource(by_key(server, own, certificate_file=own[0], scope="send"), clock).token()
    assert len(server.headers[0]["x5t#S256"]) == 43 and server.scopes == ["send"]


async def test_another_audience_is_refused_by_a_server_that_is_not_meant(server, own, clock):
    with pytest.raises(DeliveryError, match="invalid_client"):
        await TokenSource(by_key(server, own, audience="https://elsewhere.example"), clock).token()


async def test_a_key_that_was_replaced_signs_from_then_on(server, tokens, own, tmp_path, clock):
    first = await tokens.token()
    other = Authority("Operator").client(CLIENT).write(tmp_path, "other")
    server.keys = key_set(("EC", pem(other[1])))
    (tmp_path / other[1]).rename(own[1])
    tokens.refused(first)
    assert server.takes(await tokens.token())
    (tmp_path / own[1]).write_text("none")
    tokens.refused(await tokens.token())
    with pytest.raises(DeliveryError, match=r"our own key cannot be used \(ValueError\)$"):
        await tokens.token()


async def test_a_certificate_proves_it_on_the_line(clock, own, tmp_path):
    authority, operator = Authority("Server"), Authority("Operator")
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking.load_cert_chain(*authority.server("localhost").write(tmp_path, "server"))
    asking.load_verify_locations(operator.write(tmp_path, "operator")[0])
    asking.verify_mode = ssl.CERT_REQUIRED
    certificate, key = operator.client(CLIENT).write(tmp_path, "known")
    async with AuthorizationServer(clock, context=asking) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        known = {"client_id": CLIENT, "method": CERTIFICATE, "ca_file": authority.write(tmp_path, "ca")[0]}
        shown = OAuthSettings(url, certificate_file=certificate, key_file=key, **known)
        assert server.takes(await TokenSource(shown, clock).token())
        strange = OAuthSettings(url, certificate_file=own[0], key_file=own[1], **known)
        with pytest.raises(DeliveryError, match="cannot be reached"):
            await TokenSource(strange, clock).token()


async def test_a_secret_is_taken_where_the_server_knows_no_better(clock):
    async with AuthorizationServer(clock) as server:
        settings = by_secret(server)
        assert server.takes(await TokenSource(settings, clock).token())
    assert authorization_server.SECRET not in repr(settings)


# --- the carrier


def driver(carrier, tokens, clock):
    settings = config.TelephonySettings(ACCOUNT, api=carrier.url, sms_from=SENDER)
    return telephony.Texts(settings, clock, tokens)


def text():
    return Message(recipient=NUMBER, subject="Code", body="Your code is 123456", expires_at=None)


async def test_v13_2_1_text_messages_leave_by_a_token_that_ends(server, tokens, clock):
    async with Telephony(server) as carrier:
        texts = driver(carrier, tokens, clock)
        for _ in range(2):
            await texts.send(text())
        assert server.fetched == 1
        clock.now += LIFE_S  # the carrier would take that one no more
        await texts.send(text())
    assert server.fetched == 2 and carrier.strangers == 0


async def test_a_token_that_was_withdrawn_is_replaced_once(server, tokens, clock):
    async with Telephony(server) as carrier:
        texts = driver(carrier, tokens, clock)
        await texts.send(text())
        server.withdraw_all()
        await texts.send(text())
        assert (carrier.strangers, server.fetched, len(carrier.sent["Messages"])) == (1, 2, 2)
        carrier.tokens = AuthorizationServer(clock)  # a carrier that takes none of them
        with pytest.raises(DeliveryError, match="401") as raised:
            await texts.send(text())
        assert not raised.value.permanent and carrier.strangers == 3


# --- the mail server


def mail():
    return Message(recipient="ada@example.org", subject="A subject", body="A body", created_at=0.0)


@pytest.mark.parametrize("kind, name", [(BearerInbox, "OAUTHBEARER"), (Xoauth2Inbox, "XOAUTH2")])
@pytest.mark.parametrize("token_bytes", [32, 500])  # the longer is too long for a command's line
async def test_v13_2_1_mail_leaves_by_a_token_that_ends(server, tokens, kind, name, token_bytes):
    server.token_bytes = token_bytes
    with mail_server(inbox=kind(server)) as inbox:
        postman = Smtp(inbox.settings(user=USER, oauth=tokens._settings), tokens)
        await postman.send(mail())
        server.withdraw_all()
        await postman.send(mail())
        assert inbox.logins == [name] * 3 and inbox.ended == [True]
        assert len(inbox.mails) == 2 and server.fetched == 2
        inbox.tokens = AuthorizationServer(tokens._clock)  # a server that takes none of them
        with pytest.raises(DeliveryError, match="535") as raised:
            await postman.send(mail())
    assert not raised.value.permanent and inbox.ended == [True] * 3


async def test_the_frame_is_that_of_rfc_7628(server, tokens):
    with mail_server(inbox=BearerInbox(server)) as inbox:
        await Smtp(inbox.settings(user=USER, oauth=tokens._settings), tokens).send(mail())
    [frame], token = inbox.frames, await tokens.token()
    who = "n,a=gate=2Clodge=3D1@example.org,"
    assert frame == f"{who}\x01host=127.0.0.1\x01port={inbox.port}\x01auth=Bearer {token}\x01\x01"


async def test_a_mail_server_that_takes_no_tokens_gets_none(server, tokens):
    with mail_server(login=True) as inbox, pytest.raises(DeliveryError, match="OAUTHBEARER or XOAUTH2"):
        await Smtp(inbox.settings(user=USER, oauth=tokens._settings), tokens).send(mail())
    assert inbox.logins == [] and server.fetched == 0


@pytest.mark.parametrize("user, sent", [("", "="), ("desk", "ZGVzaw==")])
async def test_v13_2_1_mail_leaves_by_the_certificate_of_the_line(tmp_path, own, user, sent):
    certificates.load_or_create(tmp_path)
    asking = server_context(tmp_path)
    operator = Authority("Operator")
    asking.load_verify_locations(operator.write(tmp_path, "operator")[0])
    asking.verify_mode = ssl.CERT_OPTIONAL
    certificate, key = operator.client(CLIENT).write(tmp_path, "known")
    with mail_server(config.TLS, asking, inbox=ExternalInbox()) as inbox:
        shown = {"certificate_file": certificate, "key_file": key, "ca_file": str(tmp_path / "cloud-ca.pem")}
        await Smtp(inbox.settings(user=user, external=True, **shown)).send(mail())
    assert inbox.logins == [(sent, True)] and len(inbox.mails) == 1


# --- the file of settings

OAUTH = '[telephony.oauth]\ntoken_url = "https://oauth.example.org/token"\nclient_id = "gatelodge"\n'
TELEPHONY = f'[telephony]\naccount = "{ACCOUNT}"\nsms_from = "{SENDER}"\n'
KEY = 'key_file = "own.key"\n'
SMTP = '[smtp]\nhost = "mail.example.org"\n'
LOCAL_SMTP = '[smtp]\nhost = "localhost"\n'
SMTP_OAUTH = OAUTH.replace("telephony", "smtp")
BY_SECRET = 'method = "client_secret_post"\nclient_secret_file = "secret"\n'


def loaded(folder, text, environment=()):
    path = folder / "delivery.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path, dict(environment))


@pytest.mark.parametrize(
    "text, told",
    [
        (SMTP + 'user = "u"\npassword_file = "secret"\n', ["[smtp] signs in by a password"]),
        (LOCAL_SMTP + TELEPHONY + 'token_file = "secret"\n', ["[telephony] signs in by a token"]),
        (LOCAL_SMTP + TELEPHONY + OAUTH + BY_SECRET, ["[telephony.oauth] gets its tokens"]),
        (SMTP + 'user = "u"\n' + SMTP_OAUTH + BY_SECRET, ["[smtp.oauth] gets its tokens"]),
        (LOCAL_SMTP + '[telegram]\nbot = "a_bot"\ntoken_file = "secret"\n', ["Telegram knows nothing else"]),
        (SMTP, ["does not say who we are at mail.example.org"]),
        (SMTP + 'user = "u"\n' + SMTP_OAUTH + KEY + TELEPHONY + OAUTH + KEY, []),
    ],
)
def test_what_does_not_change_is_an_advice_of_cloud_check(tmp_path, own, capsys, text, told):
    (tmp_path / "secret").write_text("1:hunter22")
    (tmp_path / "secret").chmod(0o600)
    sender = 'sender = "gatelodge@gatelodge.test"\n'
    (tmp_path / "delivery.toml").write_text(re.sub(r"(host = .*\n)", rf"\1{sender}", text), encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    assert check(data, *SAFE, "--delivery", str(tmp_path / "delivery.toml")) == exit_codes.OK
    said = [line for line in capsys.readouterr().err.splitlines() if "13.2.1" in line]
    assert len(said) == len(told), said
    assert all(line.startswith("advice: ") for line in said)
    assert all(words in line for words, line in zip(told, said, strict=True))
    assert "hunter22" not in "".join(said)


def test_clamd_at_a_port_asks_nobody_who_they_are(tmp_path, capsys):
    (tmp_path / "data").mkdir(mode=0o700)
    for address, advised in (("127.0.0.1:3310", True), ("/run/clamav/clamd.ctl", False)):
        check(tmp_path / "data", *SAFE, "--smtp", "localhost:25", "--clamd", address)
        assert ("asks nobody who they are" in capsys.readouterr().err) is advised


def test_a_table_below_a_section_says_where_tokens_come_from(tmp_path, own):
    found = loaded(tmp_path, TELEPHONY + OAUTH + KEY).telephony
    assert found.oauth.key_file == own[1] and found.token == ""
    found = loaded(tmp_path, SMTP + 'user = "u"\n' + SMTP_OAUTH + KEY).smtp
    assert found.oauth.client_id == "gatelodge" and found.password == ""
    by_secret = OAUTH + 'method = "client_secret_post"\n'
    found = loaded(tmp_path, TELEPHONY + by_secret, {"GATELODGE_TELEPHONY_OAUTH_CLIENT_SECRET": "s"})
    assert found.telephony.oauth.client_secret == "s"


@pytest.mark.parametrize(
    "text, told",
    [
        (TELEPHONY, "has no token, or two"),
        (TELEPHONY + OAUTH, "has no key_file"),
        (TELEPHONY + OAUTH + 'key_file = "absent.key"\n', "there is no file"),
        (TELEPHONY + OAUTH + 'key_file = "own.pem"\n', "a key is EC on P-256"),
        (TELEPHONY + OAUTH + KEY + 'method = "none"\n', "method of [telephony.oauth]"),
        (TELEPHONY + OAUTH + KEY + 'method = "client_secret_post"\n', "has no client_secret_file"),
        (TELEPHONY + OAUTH + KEY + 'client_secret_file = "own.key"\n', "client_secret_file of"),
        (TELEPHONY + OAUTH + KEY + 'client_secret = "hunter22"\n', "holds a secret (client_secret)"),
        (TELEPHONY + OAUTH + KEY + 'method = "tls_client_auth"\n', "has no certificate_file"),
        (TELEPHONY + OAUTH.replace("https", "http") + KEY, "token_url of [telephony.oauth]"),
        (TELEPHONY + "[telephony.oauth]\n" + KEY, "is incomplete"),
        (TELEPHONY + "oauth = 1\n", "telephony.oauth in"),
        ("[telephony]\noauth = []\n", "telephony.oauth in"),
        ('["telephony.oauth"]\n', "has a section"),
        (TELEPHONY + "[telephony.oauth.more]\n", "no key more"),
        (SMTP + SMTP_OAUTH + KEY, "has no mailbox"),
        (SMTP + 'user = "u"\nexternal = true\n' + SMTP_OAUTH + KEY, "in several ways"),
        (SMTP + "external = true\n", "has no certificate"),
        (SMTP + 'external = "yes"\n', "external of [smtp]"),
    ],
)
def test_a_faulty_table_is_one_sentence_without_a_secret(tmp_path, own, text, told):
    with pytest.raises(ToolError) as raised:
        loaded(tmp_path, text)
    assert told in str(raised.value) and raised.value.remedy and "hunter22" not in str(raised.value)


