"""Recovery codes at rest: argon2id with a salt for each set, over a keyed hash. A try is one of it."""

import re

import pytest
from alembic import command
from sqlalchemy import insert, select

from host_tools.cloud.accounts import passwords, recovery, signin
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.recovery_sets import PURPOSE, RecoverySets
from host_tools.cloud.store.database import Database, alembic_config
from host_tools.cloud.store.models import Account, RecoveryCode
from host_tools.cloud.store.secret_box import SecretBox, named, new_key
from tests.host_tools.cloud_rig import Rig
from tests.host_tools.postgresql_rig import fresh_database

KEPT = re.compile(r"([0-9a-f]{8}:)?\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([^$]{22})\$[^$]{43}")
CODES = [f"ABCDE{number:05d}" for number in range(3)]


async def kept(database):
    async with database.read() as session:
        return list(await session.scalars(select(RecoveryCode.code_hash).order_by(RecoveryCode.id)))


async def test_codes_are_kept_as_argon2id_with_one_salt_for_each_set(tmp_path):
    async with Rig(tmp_path) as rig:
        for email in ("ada@example.org", "bob@example.org"):
            browser = rig.browser()
            await browser.join(email)
            await browser.enrol()
        found = [KEPT.fullmatch(each) for each in await kept(rig.parts.database)]
        salts = [each[4] for each in found]
        assert len(salts) == 20 and len(set(salts)) == 2
        assert salts[:10] == salts[:1] * 10


async def test_their_cost_is_that_of_a_password():
    hasher = Hasher()
    made = KEPT.fullmatch(await hasher.salted("pepper", hasher.salt()))
    assert (int(made[2]), int(made[3])) == (passwords.MEMORY_KIB, passwords.PASSES)
    hasher.close()


async def test_a_try_is_one_hash_of_equal_cost_with_or_without_codes(tmp_path, monkeypatch):
    async with Rig(tmp_path) as rig:
        ada = rig.browser()
        await ada.join()
        await ada.enrol()
        worked, run = [], rig.parts.hasher._run

        async def noted(_, *arguments):
            worked.append(arguments[1].rpartition("$")[0].split("$")[:4])
            return await run(_, *arguments)

        monkeypatch.setattr(rig.parts.hasher, "_run", noted)
        async with rig.parts.database.read() as session:
            account_id = await session.scalar(select(Account.id))
        wrong = "AAAAA-AAAAA"
        for who, typed in ((account_id, ada.codes[0]), (account_id, wrong), ("nobody", wrong)):
            await rig.parts.factors.recovery.hashed(who, typed)
        assert len(worked) == 3 and worked[0] == worked[1] == worked[2]


async def test_a_set_outlives_a_change_of_the_cost(tmp_path):
    async with Rig(tmp_path) as rig:
        ada = rig.browser()
        await ada.join()
        await ada.enrol()
        costlier = Hasher(memory_kib=16, passes=2)
        sets = RecoverySets(rig.parts.database, rig.box, costlier)
        async with rig.parts.database.read() as session:
            account_id = await session.scalar(select(Account.id))
        assert await sets.hashed(account_id, ada.codes[3]) in await kept(rig.parts.database)
        costlier.close()


async def test_the_hash_that_is_kept_is_no_code_even_where_nothing_hashed_it(tmp_path):
    """Whoever has a copy of the database has the hashes."""
    async with Rig(tmp_path) as rig:
        ada = rig.browser()
        await ada.join()
        await ada.enrol()
        stolen, factors = (await kept(rig.parts.database))[0], rig.parts.factors
        async with rig.parts.database.write() as session:
            account_id = await session.scalar(select(Account.id))
            verdict = await factors.check_recovery(session, account_id, stolen, rig.clock())
        assert verdict.event == signin.WRONG and await factors.recovery.left(account_id) == 10


async def test_an_answer_counts_for_the_way_that_was_asked_when_it_came(tmp_path, monkeypatch):
    async with Rig(tmp_path) as rig:
        ada, other = rig.browser(), rig.browser()
        await ada.join()
        await ada.enrol()
        await other.sign_in()
        prepared = rig.parts.second_step._answers.prepared

        async def meanwhile(row, text):
            monkeypatch.undo()
            await other.post("/sign-in/method", form_page="/sign-in/code", method="recovery")
            return await prepared(row, text)

        monkeypatch.setattr(rig.parts.second_step._answers, "prepared", meanwhile)
        page = await other.post("/sign-in/code", code=ada.codes[0])
        assert page.status == 422 and (await other.get("/routers")).path == "/sign-in"
        assert (await other.post("/sign-in/code", code=ada.codes[0])).path == "/routers"  # it was not used up


async def test_the_form_of_a_passkey_takes_nothing_where_none_was_asked(tmp_path):
    async with Rig(tmp_path) as rig:
        ada, other = rig.browser(), rig.browser()
        await ada.join()
        await ada.enrol()
        await other.sign_in()
        await other.post("/sign-in/method", form_page="/sign-in/code", method="recovery")
        path, form = "/sign-in/code/passkey", "/sign-in/code"
        assert (await other.post(path, form_page=form, credential=ada.codes[0])).status == 422
        assert (await other.post(form, code=ada.codes[0])).path == "/routers"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_sets_of_before_are_wrapped_by_the_migration_and_each_code_works_once(tmp_path, kind):
    """They were keyed hashes, of two keys; the migration needs neither."""
    url = fresh_database() if kind == "postgresql" else f"sqlite+aiosqlite:///{tmp_path}/cloud.db"
    database, ring = Database(url), [new_key(2.0), new_key(1.0)]
    box = SecretBox(b"m" * 32, (), ring)
    async with database._writing.begin() as connection:
        await connection.run_sync(lambda each: command.upgrade(alembic_config(each), "0028"))
        names = {"first_name": "A", "last_name": "B", "country": "BE", "terms_version": "1", "language": ""}
        for account, key in zip("ab", ring, strict=True):
            about = {"id": account, "email": f"{account}@example.org", "password_hash": "", "created_at": 1.0}
            await connection.execute(insert(Account.__table__).values(**about, **names))
            for number, code in enumerate(CODES):
                code_hash = named(key.id, box.hash_under(key.id, PURPOSE, account, code))
                used_at = 1.0 if number == 2 else None
                row = {"account_id": account, "code_hash": code_hash, "used_at": used_at}
                await connection.execute(insert(RecoveryCode.__table__).values(**row))
    await database.migrate()
    stored, hasher = await kept(database), Hasher()
    assert [bool(KEPT.fullmatch(each)) for each in stored] == [True, True, False] * 2 and stored[2] == ""
    sets = RecoverySets(database, box, hasher)
    for account, other in ("ab", "ba"):
        tried = await sets.hashed(account, recovery.grouped(CODES[0]).lower())
        stranger = await sets.hashed(other, CODES[2])
        async with database.write() as session:
            assert [await sets.use(session, account, tried, 5.0) for _ in range(2)] == [True, False]
            assert not await sets.use(session, account, stranger, 5.0)
        assert await sets.left(account) == 1
    hasher.close()
    await database.close()
