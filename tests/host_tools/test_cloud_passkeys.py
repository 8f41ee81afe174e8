"""Passkeys through the forms, with a device in software that is honest at first and then is not."""

import asyncio
import json
import re

import pytest

from host_tools.cloud.accounts import ceremonies
from host_tools.cloud.accounts.challenges import CHALLENGE_S
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.proof import PROVED_S
from tests.fakes.soft_passkey import SoftPasskey, b64, unb64
from tests.host_tools.cloud_rig import PASSWORD, Rig

EMAIL, ORIGIN = "ada@example.org", "https://localhost:8444"
OPTIONS = re.compile(r'data-options="([^"]+)"')


async def options_of(browser, path="/sign-in/passkey/options"):
    return json.loads((await browser.get(path)).text)


async def ask_to_make(browser):
    page = await browser.post("/security/passkeys/add", password=PASSWORD)
    return json.loads(OPTIONS.search(page.text)[1].replace("&#34;", '"'))


async def send_made(browser, credential, name="My phone"):
    fields = {"name": name, "credential": credential}
    return await browser.post("/security/passkeys/finish", form_page="/security/passkeys/add", **fields)


async def add(browser, key=None, name="My phone"):
    """(the key, the page after it was kept)"""
    key = key or SoftPasskey(ORIGIN, sign_count=1)
    return key, await send_made(browser, key.create(await ask_to_make(browser)), name)


async def send_first(browser, credential):
    return await browser.post("/sign-in/passkey", form_page="/sign-in", credential=credential)


async def enter(browser, key):
    return await send_first(browser, key.sign(await options_of(browser)))


async def send_second(browser, credential):
    return await browser.post("/sign-in/code/passkey", form_page="/sign-in/code", credential=credential)


async def test_a_passkey_signs_in_without_a_password(rig, ada):
    key, page = await add(ada)
    assert page.text.count("<li><code>") == 10
    other = rig.browser()
    assert (await enter(other, key)).path == "/routers"
    assert "Signed in: passkey" in (await other.get("/security/log")).text
    assert (await rig.mails(EMAIL))[0].subject == "A passkey was added"


async def test_a_passkey_is_asked_after_the_password_and_signs_in(rig, ada):
    key, _ = await add(ada)
    other = rig.browser()
    page = await other.sign_in()
    assert "Use your passkey" in page.text and "by e-mail" not in page.text
    options = await options_of(other, "/sign-in/code/options")
    assert [unb64(each["id"]) for each in options["allowCredentials"]] == [key.id]
    assert (await send_second(other, key.sign(options))).path == "/routers"


async def test_a_recovery_code_takes_the_place_of_a_lost_device(rig, ada):
    _, page = await add(ada)
    code = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    other = rig.browser()
    await other.sign_in()
    await other.post("/sign-in/method", form_page="/sign-in/code", method="recovery")
    assert (await other.post("/sign-in/code", code=code)).path == "/routers"


async def test_adding_one_asks_for_the_password_and_ends_every_other_session(rig, ada):
    other = rig.browser()
    await other.enter()
    page = await ada.post("/security/passkeys/add", password="not the password")
    assert page.status == 422 and "data-options" not in page.text
    await add(ada)
    assert (await other.get("/routers")).path == "/sign-in"


async def test_passkeys_are_listed_renamed_and_removed(rig, ada):
    key, _ = await add(ada)
    second, _ = await add(ada, name="The key ring")
    page = await ada.get("/security")
    assert "My phone" in page.text and "The key ring" in page.text
    path = re.search(r'/security/passkeys/[0-9a-f]+(?=" aria-label="Change My phone")', page.text)[0]
    await ada.post(path + "/rename", form_page=path, name="Old phone")
    assert "Old phone" in (await ada.get("/security")).text
    rig.clock.now += PROVED_S
    assert (await ada.post(path + "/remove", form_page=path, password=PASSWORD)).status == 422
    proof = key.sign(await options_of(ada, "/security/prove/options"))
    await ada.post("/security/prove/passkey", form_page="/security/prove", credential=proof)
    await ada.post(path + "/remove", form_page=path)
    assert "Old phone" not in (await ada.get("/security")).text
    assert (await enter(rig.browser(), key)).status == 422
    assert (await enter(rig.browser(), second)).path == "/routers"


async def test_with_the_last_one_the_mail_is_the_second_step_again(rig, ada):
    await add(ada)
    path = re.search(r"/security/passkeys/[0-9a-f]{30}", (await ada.get("/security")).text)[0]
    await ada.post(path + "/remove", form_page=path, password=PASSWORD)
    assert (await rig.browser().enter()).path == "/routers"


