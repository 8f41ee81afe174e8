"""Applications are strict unless they were registered as exceptions (ASVS level 3, by default)."""

import asyncio
import json

import pytest
from alembic import command
from sqlalchemy import text

from host_tools import cli, exit_codes
from host_tools.cloud.oidc.described import KEYLESS, Described, WrongClient
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.database import Database, alembic_config
from tests.host_tools.cloud_rig import DATABASE, Rig, database_url
from tests.host_tools.oidc_rig import BACK, App, agree, follow, signed_in
from tests.host_tools.postgresql_rig import fresh_database
from tests.host_tools.test_cloud_oidc_dpop import BoundApp
from tests.host_tools.test_cloud_oidc_keys import KEY as CLIENT_KEY
from tests.host_tools.test_cloud_oidc_keys import KeyApp, key_set
from tests.host_tools.test_cloud_oidc_par import StrictApp, push

MAIL = ("--smtp", "localhost:25")
OFTEN = "openid email profile offline_access"


async def test_a_client_is_strict_unless_it_is_an_exception(rig, ada):
    """10.3.5, 10.4.5, 10.4.13, 10.4.14 and 10.4.16, one client at a time."""
    clients = rig.parts.oidc.clients
    await clients.add(Described("app", "Garden App", [BACK], jwks=key_set(CLIENT_KEY)))
    secret = await clients.add(Described("plain", "Garden App", [BACK], plain=True))
    app, bare = StrictApp(rig), KeyApp(rig)
    assert "error=invalid_request" in (await follow(ada, app.link()))[1]  # it was not pushed
    code = (await agree(ada, await push(app, scope=OFTEN)))["code"]
    assert (await bare.token(code))[1]["error"] == "invalid_dpop_proof"
    status, tokens = await app.token(code)
    assert status == 200 and tokens["token_type"] == "DPoP"
    assert (await bare.userinfo(tokens["access_token"]))[0] == 401
    assert (await BoundApp(rig).userinfo(tokens["access_token"]))[0] == 200
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await bare.post("/oidc/token", **again))[1]["error"] == "invalid_dpop_proof"
    assert (await app.post("/oidc/token", **again))[0] == 200
    other = await signed_in(App(rig, secret, "plain"), ada)  # beside it, an exception goes on as ever
    assert other["token_type"] == "Bearer"


async def test_who_has_no_key_is_an_exception_or_nothing(rig):
    for changed in ({}, {"public": True}, {"dpop_bound": True, "pushed_only": True}):
        described = Described("app", "Garden App", [BACK], **changed)
        with pytest.raises(WrongClient) as wrong:
            await rig.parts.oidc.clients.add(described)
        assert wrong.value.sentence == KEYLESS
    assert await rig.parts.oidc.clients.all() == []


async def test_whoever_came_before_goes_on_as_an_exception_but_for_who_was_held_to_all(tmp_path):
    url = fresh_database() if DATABASE == "postgresql" else f"sqlite+aiosqlite:///{tmp_path}/old.db"
    database = Database(url)
    held = {"secret": ("", False, False), "key": ("{}", True, False), "strict": ("{}", True, True)}
    row = text(
        "INSERT INTO oidc_clients (id, name, secret_hash, jwks, grants, dpop_bound, pushed_only, "
        "redirect_uris, after_logout_uris, logout_uri, scope, ours, created_at) "
        "VALUES (:id, 'x', '', :jwks, 'authorization_code', :bound, :pushed, :back, '', '', 'openid', :no, 1)"
    )
    async with database._writing.begin() as connection:
        await connection.run_sync(lambda each: command.upgrade(alembic_config(each), "0031"))
        for name, (jwks, bound, pushed) in held.items():
            values = {"id": name, "jwks": jwks, "bound": bound, "pushed": pushed, "back": BACK, "no": False}
            await connection.execute(row, values)
    await database.migrate()
    async with database.read() as session:
        found = await session.execute(text("SELECT id, plain, used_at, disabled_at FROM oidc_clients"))
        rows = {row.id: (bool(row.plain), row.used_at, row.disabled_at) for row in found}
    await database.close()
    assert rows == {"secret": (True, None, None), "key": (True, None, None), "strict": (False, None, None)}


async def test_the_console_names_exceptions_and_the_check_does_too(tmp_path, capsys):
    tmp_path.chmod(0o700)
    async with Rig(tmp_path):
        key_ring.secret_box(tmp_path, 1.0)
    where = ["--data", str(tmp_path), "--database", database_url(tmp_path)]
    described = ["--name", "Garden App", "--redirect", BACK]

    async def run(*words):
        status = await asyncio.to_thread(cli.main, ["cloud", *words, *where])
        return status, "".join(capsys.readouterr())

    status, said = await run("clients", "add", "garden", *described)
    assert status == exit_codes.USAGE and "--plain" in said and "--keys" in said
    assert (await run("clients", "add", "garden", *described, "--plain"))[0] == 0
    assert (await run("clients", "add", "porch", *described, "--keys", key_set(CLIENT_KEY)))[0] == 0
    assert (await run("clients", "disable", "porch"))[0] == 0
    _, listed = await run("clients", "list")
    assert "secret authorization_code refresh_token EXCEPTION\n" in listed
    assert "key authorization_code refresh_token strict DISABLED\n" in listed
    assert (await run("clients", "enable", "porch"))[0] == 0
    _, said = await run("check", *MAIL)
    assert "advice: the application garden is an exception" in said and "porch" not in said
    _, said = await run("check", *MAIL, "--strict-applications")
    assert "unsafe: --strict-applications refuses garden" in said and "porch" not in said
    assert (await run("clients", "change", "garden", "--no-plain"))[0] == exit_codes.USAGE
    keys = json.dumps(json.loads(key_set(CLIENT_KEY)))
    assert (await run("clients", "change", "garden", "--no-plain", "--keys", keys))[0] == 0
    assert "garden" not in (await run("check", *MAIL, "--strict-applications"))[1]
