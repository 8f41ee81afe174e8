"""Which applications an operator can register, and the verb that does it."""

import asyncio

import pytest

from host_tools import cli, exit_codes
from host_tools.cloud.oidc.described import Described, WrongClient
from tests.host_tools.cloud_rig import Rig, database_url
from tests.host_tools.oidc_rig import BACK


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"id": "No"}, "small letters"),
        ({"name": " "}, "has a name"),
        ({"redirect_uris": []}, "at least one"),
        ({"redirect_uris": ["http://app.example.org/"]}, "https"),
        ({"redirect_uris": ["https://a.example/#x"]}, "fragment"),
        ({"redirect_uris": ["https://u:p@a.example/"]}, "holds a user"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "https"),
        ({"redirect_uris": ["https://a.example/\nb"]}, "such as a URL has"),
        ({"scope": ["openid", "all"]}, "no scope all"),
        ({"scope": ["email"]}, "openid"),
        ({"logout_uri": "org.example.app://x"}, "https"),
        ({"logout_uri": "http.example.app://x"}, "https"),
    ],
)
async def test_a_client_that_cannot_be_registered_is_told_why(rig, changed, fault):
    described = Described("app", "Garden App", [BACK], plain=True)._replace(**changed)
    with pytest.raises(WrongClient, match=fault):
        await rig.parts.oidc.clients.add(described)


async def test_an_operator_registers_a_client_by_the_console(tmp_path, capsys):
    async with Rig(tmp_path):
        (tmp_path / "secrets.key").write_bytes(b"m" * 32)
    verb = ["cloud", "clients"]
    where = ["--data", str(tmp_path), "--database", database_url(tmp_path)]
    described = ["--name", "Garden App", "--redirect", BACK, "--plain"]

    async def run(*words):
        return await asyncio.to_thread(cli.main, [*verb, *words, *where])

    assert await run("add", "garden", *described) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("glc_")
    assert await run("add", "garden", *described) == exit_codes.USAGE
    assert await run("list") == 0
    listed = capsys.readouterr().out
    assert "Garden App" in listed and BACK in listed and secret not in listed
    assert await run("secret", "garden") == 0
    assert capsys.readouterr().out.strip() != secret
    assert await run("remove", "garden") == 0
    assert await run("remove", "garden") == exit_codes.USAGE
    assert await run("secret") == exit_codes.USAGE