async def test_a_device_that_has_one_is_not_asked_for_another(rig, ada):
    key, _ = await add(ada)
    held = (await ask_to_make(ada))["excludeCredentials"]
    assert [unb64(each["id"]) for each in held] == [key.id]
    _, page = await add(ada, key)
    assert page.status == 422 and "in use here already" in page.text


async def test_a_passkey_of_another_account_is_no_second_factor_here(rig, ada):
    eve = rig.browser()
    await eve.join("eve@example.org")
    key, _ = await add(eve)
    await add(ada)
    other = rig.browser()
    await other.sign_in()
    assert (
        await send_second(other, key.sign(await options_of(other, "/sign-in/code/options")))
    ).status == 422


async def test_a_passkey_that_says_it_is_somebody_else_opens_nothing(rig, ada):
    key, _ = await add(ada)
    eve = rig.browser()
    await eve.join("eve@example.org")
    hers, _ = await add(eve)
    hers.user_handle = key.user_handle
    assert (await enter(rig.browser(), hers)).status == 422
    hers.user_handle = b""
    assert (await enter(rig.browser(), hers)).status == 422


async def test_strangers_pages_of_a_passkey_are_not_there(rig, ada):
    await add(ada)
    path = re.search(r"/security/passkeys/[0-9a-f]{30}", (await ada.get("/security")).text)[0]
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.get(path)).status == 404
    for what, fields in (("rename", {"name": "x"}), ("remove", {"password": PASSWORD})):
        assert (await eve.post(f"{path}/{what}", form_page="/security", **fields)).status == 404


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:8444", "https://localhost", "https://localhost:9999"]
)
async def test_what_was_signed_for_another_origin_opens_nothing(rig, ada, origin):
    key, _ = await add(ada)
    key.origin = origin
    assert (await enter(rig.browser(), key)).status == 422
    other = rig.browser()
    await other.sign_in()
    assert (
        await send_second(other, key.sign(await options_of(other, "/sign-in/code/options")))
    ).status == 422


async def test_a_passkey_that_was_made_for_another_origin_is_not_kept(rig, ada):
    _, page = await add(ada, SoftPasskey("https://evil.example"))
    assert page.status == 422 and "No second factor is set up" in (await ada.get("/security")).text


async def test_who_did_not_unlock_the_device_stays_out(rig, ada):
    key, _ = await add(ada)
    key.verified = False
    assert (await enter(rig.browser(), key)).status == 422
    other = rig.browser()
    await other.sign_in()
    assert (
        await send_second(other, key.sign(await options_of(other, "/sign-in/code/options")))
    ).status == 422
    _, page = await add(ada, key)
    assert page.status == 422


async def test_an_answer_is_good_once_and_in_the_browser_that_asked(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN))  # that does not count: only the challenge is in the way
    first, second = rig.browser(), rig.browser()
    signed = key.sign(await options_of(first))
    assert (await send_first(second, signed)).status == 422
    assert (await send_first(first, signed)).path == "/routers"
    await first.sign_out()
    assert (await send_first(first, signed)).status == 422


async def test_an_answer_to_a_wrong_attempt_is_burned(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN))
    other, options = rig.browser(), None
    options = await options_of(other)
    assert (await send_first(other, SoftPasskey(ORIGIN).sign(options))).status == 422
    assert (await send_first(other, key.sign(options))).status == 422


async def test_a_challenge_is_good_for_five_minutes(rig, ada):
    key, _ = await add(ada)
    other = rig.browser()
    options = await options_of(other)
    rig.clock.now += CHALLENGE_S
    assert (await send_first(other, key.sign(options))).status == 422


async def test_a_challenge_of_one_purpose_is_none_of_another(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN))
    other = rig.browser()
    await other.sign_in()
    first, second = await options_of(other), await options_of(other, "/sign-in/code/options")
    assert (await send_second(other, key.sign(first))).status == 422
    assert (await send_first(other, key.sign(second))).status == 422
    fresh = SoftPasskey(ORIGIN)
    making = {**first, "user": {"id": b64(key.user_handle)}, "rp": {"id": "localhost"}}
    assert (await send_made(ada, fresh.create(making))).status == 422


async def test_a_challenge_of_another_sign_in_is_none_of_this(rig, ada):
    """The same browser began again: what was signed for the attempt before does not answer this one."""
    key, _ = await add(ada, SoftPasskey(ORIGIN))
    other = rig.browser()
    await other.sign_in()
    before = await options_of(other, "/sign-in/code/options")
    await other.sign_in()
    assert (await send_second(other, key.sign(before))).status == 422


