"""Personal tokens and the API: made with the password, held to their scopes, and answers as described."""

import asyncio
import re
import sys

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import select, update

from host_tools.cloud.accounts.throttle import LIMITS, Limit
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.api.operations import OPERATIONS
from host_tools.cloud.api.scopes import ACCOUNT_READ, EVERY, ROUTERS_READ, ROUTERS_WRITE
from host_tools.cloud.api.tokens import DAY_S, FORM, SHOWN_AFTER_S, TOKENS_MAX
from host_tools.cloud.oidc.tokens import PREFIXES
from host_tools.cloud.pages.guards import SESSION_COOKIE
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.models import Router
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S
from tests.host_tools.test_cloud_resets import reset_by_code

SERIAL, EMAIL = "GL-0001", "ada@example.org"
PAGE = "/security/tokens"
PROBLEM = "application/problem+json"
SEED, EXAMPLES, DEADLINE_S = "20261127", "15", 120
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,unsupported_method"
)
REFUSALS = "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 422, 429]\n"


@pytest.fixture
async def ada(rig):
    browser = rig.browser()
    await browser.join(EMAIL)
    return browser


async def make(browser, *scopes, **changed):
    ticks = dict.fromkeys(scopes or EVERY, "yes")
    return await browser.post(
        PAGE, **{"name": "Home", "days": "90", "password": PASSWORD, **ticks, **changed}
    )


async def token_of(browser, *scopes, **changed):
    return re.search(r'id="token">([^<]+)<', (await make(browser, *scopes, **changed)).text)[1]


async def ask(rig, path, token=None, method="GET", **options):
    """By a program that has no cookies. Returns (status, what it answers, headers)."""
    program = rig.browser(**({"Authorization": f"Bearer {token}"} if token else {}))
    async with program._session.request(method, rig.server.make_url(path), **options) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def status_of(rig, token, path="/api/v1/account"):
    return (await ask(rig, path, token))[0]


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(rig, ada):
    token = await token_of(ada, ACCOUNT_READ)
    assert FORM.fullmatch(token) and not token.startswith(tuple(PREFIXES.values()))
    listed = (await ada.get(PAGE)).text
    assert token not in listed and "Home" in listed and "not used yet" in listed
    async with rig.parts.database.read() as session:
        row = await session.scalar(select(ApiToken))
    assert token not in str(vars(row)) and len(row.token_hash) == 64


@pytest.mark.parametrize(
    "changed, says",
    [
        ({"password": "not the password"}, "not your password"),
        ({"name": " "}, "Name the token"),
        ({"days": "3650"}, "Choose from the list"),
        ({ACCOUNT_READ: ""}, "Tick at least one"),
    ],
)
async def test_a_token_needs_the_password_a_name_an_end_and_a_scope(rig, ada, changed, says):
    page = await make(ada, ACCOUNT_READ, **changed)
    assert page.status == 422 and says in page.text
    assert await rig.parts.tokens.of((await rig.parts.administration.find(EMAIL)).id) == []


async def test_making_and_revoking_a_token_is_told_and_logged(rig, ada):
    token = await token_of(ada)
    path = re.search(r'action="(/security/tokens/\w+/revoke)"', (await ada.get(PAGE)).text)[1]
    assert await status_of(rig, token) == 200
    await ada.post(path, form_page=PAGE)
    assert await status_of(rig, token) == 401
    told = [mail.subject for mail in await rig.mails(EMAIL)][:2]
    assert told == ["A personal token was revoked", "A personal token was made"]
    log = (await ada.get("/security/log")).text
    assert "A personal token was made" in log and "A personal token was revoked" in log and token not in log


async def test_the_mail_that_tells_of_a_token_undoes_it(rig, ada):
    token = await token_of(ada)
    mail = (await rig.mails(EMAIL))[0]
    path = re.search(r"https://[^/]+(/undo#\S+)", mail.body)[1]
    assert (await rig.browser().post(path, password=PASSWORD)).status == 200
    assert await status_of(rig, token) == 401


