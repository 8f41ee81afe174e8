"""The page of applications: who sees it, what it registers and refuses, what a change ends, who is told."""

import asyncio
import getpass
import html
import json
import re

import pytest
from sqlalchemy import delete, select, update

from host_tools import cli, exit_codes
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.help import roles
from host_tools.cloud.oidc.described import ADDRESSES_MAX, GRANTS, Described
from host_tools.cloud.pages import routes
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.oidc_models import OidcClient, OidcConsent, OidcToken
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.oidc_rig import BACK, App, answer_in, begin_device, follow, signed_in
from tests.host_tools.test_cloud_admin import account, rig  # noqa: F401
from tests.host_tools.test_cloud_guards import address
from tests.host_tools.test_cloud_oidc_keys import KEY, OTHER, key_set

GRACE, EMAIL = "grace@example.org", "ada@example.org"
ADD, GARDEN = "/clients/_add", "/clients/garden"
AWAY = "openid email profile offline_access"
STRICT = {
    "id": "garden", "name": "Garden App", "redirect_uris": BACK, "proof": "key", "jwks": key_set(KEY),
    "authorization_code": "yes", "refresh_token": "yes", "profile": "yes",
}  # fmt: skip
PLAIN = {**STRICT, "proof": "secret", "jwks": "", "plain": "yes", "email": "yes", "offline_access": "yes"}
CHANGE = {"redirect_uris": BACK, "authorization_code": "yes", "refresh_token": "yes", "plain": "yes"}
ROWS = [row for row in routes.ROUTES if row.who == routes.REGISTRAR]
DEEDS = ("secret", "disable", "enable", "remove")


async def registrar(rig, email=GRACE):  # noqa: F811
    """Somebody with the role, a second factor, and a proof of just now."""
    browser = rig.browser()
    await browser.join(email)
    browser.totp, _ = await browser.enrol()
    assert await account(rig, "role", email, roles.CLIENTS) == exit_codes.OK
    return browser


@pytest.fixture
async def grace(rig):  # noqa: F811
    return await registrar(rig)


@pytest.fixture
async def ada(rig):  # noqa: F811
    browser = rig.browser()
    await browser.join(EMAIL)
    return browser


def secret_on(page):
    return re.search(r'id="secret">([^<]+)<', page.text)[1]


async def kept(rig, client_id="garden"):  # noqa: F811
    async with rig.parts.database.read() as session:
        return await session.get(OidcClient, client_id)


async def console(rig, *words):  # noqa: F811
    """The verb of an operator, as it runs in a process of its own."""
    where = ["--data", str(rig.folder), "--database", rig.settings.database_url]
    return await asyncio.to_thread(cli.main, ["cloud", "clients", *words, *where])


async def count(rig, table):  # noqa: F811
    async with rig.parts.database.read() as session:
        return len(list(await session.scalars(select(table).where(table.client_id == "garden"))))


async def change(grace, **fields):
    form = await grace.get(GARDEN)
    mark = re.search(r'name="mark" value="(\w+)"', form.text)[1]
    return await grace.post_raw(GARDEN, {"csrf": form.csrf, "mark": mark, **CHANGE, **fields})


async def do(grace, deed):
    return await grace.post(f"{GARDEN}/{deed}", sure="yes")


async def garden(rig, grace):  # noqa: F811
    """An exception with a secret, as it was added on the page."""
    return App(rig, secret_on(await grace.post(ADD, **PLAIN)), "garden")


