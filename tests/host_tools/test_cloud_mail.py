"""Mail against a real server on the loopback: encryption, login, refusals; and the file of settings."""

import asyncio
import os
import ssl

import pytest

from host_tools.cloud import certificates
from host_tools.cloud.delivery import config, smtp
from host_tools.cloud.delivery.config import NONE, STARTTLS, TLS, SmtpSettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.store.models import Message
from host_tools.errors import ToolError
from tests.fakes.authority import Authority
from tests.host_tools.cloud_rig import PATIENCE_S
from tests.host_tools.smtp_rig import PASSWORD, USER, mail_server

CODE = "123456"
# aiosmtpd warns of a login without STARTTLS: it does not know that its line was TLS from the start.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With cloud-ca.pem, and a server's certificate of it."""
    folder = tmp_path_factory.mktemp("authority")
    certificates.load_or_create(folder)
    return folder


def server_context(folder):
    return certificates.load_or_create(folder).portal_context()


def trusting(folder):
    return {"ca_file": str(folder / "cloud-ca.pem"), "user": USER, "password": PASSWORD}


def message(recipient="ada@example.org"):
    return Message(recipient=recipient, subject="A subject", body=f"Your code is {CODE}", created_at=0.0)


async def failure_of(settings, recipient="ada@example.org"):
    with pytest.raises(DeliveryError) as raised:
        await smtp.Smtp(settings).send(message(recipient))
    told = f"{raised.value!r} {raised.value.__cause__!r} {settings!r}"
    assert PASSWORD not in told and CODE not in told and "ada@" not in told
    return raised.value


@pytest.mark.parametrize("security", [STARTTLS, TLS])
async def test_a_mail_travels_encrypted_and_after_a_login(folder, security):
    with mail_server(security, server_context(folder), login=True) as inbox:
        await smtp.Smtp(inbox.settings(**trusting(folder))).send(message())
    assert inbox.logins == [(USER, PASSWORD)] and inbox.encrypted == [True]
    assert inbox.mails[0].rcpt_tos == ["ada@example.org"]
    assert b"Auto-Submitted: auto-generated" in inbox.mails[0].content


@pytest.mark.parametrize("security", [STARTTLS, TLS])
async def test_v13_2_1_a_certificate_stands_in_for_the_password(folder, tmp_path, security):
    operator = Authority("Operator")
    asking = server_context(folder)
    asking.load_verify_locations(operator.write(tmp_path, "operator")[0])
    asking.verify_mode = ssl.CERT_REQUIRED
    certificate, key = operator.client("gatelodge").write(tmp_path, "own")
    trusted = {"ca_file": str(folder / "cloud-ca.pem")}
    with mail_server(security, asking) as inbox:
        await failure_of(inbox.settings(**trusted))
        assert inbox.tried == 0
        known = inbox.settings(certificate_file=certificate, key_file=key, **trusted)
        await smtp.Smtp(known).send(message())
    assert inbox.encrypted == [True] and inbox.logins == []


@pytest.mark.parametrize("changed", [{"key_file": ""}, {"security": NONE}, {"key_file": "/nowhere"}])
def test_a_certificate_that_could_not_be_shown_is_one_sentence(tmp_path, changed):
    certificate, key = Authority("Operator").client("gatelodge").write(tmp_path, "own")
    known = {"certificate_file": certificate, "key_file": key, **changed}
    with pytest.raises(ToolError, match="shows no certificate|there is no file"):
        config.checked(config.Delivery(smtp=SmtpSettings("localhost", **known)))


def test_a_key_of_another_certificate_is_one_sentence_before_the_start(tmp_path):
    certificate, _ = Authority("Operator").client("gatelodge").write(tmp_path, "own")
    _, key = Authority("Operator").client("another").write(tmp_path, "another")
    os.chmod(key, 0o600)
    with pytest.raises(ToolError, match="certificate_file and key_file do not fit"):
        config.checked(
            config.Delivery(smtp=SmtpSettings("localhost", certificate_file=certificate, key_file=key))
        )


async def test_a_server_that_offers_no_encryption_gets_neither_the_password_nor_the_mail(folder):
    with mail_server(NONE, login=True) as inbox:
        error = await failure_of(inbox.settings(security=STARTTLS, **trusting(folder)))
    assert not error.permanent and inbox.logins == [] and inbox.tried == 0


@pytest.mark.parametrize("security", [STARTTLS, TLS])
async def test_a_server_that_nobody_vouches_for_gets_nothing(folder, security):
    with mail_server(security, server_context(folder), login=True) as inbox:
        error = await failure_of(inbox.settings(user=USER, password=PASSWORD))
    assert not error.permanent and inbox.logins == [] and inbox.tried == 0


