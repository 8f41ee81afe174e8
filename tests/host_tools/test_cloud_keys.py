"""The key ring: old keys open, the newest seals, and a whole database is sealed anew."""

import asyncio
import re
import stat

import pytest
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, select

from host_tools import cli, exit_codes
from host_tools.cloud import files
from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.throttle import LIMITS
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.pages.guards import BROWSER_COOKIE, KNOWN_COOKIE
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator, RecoveryCode
from host_tools.cloud.store.secret_box import (
    RingKey,
    SecretBox,
    key_id_of,
    named,
    new_id,
    new_key,
    unnamed,
)
from tests.host_tools.cloud_rig import Clock, Rig, code_in, database_url

HASH_KEY = b"h" * 32


def test_the_newest_key_seals_and_every_key_opens():
    old, new = new_key(1.0), new_key(2.0)
    before, between = SecretBox(HASH_KEY), SecretBox(HASH_KEY, [old])
    now = SecretBox(HASH_KEY, [new, old])
    sealed = [box.seal("a secret") for box in (before, between, now)]
    assert [key_id_of(each) for each in sealed] == ["", old.id, new.id]
    assert [now.open(each) for each in sealed] == ["a secret"] * 3
    with pytest.raises(InvalidToken):
        between.open(sealed[2])


def test_rotating_leaves_every_hash_as_it_is():
    boxes = SecretBox(HASH_KEY), SecretBox(HASH_KEY, [new_key(1.0)])
    assert len({box.keyed_hash("recovery code", "a", "b") for box in boxes}) == 1


def test_the_newest_key_hashes_and_every_key_recognizes():
    old, new, other = (new_key(float(index)) for index in range(3))
    before, now = SecretBox(HASH_KEY), SecretBox(HASH_KEY, (), [new, old, RingKey("", HASH_KEY, 0.0)])
    hashes = [before.keyed_hash("code", "a", "1"), now.keyed_hash("code", "a", "1")]
    assert len(set(hashes)) == 2 and set(hashes) < set(now.keyed_hashes("code", "a", "1"))
    assert all(now.is_hash(each, "code", "a", "1") for each in hashes)
    for stored, purpose, parts in (
        (hashes[0], "code", ("a", "2")), (hashes[0], "other", ("a", "1")), ("", "code", ("a", "1")),
        ("\u00e9", "code", ("a", "1")),
    ):  # fmt: skip
        assert not now.is_hash(stored, purpose, *parts)
    assert not SecretBox(HASH_KEY, (), [other]).is_hash(hashes[0], "code", "a", "1")
    assert before.keyed_hash("code", "1") == now.hash_under("", "code", "1")
    assert now.keyed_hashes("code", "1") == [now.hash_under(key, "code", "1") for key in (new.id, old.id, "")]
    assert now.hash_under(other.id, "code", "1") == now.keyed_hash("code", "1")  # as much work, and no match
    assert [unnamed(named(key, "$x$y")) for key in (old.id, "")] == [(old.id, "$x$y"), ("", "$x$y")]


async def test_what_was_handed_out_before_a_rotation_is_good_after_it(tmp_path):
    """A recovery code, a form that is open, a code on its way, and the mark of a browser that is known."""
    async with Rig(tmp_path, box=SecretBox(b"m" * 32)) as before:
        ada, new = before.browser(), before.browser()
        await ada.join()
        form = await new.sign_in()
        await new.post("/sign-in/method", form_page="/sign-in/code", method="mail")
        sent = code_in((await before.mails("ada@example.org"))[0])
        ring = [new_key(1.0), RingKey("", b"m" * 32, 0.0)]
        async with Rig(tmp_path, box=SecretBox(b"m" * 32, (), ring)) as after:
            after.clock.now = before.clock.now
            url = before.server.make_url("/")
            moved, known = carried(after, new, url), carried(after, ada, url)
            page = await moved.post_raw("/sign-in/code", {"csrf": form.csrf, "code": sent})
            assert page.path in ("/routers", "/security/choose")
            mark, token = value_of(known, KNOWN_COOKIE), value_of(known, BROWSER_COOKIE)
            assert mark in before.parts.box.keyed_hashes("known browser", token, "ada@example.org")
            await known.get("/security")
            assert value_of(known, KNOWN_COOKIE) not in ("", mark)  # it is given a new one, under the new key