@pytest.mark.parametrize("role", ["", roles.SUPPORT, roles.ADMIN])
async def test_whoever_has_not_the_role_finds_nothing(rig, grace, ada, role):  # noqa: F811
    await grace.post(ADD, **PLAIN)
    await ada.enrol()
    assert await account(rig, "role", EMAIL, role or "none") == exit_codes.OK
    nothing = re.sub(r'value="\w+"', "", (await ada.get("/no-such-page")).text)
    for row in ROWS:
        place = address(row).replace("a1", "garden")
        page = await (ada.get(place) if row.method == "GET" else ada.post(place, form_page="/help", **PLAIN))
        assert page.status == 404, row
        if row.method == "GET":
            assert re.sub(r'value="\w+"', "", page.text) == nothing
        stranger = rig.browser()
        page = await (
            stranger.get(place) if row.method == "GET" else stranger.post(place, form_page="/sign-in")
        )
        assert page.path == "/sign-in", row
    assert "/clients" not in (await ada.get("/security")).text
    assert (await kept(rig)).disabled_at is None


async def test_who_has_the_role_is_led_there_and_stands_behind_no_desk(rig, grace):  # noqa: F811
    text = (await grace.get("/security")).text
    assert 'href="/clients"' in text and "/desk" not in text
    assert "None is registered." in (await grace.get("/clients")).text
    assert (await grace.get("/desk")).status == 404


async def test_without_a_second_factor_the_page_is_shut(rig, ada):  # noqa: F811
    assert await account(rig, "role", EMAIL, roles.CLIENTS) == exit_codes.OK
    for place in ("/clients", ADD):
        page = await ada.get(place)
        assert page.status == 403 and "needs a second factor" in page.text
    assert (await ada.post(ADD, form_page="/help", **STRICT)).status == 403
    assert await kept(rig) is None


async def test_a_role_that_is_taken_away_while_a_form_is_on_its_way_changes_nothing(rig, grace):  # noqa: F811
    """The role is looked at once more in the transaction of the change."""
    registrar, again = rig.parts.registrar, rig.parts.registrar._again
    check = again.check

    async def taken_away(action, password, visit):
        await check(action, password, visit)
        async with rig.parts.database.write() as session:
            await session.execute(update(Account).where(Account.email == GRACE).values(role=""))

    again.check = taken_away
    try:
        assert (await grace.post(ADD, **STRICT)).status == 404
    finally:
        again.check = check
    assert registrar is rig.parts.registrar and await kept(rig) is None


async def test_a_strict_application_is_added_by_its_key_and_listed(rig, grace):  # noqa: F811
    page = await grace.post(ADD, **STRICT)
    assert "There is no secret to keep" in page.text and "garden" in page.text
    client = await kept(rig)
    assert not client.plain and not client.secret_hash and client.scope == "openid profile"
    listed = (await grace.get("/clients")).text
    for words in ("Garden App", BACK, "Strict", "refresh_token", "profile", "not used yet"):
        assert words in listed
    assert "device_code" not in listed


async def test_an_exception_has_to_be_named_so_and_is_listed_as_one(rig, grace):  # noqa: F811
    for proof in ("secret", "nothing", "key"):
        page = await grace.post(ADD, **{**PLAIN, "proof": proof, "plain": "", "jwks": ""})
        assert page.status == 422 and "make the application an exception" in page.text
        assert "Garden App" in page.text  # what was typed stays
    secret = secret_on(await grace.post(ADD, **PLAIN))
    assert secret.startswith("glc_") and await rig.parts.oidc.clients.proved("garden", secret)
    listed = (await grace.get("/clients")).text
    assert "Exception" in listed and secret not in listed
    assert secret not in (await grace.get(GARDEN)).text


async def test_an_application_of_the_page_signs_people_in_and_is_seen_to_be_used(rig, grace, ada):  # noqa: F811
    app = await garden(rig, grace)
    assert (await signed_in(app, ada))["access_token"]
    assert (await kept(rig)).used_at == rig.clock()
    assert "1 account is connected" in (await grace.get(GARDEN)).text