async def test_a_server_under_another_name_than_its_certificates_gets_nothing(folder, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", _to_loopback)
    with mail_server(TLS, server_context(folder), login=True) as inbox:
        await failure_of(inbox.settings(host="mail.example.org", **trusting(folder)))
    assert inbox.logins == []


def _to_loopback(host, port, *_, **__):
    return [(2, 1, 6, "", ("127.0.0.1", port))]


async def test_a_wrong_password_is_the_operators_to_mend_and_final_for_no_mail(folder):
    with mail_server(STARTTLS, server_context(folder), login=True) as inbox:
        error = await failure_of(inbox.settings(**{**trusting(folder), "password": "another"}))
    assert str(error) == "the mail server answered 535" and not error.permanent


@pytest.mark.parametrize("refuse", ["RCPT", "DATA"])
@pytest.mark.parametrize("answer, permanent", [("451 later ada@example.org", False), ("550 no", True)])
async def test_a_refusal_is_final_where_the_server_says_so(refuse, answer, permanent):
    with mail_server() as inbox:
        inbox.refusal, inbox.refuse = answer, refuse
        error = await failure_of(inbox.settings())
    assert error.permanent is permanent and str(error) == f"the mail server answered {answer[:3]}"


async def test_a_server_that_says_nothing_is_left_at_the_deadline(monkeypatch):
    monkeypatch.setattr(smtp, "STEP_TIMEOUT_S", 0.2)
    lines = []
    server = await asyncio.start_server(lambda _, writer: lines.append(writer), "127.0.0.1", 0)
    settings = SmtpSettings("127.0.0.1", server.sockets[0].getsockname()[1], NONE)
    async with asyncio.timeout(PATIENCE_S):
        assert not (await failure_of(settings)).permanent
    for writer in lines:
        writer.close()
    server.close()


@pytest.mark.parametrize(
    "recipient",
    [
        "ada@example.org,root",
        "=?utf-8?q?root=2C?=@example.org",
        "ada@example.org>",
        "ada@example..org",
        "a\nb",
    ],
)
async def test_a_mail_is_for_one_address_only(recipient):
    with mail_server() as inbox:
        assert (await failure_of(inbox.settings(), recipient)).permanent
    assert inbox.tried == 0


def written(folder, text, secret=None, mode=0o600):
    path = folder / "delivery.toml"
    path.write_text(text)
    if secret is not None:
        (folder / "secret").write_text(secret + "\n")
        (folder / "secret").chmod(mode)
    return path


def test_the_file_names_a_secrets_file_beside_it(tmp_path):
    text = '[smtp]\nhost = "mail.example.org"\nuser = "gatelodge"\npassword_file = "secret"\n'
    found = config.load(written(tmp_path, text, PASSWORD), {}).smtp
    assert (found.host, found.port, found.security) == ("mail.example.org", 587, STARTTLS)
    assert (found.user, found.password) == (USER, PASSWORD)
    assert PASSWORD not in repr(found)


def test_the_environment_goes_before_the_secrets_file(tmp_path):
    text = '[smtp]\nhost = "mail.example.org"\nuser = "gatelodge"\npassword_file = "absent"\n'
    found = config.load(written(tmp_path, text), {"GATELODGE_SMTP_PASSWORD": "of the environment"})
    assert found.smtp.password == "of the environment"


@pytest.mark.parametrize(
    "text, told",
    [
        ("smtp", "cannot be read"),
        ("smtp = 1", "is no section"),
        ("[fax]\n", "has a section [fax]"),
        ("[smtp]\n", "is incomplete"),
        ('[smtp]\nhost = "h"\nname = "x"\n', "has no key name"),
        ('[smtp]\nhost = "h"\nport = "25"\n', "port of [smtp]"),
        ('[smtp]\nhost = "h"\nport = true\n', "port of [smtp]"),
        ('[smtp]\nhost = "h"\nuser = "u"\npassword = "hunter22"\n', "holds a secret (password)"),
        ('[smtp]\nhost = "h"\nuser = "u"\n', "a user or a password"),
        ('[smtp]\nhost = "h"\npassword_file = "absent"\n', "cannot be read"),
        ('[smtp]\nhost = "h"\nsecurity = "none"\n', "would travel in the clear"),
        ('[smtp]\nhost = "h"\nsecurity = "ssl"\n', "security of [smtp]"),
        ('[smtp]\nhost = "h"\nca_file = "absent.pem"\n', "absent.pem"),
    ],
)
def test_a_faulty_file_is_one_sentence_without_a_secret(tmp_path, text, told):
    with pytest.raises(ToolError) as raised:
        config.load(written(tmp_path, text), {})
    assert told in str(raised.value) and raised.value.remedy and "hunter22" not in str(raised.value)


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    text = '[smtp]\nhost = "h"\nuser = "u"\npassword_file = "secret"\n'
    with pytest.raises(ToolError, match="chmod 600"):
        config.load(written(tmp_path, text, PASSWORD, mode=0o640), {})


@pytest.mark.parametrize(
    "text, security",
    [("localhost:25", NONE), ("mail.example.org:25", STARTTLS), ("mail.example.org:465", TLS)],
)
def test_mail_leaves_this_computer_encrypted_however_the_server_is_named(text, security):
    assert config.smtp_server(text, "a@example.org").security == security


async def test_a_server_that_takes_the_mail_and_is_silent_at_the_end_has_it(monkeypatch):
    monkeypatch.setattr(smtp, "GOODBYE_S", 0.1)
    with mail_server() as inbox:
        inbox.silent = "QUIT"
        await smtp.Smtp(inbox.settings()).send(message())  # raises nothing: it would be sent again
        inbox.silent = None
    assert len(inbox.mails) == 1