async def test_nobody_makes_up_a_challenge(rig, ada):
    key, _ = await add(ada)
    other = rig.browser()
    options = await options_of(other)
    for challenge in (b"", b"x" * 56, unb64(options["challenge"])[:-1] + b"\0"):
        assert (await send_first(other, key.sign({**options, "challenge": b64(challenge)}))).status == 422


async def test_a_counter_that_goes_back_opens_nothing_and_is_told(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN, sign_count=10))
    assert (await enter(rig.browser(), key)).path == "/routers"
    key.sign_count = 10
    page = await enter(rig.browser(), key)
    assert page.status == 422 and "there may be a copy of it" in page.text
    assert "there may be a copy" in (await rig.mails(EMAIL))[0].subject
    assert "may be a copy of it. Remove it" in (await ada.get("/security")).text
    assert "counter went back" in (await ada.get("/security/log")).text
    key.sign_count = 20  # the device itself goes on working
    assert (await enter(rig.browser(), key)).path == "/routers"


async def test_a_counter_that_goes_back_is_told_of_after_the_password_too(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN, sign_count=10))
    other = rig.browser()
    await other.sign_in()
    key.sign_count = 3
    page = await send_second(other, key.sign(await options_of(other, "/sign-in/code/options")))
    assert page.status == 422 and "there may be a copy" in (await rig.mails(EMAIL))[0].subject


async def test_who_only_knows_a_passkeys_name_makes_nobody_doubt_it(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN, sign_count=10))
    forged = SoftPasskey(ORIGIN, sign_count=1)
    forged.id, forged.user_handle = key.id, key.user_handle
    assert (await enter(rig.browser(), forged)).status == 422
    assert "may be a copy" not in (await ada.get("/security")).text


@pytest.mark.parametrize("count", [0, 5])
async def test_of_many_browsers_with_one_answer_one_is_in(rig, ada, count):
    key, _ = await add(ada, SoftPasskey(ORIGIN, sign_count=count))
    other = rig.browser()
    form, signed = await other.get("/sign-in"), key.sign(await options_of(other))
    fields = {"csrf": form.csrf, "credential": signed}
    tries = (other.post_raw("/sign-in/passkey", fields, allow_redirects=False) for _ in range(8))
    statuses = sorted(page.status for page in await asyncio.gather(*tries))
    assert statuses == [303] + [422] * 7


async def test_five_wrong_answers_end_the_attempt(rig, ada):
    key, _ = await add(ada)
    other = rig.browser()
    await other.sign_in()
    for _ in range(5):
        page = await send_second(
            other, SoftPasskey(ORIGIN).sign(await options_of(other, "/sign-in/code/options"))
        )
    assert "Sign in again from the start" in page.text
    assert (await other.get("/sign-in/code/options")).status == 404


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[" * 5000, '{"id": "\\ud800"}', "x" * 9000])
async def test_nonsense_is_refused_on_every_form(rig, ada, text):
    await add(ada)
    other = rig.browser()
    await other.sign_in()
    assert (await send_second(other, text)).status == 422
    assert (await send_first(rig.browser(), text)).status == 422
    assert (await send_made(ada, text)).status == 422


def test_bytes_that_are_bent_anywhere_are_refused_and_never_a_fault():
    site, key, challenge = ceremonies.Site("localhost", ORIGIN), SoftPasskey(ORIGIN), b"c" * 56
    made = key.create(json.loads(ceremonies.creation_options(site, "a", EMAIL, "Ada", challenge, ())))
    public_key = ceremonies.check_made(site, made, challenge).public_key
    signed = key.sign(json.loads(ceremonies.request_options(site, challenge)))
    assert ceremonies.check_signed(site, signed, challenge, public_key) == 0
    fields = json.loads(signed)["response"]
    for name in ("authenticatorData", "signature", "clientDataJSON"):
        data = unb64(fields[name])
        for index in range(0, len(data), 3):
            bent = data[:index] + bytes([data[index] ^ 0x41]) + data[index + 1 :]
            text = json.dumps({**json.loads(signed), "response": {**fields, name: b64(bent)}})
            with pytest.raises(RefusedError):
                ceremonies.check_signed(site, text, challenge, public_key)


def test_a_counter_goes_back_only_where_one_counts():
    assert [ceremonies.went_back(*pair) for pair in ((0, 0), (0, 1), (1, 1), (2, 1), (5, 0))] == [
        False, False, True, True, True,
    ]  # fmt: skip


async def test_a_cloud_without_a_name_offers_no_passkeys(tmp_path):
    async with Rig(tmp_path, public_url="https://127.0.0.1:8444") as rig:
        browser = rig.browser()
        await browser.join()
        assert "/security/passkeys/add" not in (await browser.get("/security")).text