# field, what is typed, what is answered
WRONG = (
    ("redirect_uris", "", "at least one"),
    ("redirect_uris", "https://app.example.org/back#part", "fragment"),
    ("redirect_uris", "javascript:alert(1)", "must begin with https"),
    ("redirect_uris", "data:text/html,hello", "must begin with https"),
    ("redirect_uris", "//app.example.org/back", "must begin with https"),
    ("redirect_uris", "https:app.example.org", "must begin with https"),
    ("redirect_uris", "http://app.example.org/back", "must begin with https"),
    ("redirect_uris", "http://127.0.0.1.example.org/back", "must begin with https"),
    ("redirect_uris", "http://localhost.example.org/back", "must begin with https"),
    ("redirect_uris", "https://*.example.org/back", "wildcard"),
    ("redirect_uris", "https://app.example.org/*", "wildcard"),
    ("redirect_uris", "https://app.example.org@evil.example/back", "holds a user"),
    ("redirect_uris", "https://user:secret@app.example.org/", "holds a user"),
    ("redirect_uris", "https://app.example.org\\@evil.example/", "such as a URL has"),
    ("redirect_uris", "https://аpp.example.org/back", "xn--"),
    ("redirect_uris", "https://app.example.org/%zz\u202eb", "such as a URL has"),
    ("redirect_uris", "https://[::1/back", "no URL"),
    ("redirect_uris", "https://app.example.org:99999/", "no URL"),
    ("redirect_uris", "https://app.example.org/" + "a" * 400, "at most 400"),
    ("redirect_uris", "\n".join([BACK] * (ADDRESSES_MAX + 1)), "at most 20 addresses"),
    ("redirect_uris", f"{BACK}\njavascript:alert(1)", "must begin with https"),
    ("redirect_uris", "x" * 20_000, "at most 10000"),
    ("after_logout_uris", "javascript:alert(1)", "must begin with https"),
    ("logout_uri", "http://127.0.0.1:8444/logout", "another computer"),
    ("logout_uri", "https://127.0.0.1/logout", "another computer"),
    ("logout_uri", "https://10.0.0.1/logout", "another computer"),
    ("logout_uri", "https://2130706433/logout", "another computer"),
    ("logout_uri", "https://127.1/logout", "another computer"),
    ("logout_uri", "https://[::ffff:127.0.0.1]/logout", "another computer"),
    ("logout_uri", "https://localhost/logout", "another computer"),
    ("logout_uri", "https://db.internal./logout", "another computer"),
    ("logout_uri", "https://nas.home.arpa/logout", "another computer"),
    ("logout_uri", "https://0x7f.0x1/logout", "another computer"),
    ("logout_uri", "org.example.app://x", "another computer"),
    ("id", "Garden", "small letters"),
    ("id", "_add", "small letters"),
    ("id", "../x", "small letters"),
    ("name", "", "Name it"),
    ("name", "Garden\u202eppA", "A name has letters"),
    ("proof", "none", "Choose from the list"),
    ("jwks", "nonsense", "no JWK set"),
    ("jwks", key_set(KEY, KEY), "told apart"),
    ("authorization_code", "", "else there is nothing"),
)


async def test_what_cannot_be_registered_says_why_and_nothing_is(rig, grace):  # noqa: F811
    """On the form that adds, and on the one that changes."""
    csrf = (await grace.get(ADD)).csrf
    for field, value, fault in WRONG:
        page = await grace.post_raw(ADD, {"csrf": csrf, **STRICT, field: value})
        assert page.status == 422 and fault in html.unescape(page.text), (field, value)
        assert await kept(rig) is None
    await grace.post(ADD, **STRICT)
    for field, value, fault in WRONG:
        if field in ("redirect_uris", "after_logout_uris", "logout_uri"):
            page = await grace.post_raw(GARDEN, {"csrf": csrf, **CHANGE, "plain": "", field: value})
            assert page.status == 422 and fault in html.unescape(page.text), (field, value)
            assert (await kept(rig)).redirect_uris == BACK