async def test_nobody_revokes_the_token_of_another(rig, ada):
    token = await token_of(ada)
    path = re.search(r'action="(/security/tokens/\w+/revoke)"', (await ada.get(PAGE)).text)[1]
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.post(path, form_page=PAGE)).status == 404
    assert await status_of(rig, token) == 200


async def test_a_token_ends_on_its_day_and_is_listed_for_a_while(rig, ada):
    token = await token_of(ada, days="30")
    account_id = (await rig.parts.administration.find(EMAIL)).id
    rig.clock.now += 30 * DAY_S - 1
    assert await status_of(rig, token) == 200
    rig.clock.now += 1
    assert await status_of(rig, token) == 401
    await rig.parts.tokens.prune(rig.clock())
    assert len(await rig.parts.tokens.of(account_id)) == 1
    rig.clock.now += SHOWN_AFTER_S + 1
    await rig.parts.tokens.prune(rig.clock())
    assert await rig.parts.tokens.of(account_id) == []


async def test_an_account_holds_so_many_tokens_and_no_more(rig, ada):
    for _ in range(TOKENS_MAX):
        assert (await make(ada)).status == 200
    page = await make(ada)
    assert page.status == 422 and "Revoke one first" in page.text


async def test_the_last_use_of_a_token_is_listed(rig, ada):
    token = await token_of(ada)
    await ask(rig, "/api/v1/account", token)
    assert "not used yet" not in (await ada.get(PAGE)).text


async def test_the_tokens_of_a_disabled_account_open_nothing_even_when_it_is_enabled_again(rig, ada):
    token = await token_of(ada)
    account_id = (await rig.parts.administration.find(EMAIL)).id
    operator = Visit("", "", "", rig.clock())
    await rig.parts.administration.disable(account_id, "asked", operator)
    assert await status_of(rig, token) == 401
    await rig.parts.administration.enable(account_id, operator)
    assert await status_of(rig, token) == 401


async def test_a_password_that_was_forgotten_ends_every_token(rig, ada):
    token = await token_of(ada)
    await reset_by_code(rig, rig.browser())
    assert await status_of(rig, token) == 401


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.method + row.path)
async def test_an_operation_wants_a_token_of_its_scope(rig, ada, row):
    path = row.path.replace("{serial_number}", SERIAL).replace("{id}", "0" * 30)
    status, said, headers = await ask(rig, path, method=row.method)
    assert status == 401 and headers["Content-Type"].startswith(PROBLEM)
    assert said["status"] == 401 and "error=" not in headers["WWW-Authenticate"]
    status, _, headers = await ask(rig, path, "glp_" + "x" * 43, row.method)
    assert status == 401 and 'error="invalid_token"' in headers["WWW-Authenticate"]
    token = await token_of(ada, *(scope for scope in EVERY if scope != row.scope))
    status, said, headers = await ask(rig, path, token, row.method)
    assert status == 403 and row.scope in said["detail"]
    assert f'scope="{row.scope}"' in headers["WWW-Authenticate"]


async def test_a_session_opens_no_operation_and_a_token_opens_no_page(rig, ada):
    token = await token_of(ada)
    assert (await ada.get("/api/v1/account")).status == 401
    program = rig.browser(Authorization=f"Bearer {token}")
    assert (await program.get("/security")).path == "/sign-in"
    async with program._session.get(
        rig.server.make_url("/security"), headers={"Cookie": f"{SESSION_COOKIE}={token}"}
    ) as answer:
        assert answer.url.path == "/sign-in"


async def test_the_account_its_sessions_and_its_events_are_told(rig, ada):
    token = await token_of(ada, ACCOUNT_READ)
    told = (await ask(rig, "/api/v1/account", token))[1]
    assert told["email"] == EMAIL and told["created_at"].endswith("Z")
    assert not {name for name in told if "hash" in name or "password" in name}
    assert len((await ask(rig, "/api/v1/sessions", token))[1]["items"]) == 1
    events = (await ask(rig, "/api/v1/events", token))[1]
    assert events["items"][0]["kind"] == "token_made" and events["next"] is None


