"""`gatelodge cloud import-users`: what a file may hold, all or nothing, and again without a change."""

import asyncio

import pytest
from sqlalchemy import select

from host_tools import cli, exit_codes
from host_tools.cloud import files
from host_tools.cloud.accounts import imports
from host_tools.cloud.accounts.imports import Customer, Fault
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account

FINE = "user_name,email,first_name,last_name,country\nK1,Ada@Example.org,Ada,Bell,be\nk2,ben@example.org,,,\n"


@pytest.fixture
def data(tmp_path):
    files.master_key(tmp_path / "secrets.key")
    return tmp_path


def bring(data, text, *options):
    file = data / "customers.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return cli.main(["cloud", "import-users", "--data", str(data), *options, str(file)])


async def accounts(data):
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    await database.migrate()
    async with database.read() as session:
        rows = list(await session.scalars(select(Account).order_by(Account.user_name)))
    await database.close()
    return [(row.user_name, row.email, row.name, row.country, row.password_hash) for row in rows]


def test_customers_come_with_a_user_name_an_e_mail_and_no_password(data, capsys):
    assert bring(data, FINE) == exit_codes.OK
    assert "2 added" in capsys.readouterr().out
    assert asyncio.run(accounts(data)) == [
        ("k1", "ada@example.org", "Ada Bell", "BE", ""),
        ("k2", "ben@example.org", "k2", "", ""),
    ]


def test_importing_again_changes_nothing(data, capsys):
    bring(data, FINE)
    assert bring(data, FINE) == exit_codes.OK
    assert "0 added, 0 linked, 2 unchanged" in capsys.readouterr().out
    assert len(asyncio.run(accounts(data))) == 2


def test_a_file_with_one_fault_imports_nobody_and_names_the_line(data, capsys):
    assert bring(data, FINE + "k3,not an address,,,\n") == exit_codes.FAILED
    said = capsys.readouterr().err
    assert "customers.csv:4: the line has no e-mail address" in said and "nobody was imported" in said
    assert asyncio.run(accounts(data)) == []


def test_a_contradiction_with_what_is_there_imports_nobody(data, capsys):
    bring(data, FINE)
    more = "user_name,email\nk9,new@example.org\nk1,other@example.org\nk7,ben@example.org\n"
    assert bring(data, more) == exit_codes.FAILED
    said = capsys.readouterr().err
    assert ":3: the line names 'k1'" in said and ":4: the line names 'ben@example.org'" in said
    assert len(asyncio.run(accounts(data))) == 2


def test_checking_writes_nothing(data, capsys):
    assert bring(data, FINE, "--check") == exit_codes.OK
    assert "2 added" in capsys.readouterr().out and asyncio.run(accounts(data)) == []


def test_a_file_that_cannot_be_read_is_one_sentence(data, capsys):
    assert bring(data, b"user_name,email\n\xff\xfe,x\n") == exit_codes.USAGE
    assert "is not UTF-8" in capsys.readouterr().err
    assert (
        cli.main(["cloud", "import-users", "--data", str(data), str(data / "absent.csv")]) == exit_codes.USAGE
    )


def test_a_directory_without_a_cloud_is_one_sentence(tmp_path, capsys):
    assert bring(tmp_path, FINE) == exit_codes.USAGE
    assert "holds no cloud" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, line",
    [
        ("", 1),
        ("user_name\nk1\n", 1),
        ("user_name,email,shoe_size\nk1,a@example.org,44\n", 1),
        ("user_name,email,email\nk1,a@example.org,b@example.org\n", 1),
        ("user_name,email\nk1\n", 2),
        ("user_name,email\n,a@example.org\n", 2),
        ("user_name,email\nk@1,a@example.org\n", 2),
        ("user_name,email,country\nk1,a@example.org,XX\n", 2),
        ("user_name,email\nk1,a@example.org\nK1,b@example.org\n", 3),
        ("user_name,email\nk1,a@example.org\nk2,A@example.org\n", 3),
        ('user_name,email\nk1,"a@example.org, b@example.org"\n', 2),
        (f"user_name,email,first_name\nk1,a@example.org,{'x' * 80}\n", 2),
        ("user_name,email\nk1,a@example.org\x07\n", 2),
    ],
)
def test_a_fault_is_told_with_its_line(text, line):
    _, faults = imports.read(text)
    assert [fault.line for fault in faults] == [line]


def test_semicolons_and_spaces_are_taken_as_offices_write_them():
    customers, faults = imports.read("Email; User_Name\n  a@example.org ;  k1 \n\n")
    assert (customers, faults) == ([Customer(2, "k1", "a@example.org", "k1", "", "")], [])


def test_a_quote_that_never_ends_is_a_fault_and_no_crash():
    assert isinstance(imports.read('user_name,email\n"k1,a@example.org\n')[1][0], Fault)
