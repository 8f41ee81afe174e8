"""An e-mail's domain has letters for people and "xn--" for machines (RFC 5890): both are one account's."""

import asyncio
import re

import pytest
from alembic import command
from sqlalchemy import insert, select

from host_tools.cloud.accounts.emails import check_email, normal, on_the_wire
from host_tools.cloud.accounts.imports import read
from host_tools.cloud.delivery.smtp import composed
from host_tools.cloud.oidc.claims import about
from host_tools.cloud.store.database import Database, alembic_config
from host_tools.cloud.store.models import Account, Message, SignUp
from tests.host_tools.cloud_rig import Rig, code_in
from tests.host_tools.postgresql_rig import fresh_database

READ, WIRE = "ada@пример.рф", "ada@xn--e1afmkfd.xn--p1ai"
# Each is read as the same address by who looks the domain up.
SAME = (WIRE, "ADA@XN--E1AFMKFD.XN--P1AI", "ada@ПРИМЕР.рф", "ada@пример\u3002рф", "ada@xn--e1afmkfd.рф")
# The Cyrillic а in the first, as such and in its other form; and labels that stand for nothing.
LOOK_ALIKES = ("ada@ex\u0430mple.org", "ada@xn--exmple-4nf.org")
NO_NAMES = ("ada@xn--a.org", "ada@xn--.org", "ada@xn--example-.org", "ada@xn---bbk.org", "ada@1\u0662.org")


@pytest.fixture
async def rig(tmp_path):
    async with Rig(tmp_path) as rig:
        yield rig


@pytest.mark.parametrize("first, second", [(READ, WIRE), (WIRE, READ)], ids=["read first", "wire first"])
async def test_both_forms_of_a_domain_are_one_account(rig, first, second):
    ada = rig.browser()
    await ada.sign_up(first)
    await ada.post("/confirm", code=code_in((await rig.mails(READ))[0]))
    await rig.browser().sign_up(second)
    assert "already" in (await rig.mails(READ))[0].subject
    for email in SAME:
        assert (await rig.browser().sign_in(email)).path == "/sign-in/code", email
        assert (await rig.parts.administration.find(email)).email == READ
    assert {mail.recipient for mail in await rig.mails()} == {READ}


async def test_of_two_who_sign_up_with_both_forms_at_once_one_has_an_account(rig):
    first, second = rig.browser(), rig.browser()
    await asyncio.gather(first.sign_up(READ), second.sign_up(WIRE))
    for mail in await rig.mails(READ):  # whose is which, nobody tells
        for browser in (first, second):
            await browser.post("/confirm", code=code_in(mail))
    assert [(await each.get("/security")).path for each in (first, second)].count("/security") == 1
    async with rig.parts.database.read() as session:
        assert [account.email for account in await session.scalars(select(Account))] == [READ]


def test_what_only_looks_alike_is_another_and_what_is_no_name_is_refused():
    assert {normal(email) for email in SAME} == {READ} and check_email(READ) is None
    assert {normal(email) for email in LOOK_ALIKES} == {LOOK_ALIKES[0]} != {"ada@example.org"}
    assert [email for email in NO_NAMES if check_email(normal(email)) is None] == []
    assert check_email(normal("ada@xn--h2brj9c.com")) is None  # whose letters are marks in part


def test_a_customer_who_is_there_twice_in_both_forms_is_a_fault():
    found, faults = read(f"user_name,email\nada,{READ}\nbob,{WIRE}\n")
    assert [row.email for row in found] == [READ] and "repeats" in faults[0].text


def test_servers_and_applications_are_told_the_form_that_all_of_them_know():
    mail = composed(Message(recipient=READ, subject="x", body="x", created_at=1.0), "cloud@example.org")
    assert mail["To"] == on_the_wire(READ) == WIRE
    assert about(Account(id="a", email=READ), ("email",))["email"] == WIRE


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_addresses_of_before_are_made_one_form_and_no_two_accounts_are_joined(tmp_path, kind, caplog):
    url = fresh_database() if kind == "postgresql" else f"sqlite+aiosqlite:///{tmp_path}/cloud.db"
    database = Database(url)
    before = {"alone": "bob@xn--e1afmkfd.xn--p1ai", "twin": WIRE, "kept": READ, "none": "x@xn--a.org"}
    names = {"first_name": "A", "last_name": "B", "country": "BE", "terms_version": "1", "language": ""}
    async with database._writing.begin() as connection:
        await connection.run_sync(lambda each: command.upgrade(alembic_config(each), "0032"))
        for key, email in before.items():
            row = {"id": key, "email": email, "password_hash": "", "created_at": 1.0, **names}
            await connection.execute(insert(Account.__table__).values(**row))
        row = {"id": "s", "browser_hash": "", "email": WIRE, "password_hash": "", "code_hash": "", "tries": 0}
        row |= {"link_hash": "", "taken": False, "sent_at": 1.0, **names}
        row |= {"code_expires_at": 9.0, "expires_at": 9.0}
        known = {name: value for name, value in row.items() if name in SignUp.__table__.c}
        await connection.execute(insert(SignUp.__table__).values(**known))
    await database.migrate()
    async with database.read() as session:
        after = {row.id: row.email for row in await session.scalars(select(Account))}
        assert list(await session.scalars(select(SignUp.email))) == [READ]
    await database.close()
    assert after == {**before, "alone": "bob@пример.рф"}
    assert re.findall(r"the account (\w+) keeps", caplog.text) == ["twin"]