async def test_events_come_in_pages_without_a_gap(rig, ada):
    token = await token_of(ada, ACCOUNT_READ)
    whole = (await ask(rig, "/api/v1/events", token))[1]["items"]
    found, place = [], "/api/v1/events?limit=1"
    while place:
        page = (await ask(rig, place, token))[1]
        found += page["items"]
        place = f"/api/v1/events?limit=1&before={page['next']}" if page["next"] else None
    assert found == whole and len(whole) > 1


async def test_routers_come_in_pages_and_nobody_elses(rig, ada):
    eve = rig.browser()
    await eve.join("eve@example.org")
    for index, owner in enumerate((ada, ada, ada, eve), start=1):
        await rig.own_router(f"GL-000{index}", owner, index)
    await rig.hub.disconnect("GL-0002")
    token = await token_of(ada, ROUTERS_READ)
    page = (await ask(rig, "/api/v1/routers?limit=2", token))[1]
    assert [row["serial_number"] for row in page["items"]] == ["GL-0001", "GL-0002"]
    assert [row["state"] for row in page["items"]] == ["online", "offline"]
    rest = (await ask(rig, f"/api/v1/routers?limit=2&after={page['next']}", token))[1]
    assert [row["serial_number"] for row in rest["items"]] == ["GL-0003"] and rest["next"] is None
    one = (await ask(rig, "/api/v1/routers/GL-0001", token))[1]
    assert one["firmware"] == "0.1.0" and one["warranty"]["ends"] > one["warranty"]["begins"]
    assert (await ask(rig, "/api/v1/routers/GL-0004", token))[0] == 404


async def test_a_restart_is_asked_for_and_its_result_read(rig, ada):
    await rig.own_router(SERIAL, ada)
    token = await token_of(ada, ROUTERS_READ, ROUTERS_WRITE)
    path = f"/api/v1/routers/{SERIAL}/restarts"
    status, asked, headers = await ask(rig, path, token, "POST")
    assert status == 202 and asked["state"] == "asked" and asked["ended_at"] is None
    status, said, _ = await ask(rig, path, token, "POST")
    assert status == 422 and "under way" in said["detail"]
    rig.hub.result.set_result({})
    async with asyncio.timeout(PATIENCE_S):
        while (result := (await ask(rig, headers["Location"], token))[1])["state"] == "asked":
            await asyncio.sleep(0.02)
            rig.clock.now += 1  # else the pace of the token ends the waiting
    assert result["state"] == "done" and result["ended_at"]
    assert rig.hub.commands == [(SERIAL, "reboot")]


async def test_nobody_restarts_or_follows_the_router_of_another(rig, ada):
    await rig.own_router(SERIAL, ada)
    mine = await token_of(ada)
    path = f"/api/v1/routers/{SERIAL}/restarts"
    place = (await ask(rig, path, mine, "POST"))[2]["Location"]
    eve = rig.browser()
    await eve.join("eve@example.org")
    theirs = await token_of(eve)
    assert (await ask(rig, path, theirs, "POST"))[0] == 404
    assert (await ask(rig, place, theirs))[0] == 404
    assert len(rig.hub.commands) == 1


async def test_a_router_that_is_offline_cannot_be_restarted(rig, ada):
    await rig.own_router(SERIAL, ada)
    await rig.hub.disconnect(SERIAL)
    status, said, _ = await ask(rig, f"/api/v1/routers/{SERIAL}/restarts", await token_of(ada), "POST")
    assert status == 422 and "offline" in said["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=-1", "limit=1.5", "limit=%D9%A1", "limit=", "limit=1&limit=2",
        "before=2147483648", "other=1",
    ],
)  # fmt: skip
async def test_a_parameter_out_of_its_bounds_is_refused_by_name(rig, ada, query):
    status, said, headers = await ask(rig, f"/api/v1/events?{query}", await token_of(ada))
    assert status == 422 and said["parameter"] == query.partition("=")[0]
    assert headers["Content-Type"].startswith(PROBLEM)


