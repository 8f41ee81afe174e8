"""What an application holds for a person, how it ends, and the keys that sign it."""

import asyncio

from host_tools.cloud.oidc.described import Described
from host_tools.cloud.oidc.keys import PUBLISHED_BEFORE_S, SIGNS_S
from tests.host_tools.oidc_rig import BACK, App, head_of, signed_in


async def test_refresh_tokens_turn_and_a_used_one_ends_the_family(app, ada):
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    first = tokens["refresh_token"]
    refresh = {"grant_type": "refresh_token"}
    status, second = await app.post("/oidc/token", **refresh, refresh_token=first)
    assert status == 200 and second["refresh_token"] != first
    assert "nonce" not in await app.read(second["id_token"])
    status, _ = await app.post("/oidc/token", **refresh, refresh_token=first)  # somebody has a copy
    assert status == 400
    assert (await app.post("/oidc/token", **refresh, refresh_token=second["refresh_token"]))[0] == 400
    assert (await app.userinfo(second["access_token"]))[0] == 401
    assert "A used token of an application came again" in (await ada.get("/security/log")).text


async def test_two_who_refresh_at_once_get_one_pair(app, ada):
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(app.post("/oidc/token", **fields) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400]


async def test_a_refresh_cannot_ask_for_more(app, ada):
    tokens = await signed_in(app, ada, scope="openid email offline_access")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    status, body = await app.post("/oidc/token", **fields, scope="openid profile")
    assert (status, body["error"]) == (400, "invalid_scope")
    assert (await app.post("/oidc/token", **fields, scope="openid"))[0] == 200


async def test_a_revoked_token_is_void_and_anothers_is_left_alone(app, ada, rig):
    secret = await rig.parts.oidc.clients.add(Described("other", "Other", [BACK], plain=True))
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    assert (await App(rig, secret, "other").post("/oidc/revoke", token=tokens["refresh_token"]))[0] == 200
    assert (await app.userinfo(tokens["access_token"]))[0] == 200
    assert (await app.post("/oidc/revoke", token=tokens["refresh_token"]))[0] == 200
    assert (await app.userinfo(tokens["access_token"]))[0] == 401


async def test_a_refresh_token_is_nobody_elses_and_stays_good(app, ada, rig):
    """OWASP ASVS 5, 10.4.5: who holds a copy of it has to be its client, too."""
    secret = await rig.parts.oidc.clients.add(Described("thief", "Thief", [BACK], plain=True))
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    status, body = await App(rig, secret, "thief").post("/oidc/token", **fields)
    assert (status, body["error"]) == (400, "invalid_grant")
    assert (await app.userinfo(tokens["access_token"]))[0] == 200  # no stranger ends a family
    assert (await app.post("/oidc/token", **fields))[0] == 200
    assert (await App(rig, secret, "thief").post("/oidc/token", **fields))[0] == 400  # a used one, likewise
    assert (await app.userinfo(tokens["access_token"]))[0] == 200


async def test_tokens_end_with_the_session_unless_offline_was_agreed_to(app, ada):
    kept = await signed_in(app, ada, scope="openid email profile offline_access")
    ended = await signed_in(app, ada, prompt="consent")
    await ada.sign_out()
    assert (await app.userinfo(ended["access_token"]))[0] == 401
    assert (await app.userinfo(kept["access_token"]))[0] == 200


async def test_a_person_disconnects_an_application_and_its_tokens_are_void(app, ada):
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    page = await ada.get("/security/applications")
    assert "Garden App" in page.text and "your name" in page.text
    page = await ada.post("/security/applications/app/remove", form_page="/security/applications")
    assert "Garden App" not in page.text.replace("The application", "")
    assert (await app.userinfo(tokens["access_token"]))[0] == 401
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await app.post("/oidc/token", **fields))[0] == 400


async def test_the_keys_turn_and_what_the_old_one_signed_is_still_read(app, ada, rig):
    tokens = await signed_in(app, ada)
    keys = rig.parts.oidc.keys
    first = [key["kid"] for key in (await keys.public())["keys"]]
    assert len(first) == 1
    rig.clock.now += SIGNS_S + 1
    await keys.refresh()
    both = [key["kid"] for key in (await keys.public())["keys"]]
    assert len(both) == 2  # known before it signs
    assert head_of(await keys.sign({}))["kid"] == first[0]
    rig.clock.now += PUBLISHED_BEFORE_S
    assert head_of(await keys.sign({}))["kid"] == (set(both) - set(first)).pop()
    assert (await app.read(tokens["id_token"]))["aud"] == "app"
    rig.clock.now += 3 * 24 * 3600
    await keys.refresh()
    assert [key["kid"] for key in (await keys.public())["keys"]] == [key for key in both if key not in first]
    assert all("d" not in key and "p" not in key for key in (await keys.public())["keys"])