async def test_a_private_key_is_refused_and_not_shown_again(rig, grace):  # noqa: F811
    page = await grace.post(ADD, **{**STRICT, "jwks": json.dumps(KEY.as_dict(private=True))})
    assert page.status == 422 and "private key belongs" in page.text and await kept(rig) is None
    assert KEY.as_dict(private=True)["d"] not in page.text


async def test_what_is_changed_holds_from_then_on(rig, grace):  # noqa: F811
    await garden(rig, grace)
    there = "https://garden.example.org/there"
    page = await change(
        grace,
        redirect_uris=f" {there} \n\n{BACK}",
        after_logout_uris=there,
        logout_uri=there,
        device_code="yes",
    )
    assert page.path == GARDEN and "is changed" in page.text
    client = await kept(rig)
    assert client.redirect_uris == f"{there}\n{BACK}" and client.after_logout_uris == there
    assert client.logout_uri == there and client.grants == " ".join(GRANTS)


async def test_a_key_takes_the_place_of_the_secret_and_the_exception_ends(rig, grace, ada):  # noqa: F811
    app = await garden(rig, grace)
    tokens = await signed_in(app, ada)
    assert (await change(grace, plain="")).status == 422  # it has no key yet
    assert (await change(grace, jwks=key_set(KEY), plain="")).status == 200
    client = await kept(rig)
    assert not client.plain and not client.secret_hash and client.jwks
    assert (await app.userinfo(tokens["access_token"]))[0] == 401  # it was bound to nothing
    assert (await app.post("/oidc/revoke", token="x"))[0] == 401
    assert (await change(grace, jwks=key_set(OTHER), plain="")).status == 200
    assert (await kept(rig)).jwks != client.jwks
    assert (await do(grace, "secret")).status == 422  # there is none any more


async def test_a_new_secret_voids_the_one_before(rig, grace):  # noqa: F811
    app = await garden(rig, grace)
    fresh = secret_on(await do(grace, "secret"))
    assert (await app.post("/oidc/revoke", token="x"))[0] == 401
    assert (await App(rig, fresh, "garden").post("/oidc/revoke", token="x"))[0] == 200


async def test_a_disabled_application_gets_nothing_and_an_enabled_one_begins_anew(rig, grace, ada):  # noqa: F811
    app = await garden(rig, grace)
    await change(grace, device_code="yes")
    tokens, begun = await signed_in(app, ada, scope=AWAY), await begin_device(app)
    code = answer_in((await follow(ada, app.link()))[1])["code"]
    assert "is disabled" in (await do(grace, "disable")).text
    assert (await app.userinfo(tokens["access_token"]))[0] == 401
    assert (await ada.get(app.link())).status == 400
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await app.post("/oidc/token", **again))[0] == 401
    assert await count(rig, OidcToken) == 0 and await count(rig, OidcConsent) == 1
    assert "disabled" in (await grace.get("/clients")).text
    await do(grace, "enable")
    assert (await app.post("/oidc/token", **again))[0] == 400  # void for good
    assert (await app.token(code))[0] == 400
    assert "1 account is connected" in (await grace.get(GARDEN)).text and begun
    fresh = answer_in((await follow(ada, app.link()))[1])["code"]  # and nobody is asked anew
    assert (await app.token(fresh))[0] == 200


async def test_a_removed_application_is_gone_with_all_that_it_was_given(rig, grace, ada):  # noqa: F811
    app = await garden(rig, grace)
    tokens = await signed_in(app, ada, scope=AWAY)
    page = await grace.get(GARDEN + "/remove")
    assert "everybody is disconnected" in page.text and "1 account" in page.text
    page = await grace.post_raw(GARDEN + "/remove", {"csrf": page.csrf})
    assert page.status == 422 and await kept(rig)  # without the tick
    assert "is removed" in (await do(grace, "remove")).text
    assert await kept(rig) is None and await count(rig, OidcToken) == await count(rig, OidcConsent) == 0
    assert (await app.userinfo(tokens["access_token"]))[0] == 401
    assert (await grace.get(GARDEN)).status == 404
    for deed in DEEDS:
        assert (await grace.post(f"{GARDEN}/{deed}", form_page="/clients", sure="yes")).status == 404