async def test_a_recovery_code_of_an_old_key_lets_in_once_and_new_ones_free_the_key(tmp_path):
    async with Rig(tmp_path, box=SecretBox(b"m" * 32)) as before:
        ada = before.browser()
        await ada.join()
        totp, page = await ada.enrol()
        codes = re.findall(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)
    ring = [new_key(1.0), RingKey("", b"m" * 32, 0.0)]
    async with Rig(tmp_path, box=SecretBox(b"m" * 32, (), ring)) as after:
        assert await hanging(after) == {"": 10}
        ada = after.browser()
        await ada.sign_in()
        assert (await ada.post("/sign-in/code", code=codes[0])).path == "/routers"
        other = after.browser()
        await other.sign_in()
        assert (await other.post("/sign-in/code", code=codes[0])).status == 422
        assert await hanging(after) == {"": 9}
        after.clock.now += 30  # the code of the step before was used to add it
        await ada.prove(totp)
        await ada.post("/security/recovery-codes")
        assert await hanging(after) == {ring[0].id: 10}


async def test_attempts_that_were_counted_before_a_rotation_count_after_it(tmp_path):
    database, clock, ring = (
        Database(database_url(tmp_path)),
        Clock(),
        [new_key(1.0), RingKey("", b"m" * 32, 0.0)],
    )
    await database.migrate()
    before = Turnstile(database, SecretBox(b"m" * 32), clock)
    after = Turnstile(database, SecretBox(b"m" * 32, (), ring), clock)
    limit, who = LIMITS["sign_in.account"], {"account": "ada@example.org", "address": "192.0.2.1"}
    for _ in range(limit.burst - 1):
        await before.take("sign_in", **who)
    await after.take("sign_in", **who)
    with pytest.raises(ThrottledError):
        await after.take("sign_in", **who)
    await after.give_back("sign_in", **who)  # of the one after it: one more is let in, as before
    await after.take("sign_in", **who)
    with pytest.raises(ThrottledError):
        await after.take("sign_in", **who)
    clock.now += limit.every_s
    await after.take("sign_in", **who)
    clock.now += limit.burst * limit.every_s
    await after.prune()
    for _ in range(limit.burst):
        await after.take("sign_in", **who)
    await database.close()


async def hanging(rig):
    async with rig.parts.database.read() as session:
        return await key_ring.hanging(session)


def carried(rig, browser, url):
    """The browser with all its cookies, at the cloud that was started again."""
    moved = rig.browser()
    cookies = {each.key: each.value for each in browser._session.cookie_jar.filter_cookies(url).values()}
    moved._session.cookie_jar.update_cookies(cookies, rig.server.make_url("/"))
    return moved


def value_of(browser, cookie):
    return browser._session.cookie_jar.filter_cookies(browser._rig.server.make_url("/"))[cookie].value


@pytest.mark.parametrize("sealed", [b"", b":", b"0badc0de:", b"0badc0de:gAAAA", b"\xff:x", b"gAAAA"])
def test_what_nobody_sealed_does_not_open(sealed):
    with pytest.raises(InvalidToken):
        SecretBox(HASH_KEY, [new_key(1.0)]).open(sealed)


def test_the_ring_is_made_at_the_first_start_and_for_its_owner_alone(tmp_path):
    first = key_ring.secret_box(tmp_path, 1.0).newest_id
    assert key_ring.secret_box(tmp_path, 2.0).newest_id == first
    assert stat.S_IMODE((tmp_path / key_ring.RING).stat().st_mode) == 0o600


def test_a_damaged_ring_is_one_sentence(tmp_path, capsys):
    key_ring.secret_box(tmp_path, 1.0)
    (tmp_path / key_ring.RING).write_text('{"id": "x"}\n')
    assert rotate(tmp_path) == exit_codes.CLOUD_DID_NOT_START
    assert "is damaged" in capsys.readouterr().err


def rotate(data, *options):
    return cli.main(["cloud", "rotate-keys", "--data", str(data), *options])


async def add_secrets(data, boxes):
    """An account with one authenticator sealed by each box."""
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    await database.migrate()
    async with database.write() as session:
        names = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "terms_version": "1"}
        session.add(Account(id="a", email="ada@example.org", password_hash="", created_at=1.0, **names))
        for index, box in enumerate(boxes):
            row = Authenticator(id=new_id(), account_id="a", name="Phone", secret=box.seal(f"secret {index}"))
            row.last_step, row.created_at, row.used_at = 0, float(index), 1.0
            session.add(row)
    await database.close()


async def secrets_of(data):
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    async with database.read() as session:
        rows = await session.scalars(select(Authenticator).order_by(Authenticator.created_at))
        sealed = [row.secret for row in rows]
    await database.close()
    return sealed


