"""Letting in something without a keyboard (RFC 8628)."""

from urllib.parse import urlsplit

from tests.host_tools.oidc_rig import begin_device, device_token, enter


async def test_a_device_is_let_in_by_its_code(app, ada, rig):
    begun = await begin_device(app)
    assert await device_token(app, begun) == "authorization_pending"
    assert await device_token(app, begun) == "slow_down"
    assert "The device is in" in (await enter(ada, begun["user_code"].lower().replace("-", " "))).text
    rig.clock.now += 11
    assert await device_token(app, begun) == 200
    rig.clock.now += 11
    assert await device_token(app, begun) == "expired_token"
    assert "Garden App" in (await ada.get("/security/applications")).text


async def test_a_device_that_was_refused_or_is_late_stays_out(app, ada, rig):
    refused, late = await begin_device(app), await begin_device(app)
    assert "stays out" in (await enter(ada, refused["user_code"], "no")).text
    assert await device_token(app, refused) == "access_denied"
    rig.clock.now += 601
    assert await device_token(app, late) == "expired_token"
    assert (await ada.post("/device", user_code=late["user_code"])).status == 422


async def test_a_devices_code_cannot_be_guessed_at_a_rate(app, ada):
    pages = [await ada.post("/device", user_code="BCDF-GHJK") for _ in range(12)]
    assert [page.status for page in pages] == [422] * 10 + [429] * 2


async def test_whoever_has_to_sign_in_first_finds_the_code_again(app, ada):
    begun = await begin_device(app)
    await ada.sign_out()
    await ada.get(urlsplit(begun["verification_uri_complete"])._replace(scheme="", netloc="").geturl())
    page = await ada.sign_in()
    assert page.path == "/device" and begun["user_code"] in page.text