async def test_every_change_is_logged_and_told(rig, grace):  # noqa: F811
    await garden(rig, grace)
    await change(grace, device_code="yes")
    for deed in DEEDS:
        await do(grace, deed)
    log = html.unescape((await grace.get("/security/log")).text)
    told = [mail.subject for mail in await rig.mails(GRACE)]
    for words in (
        "An application was registered",
        "An application's registration was changed",
        "A new secret was made for an application",
        "An application was disabled",
        "An application was enabled",
        "An application's registration was removed",
    ):
        assert f"{words}: Garden App" in log and told.count(words) == 1


async def test_the_page_shows_what_was_changed_on_it_and_at_the_console_and_by_whom(rig, grace):  # noqa: F811
    """Also when whoever did it has the role no more, or no account."""
    assert "Nothing yet." in (await grace.get("/clients")).text
    other = await registrar(rig, "other@example.org")
    await other.post(ADD, **STRICT)
    keys = ("--redirect", BACK, "--keys", key_set(OTHER))
    did = (
        ("add", "porch", "--name", "Porch", "--redirect", BACK, "--plain"),
        ("secret", "porch"),
        ("disable", "porch"),
        ("disable", "porch"),  # is so already
        ("enable", "porch"),
        ("enable", "porch"),
        ("change", "porch", *keys, "--no-plain"),
        ("remove", "porch"),
        ("change", "garden", "--grants", "authorization_code"),
    )
    for words in did:
        assert await console(rig, *words) == exit_codes.OK, words
    for words in (("remove", "porch"), ("secret", "garden"), ("change", "garden", "--keys", "{}")):
        assert await console(rig, *words) == exit_codes.USAGE, words
    assert await console(rig, "list") == exit_codes.OK
    operator = f"gatelodge cloud ({getpass.getuser()})"
    assert [*reversed(history_on(await grace.get("/clients")))] == [
        ("An application was registered: Garden App", "other@example.org"),
        ("An application was registered: Porch", operator),
        ("A new secret was made for an application: Porch", operator),
        ("An application was disabled: Porch", operator),
        ("An application was enabled: Porch", operator),
        ("An application's registration was changed: Porch", operator),
        ("An application's registration was removed: Porch", operator),
        ("An application's registration was changed: Garden App", operator),
    ]
    async with rig.parts.database.write() as session:
        await session.execute(delete(Account).where(Account.email == "other@example.org"))
    what, who = history_on(await grace.get("/clients"))[-1]
    assert what == "An application was registered: Garden App" and "@" not in who
    assert "Porch" not in (await grace.get("/security/log")).text  # she did not do it


def history_on(page):
    """[(what, by whom)], the newest first."""
    rows = re.findall(r"<li><div><strong>(.*?)</strong><br>\s*<span class=\"quiet\">(.*?) · ", page.text)
    return [(html.unescape(what), html.unescape(who)) for what, who in rows]