@pytest.mark.parametrize("name", ["a%2Fb", "%F0%9F%A6%86", "x" * 65, ".", "-"])
async def test_what_cannot_be_a_serial_number_is_not_found(rig, ada, name):
    assert await status_of(rig, await token_of(ada), f"/api/v1/routers/{name}") == 404


@pytest.mark.parametrize("path", ["routers/%00", "events?before=%00", "events?%00=1"])
async def test_text_that_no_table_takes_is_refused(rig, ada, path):
    assert await status_of(rig, await token_of(ada), f"/api/v1/{path}") in (400, 404, 422)


@pytest.mark.parametrize(
    "method, path, status",
    [("GET", "/api/v1/nothing", 404), ("POST", "/api/", 404), ("DELETE", "/api/v1/account", 405)],
)
async def test_what_is_not_there_is_a_problem_too_and_asks_for_no_form(rig, method, path, status):
    got, said, headers = await ask(rig, path, method=method)
    assert got == said["status"] == status and headers["Content-Type"].startswith(PROBLEM)
    assert "Set-Cookie" not in headers and ("Allow" in headers) == (status == 405)


async def test_a_token_has_a_pace_of_its_own(rig, ada):
    first, second = await token_of(ada), await token_of(ada)
    for _ in range(LIMITS["api.account"].burst):
        assert await status_of(rig, first) == 200
    status, _, headers = await ask(rig, "/api/v1/account", first)
    assert status == 429 and int(headers["Retry-After"]) >= 1
    assert await status_of(rig, second) == 200
    rig.clock.now += int(headers["Retry-After"])
    assert await status_of(rig, first) == 200


async def test_wrong_tokens_are_slowed_down_and_keep_no_right_one_out(rig, ada):
    token = await token_of(ada)
    for _ in range(LIMITS["api_wrong.address"].burst):
        assert await status_of(rig, "glp_" + "x" * 43) == 401
    assert await status_of(rig, "glp_" + "x" * 43) == 429
    assert await status_of(rig, token) == 200


async def test_a_fault_of_ours_is_a_problem_without_details(rig, ada, monkeypatch):
    async def broken(*_):
        raise RuntimeError("secret detail")

    token = await token_of(ada)
    monkeypatch.setattr(rig.parts.sessions, "of", broken)
    status, said, _ = await ask(rig, "/api/v1/sessions", token)
    assert status == 500 and "secret detail" not in str(said)


async def test_the_description_is_valid_and_names_every_operation(rig):
    status, described, _ = await ask(rig, "/api/openapi.json")
    assert status == 200 and list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    named = {(method.upper(), path) for path, rows in described["paths"].items() for method in rows}
    assert named == {(row.method, row.path) for row in OPERATIONS}


async def test_whatever_is_asked_the_answer_is_as_described(tmp_path, rig, ada, monkeypatch):
    """Schemathesis asks the running portal, right things and wrong ones, with a token of every scope."""
    monkeypatch.setitem(LIMITS, "api.account", Limit("api.account", 100_000, 1))
    await rig.own_router(SERIAL, ada)
    async with rig.parts.database.write() as session:
        await session.execute(update(Router).values(heard_at=None, firmware=""))
    (tmp_path / "schemathesis.toml").write_text(REFUSALS)
    origin = str(rig.server.make_url("")).rstrip("/")
    command = [sys.executable, "-m", "schemathesis.cli", "run", origin + "/api/openapi.json", "--url", origin]
    command += ["--header", f"Authorization: Bearer {await token_of(ada)}", "--checks", CHECKS]
    command += ["--seed", SEED, "--max-examples", EXAMPLES, "--phases", "coverage,fuzzing", "--no-color"]
    command += ["--generation-database", "none", "--generation-with-security-parameters", "false"]
    pipe = asyncio.subprocess.PIPE
    asking = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            said = (await asking.communicate())[0].decode()
    finally:
        if asking.returncode is None:
            asking.kill()
            await asking.wait()
    assert asking.returncode == 0, said
    assert f"Tested: {len(OPERATIONS)}" in said, said