def test_a_database_with_values_of_three_keys_is_sealed_anew(tmp_path, capsys):
    hash_key = files.master_key(tmp_path / key_ring.HASH_KEY)
    old = new_key(1.0)
    key_ring.write_ring(tmp_path / key_ring.RING, [new_key(2.0), old])
    boxes = [SecretBox(hash_key), SecretBox(hash_key, [old]), key_ring.secret_box(tmp_path, 3.0)]
    asyncio.run(add_secrets(tmp_path, boxes))
    assert rotate(tmp_path) == exit_codes.OK
    said = re.search(r"sealing key (\w+): 3 secrets sealed anew, 3 keys kept", capsys.readouterr().out)
    sealed, box = asyncio.run(secrets_of(tmp_path)), key_ring.secret_box(tmp_path, 4.0)
    assert {key_id_of(each) for each in sealed} == {box.newest_id} == {said[1]}
    assert [box.open(each) for each in sealed] == ["secret 0", "secret 1", "secret 2"]


def test_old_keys_are_forgotten_when_asked(tmp_path):
    asyncio.run(add_secrets(tmp_path, [key_ring.secret_box(tmp_path, 1.0)]))
    assert rotate(tmp_path, "--forget-old") == exit_codes.OK
    assert len(key_ring.read_ring(tmp_path / key_ring.RING)) == 1
    [sealed] = asyncio.run(secrets_of(tmp_path))
    assert key_ring.secret_box(tmp_path, 2.0).open(sealed) == "secret 0"


def test_a_hash_key_is_kept_while_a_recovery_code_hangs_on_it(tmp_path, capsys):
    first = key_ring.secret_box(tmp_path, 1.0)
    asyncio.run(add_recovery_codes(tmp_path, first, 3))
    first_bytes = (tmp_path / key_ring.HASH_KEY).read_bytes()
    assert rotate(tmp_path) == exit_codes.OK
    assert "the first one, secrets.key: 3 recovery codes hang on it" in capsys.readouterr().out
    second = key_ring.secret_box(tmp_path, 2.0)
    assert second.newest_hash_id and second.is_hash(first.keyed_hash("x", "y"), "x", "y")
    asyncio.run(add_recovery_codes(tmp_path, second, 2))
    assert rotate(tmp_path, "--forget-old") == exit_codes.OK
    said = capsys.readouterr().out
    assert "hash key" in said and "3 keys kept" in said
    assert f"{second.newest_hash_id}: 2 recovery codes hang on it" in said
    asyncio.run(drop_recovery_codes(tmp_path))
    assert rotate(tmp_path, "--forget-old") == exit_codes.OK
    assert len(key_ring.read_hash_ring(tmp_path)) == 1
    assert (tmp_path / key_ring.HASH_KEY).read_bytes() != first_bytes
    last = key_ring.secret_box(tmp_path, 3.0)
    assert not last.is_hash(first.keyed_hash("x", "y"), "x", "y")
    assert stat.S_IMODE((tmp_path / key_ring.HASH_RING).stat().st_mode) == 0o600


async def add_recovery_codes(data, box, count):
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    await database.migrate()
    async with database.write() as session:
        if await session.get(Account, "a") is None:
            names = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "terms_version": "1"}
            session.add(Account(id="a", email="ada@example.org", password_hash="", created_at=1.0, **names))
            await session.flush()
        for number in range(count):
            code_hash = named(box.newest_hash_id, box.keyed_hash("recovery code", "a", str(number)))
            session.add(RecoveryCode(account_id="a", code_hash=code_hash))
    await database.close()


async def drop_recovery_codes(data):
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    async with database.write() as session:
        await session.execute(delete(RecoveryCode))
    await database.close()


def test_a_value_whose_key_is_lost_stops_the_rotation_and_nothing_changes(tmp_path, capsys):
    lost = SecretBox(files.master_key(tmp_path / key_ring.HASH_KEY), [new_key(1.0)])
    asyncio.run(add_secrets(tmp_path, [key_ring.secret_box(tmp_path, 2.0), lost]))
    before = asyncio.run(secrets_of(tmp_path))
    assert rotate(tmp_path, "--forget-old") == exit_codes.FAILED
    assert "not in the ring" in capsys.readouterr().err
    assert asyncio.run(secrets_of(tmp_path)) == before
    assert len(key_ring.read_ring(tmp_path / key_ring.RING)) == 2  # what was sealed before still opens


def test_a_cloud_that_runs_is_not_rotated_under(tmp_path, capsys):
    key_ring.secret_box(tmp_path, 1.0)
    lock = files.lock_directory(tmp_path)
    assert rotate(tmp_path) == exit_codes.CLOUD_DID_NOT_START
    assert "stop it first" in capsys.readouterr().err
    files.os.close(lock)


def test_every_column_of_bytes_is_sealed_or_says_that_it_is_open():
    names = {f"{table.name}.{column.name}" for table, column in key_ring.sealed_columns()}
    assert {"authenticators.secret", "sessions.enrolment", "undos.steps"} <= names
    assert not names & {"passkeys.public_key", "passkeys.credential_id"}