async def test_nothing_is_changed_without_a_proof_in_full(rig, grace):  # noqa: F811
    """The second factor as well, five minutes after the last proof; and by no other form than its own."""
    await garden(rig, grace)
    forms = {GARDEN: CHANGE, **{f"{GARDEN}/{deed}": {"sure": "yes"} for deed in DEEDS}}
    before, form = await kept(rig), await grace.get(GARDEN)
    rig.clock.now += PROVED_S
    mark = re.search(r'name="mark" value="(\w+)"', form.text)[1]
    for path, fields in {**forms, ADD: {**STRICT, "id": "second"}}.items():
        page = await grace.get(path)
        assert f'href="/security/prove?next={path}"' in page.text, path
        for password in ("", PASSWORD):
            fields = {**fields, "csrf": form.csrf, "mark": mark, "device_code": "yes", "password": password}
            assert (await grace.post_raw(path, fields)).status == 422, path
        assert (await grace.post_raw(path, {**fields, "csrf": "0" * 64})).status == 403
        evil = {"Origin": "https://evil.example"}
        assert (await grace.post_raw(path, fields, headers=evil)).status == 403
    after = await kept(rig)
    assert (after.secret_hash, after.grants, after.disabled_at) == (before.secret_hash, before.grants, None)
    assert await kept(rig, "second") is None
    rig.clock.now += 30
    await grace.prove(grace.totp)
    assert (await change(grace, device_code="yes")).path == GARDEN
    assert "device_code" in (await kept(rig)).grants


async def test_a_part_of_gatelodge_is_only_looked_at(rig, grace):  # noqa: F811
    described = Described("garden", "Portal", [BACK], jwks=key_set(KEY), ours=True)
    await rig.parts.oidc.clients.add(described)
    page = await grace.get(GARDEN)
    assert "part of Gatelodge" in page.text and 'name="redirect_uris"' not in page.text
    before = await kept(rig)
    csrf = {"csrf": page.csrf, "sure": "yes"}
    assert (await grace.post_raw(GARDEN, {**csrf, **CHANGE, "redirect_uris": BACK + "/x"})).status == 422
    for deed in DEEDS:
        assert (await grace.post_raw(f"{GARDEN}/{deed}", csrf)).status == 422
    after = await kept(rig)
    assert (after.redirect_uris, after.disabled_at, after.jwks) == (before.redirect_uris, None, before.jwks)


async def test_of_two_who_add_the_same_id_one_does(rig, grace):  # noqa: F811
    other = await registrar(rig, "other@example.org")
    pages = await asyncio.gather(*(each.post(ADD, **PLAIN) for each in (grace, other)))
    assert sorted(page.status for page in pages) == [200, 422]
    lost = next(page for page in pages if page.status == 422)
    assert "There is an application garden already." in lost.text
    won = secret_on(next(page for page in pages if page.status == 200))
    assert await rig.parts.oidc.clients.proved("garden", won)


async def test_of_two_who_change_it_at_once_one_is_told_to_look_again(rig, grace):  # noqa: F811
    await garden(rig, grace)
    other = await registrar(rig, "other@example.org")
    pages = await asyncio.gather(*(change(each, device_code="yes") for each in (grace, other)))
    statuses = sorted(page.status for page in pages)
    assert statuses in ([200, 422], [200, 200])  # the second may have looked after the first was done
    stale = await other.get(GARDEN)
    mark = re.search(r'name="mark" value="(\w+)"', stale.text)[1]
    await change(grace, redirect_uris=BACK + "/new")
    page = await other.post_raw(GARDEN, {"csrf": stale.csrf, "mark": mark, **CHANGE})
    assert page.status == 422 and "Somebody else has changed it meanwhile" in page.text
    assert (await kept(rig)).redirect_uris == BACK + "/new"


async def test_of_many_new_secrets_at_once_the_last_alone_opens(rig, grace):  # noqa: F811
    await garden(rig, grace)
    csrf = (await grace.get(GARDEN)).csrf
    pages = await asyncio.gather(*(grace.post_raw(GARDEN + "/secret", {"csrf": csrf}) for _ in range(4)))
    secrets = {secret_on(page) for page in pages}
    right = [secret for secret in secrets if await rig.parts.oidc.clients.proved("garden", secret)]
    assert len(secrets) == 4 and len(right) == 1


async def test_where_no_exception_is_allowed_the_page_says_so(rig, grace):  # noqa: F811
    assert "allows no exceptions" not in (await grace.get("/clients")).text
    rig.parts.oidc.strict = True
    assert "allows no exceptions" in (await grace.get("/clients")).text
