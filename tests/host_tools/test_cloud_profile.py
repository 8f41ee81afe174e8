"""The profile: a person's details, another e-mail, and recovery codes as a file."""

import re
from urllib.parse import unquote

import pytest

from tests.host_tools.cloud_rig import PASSWORD

EMAIL, NEW = "ada@example.org", "ada.bell@example.com"
LINK = re.compile(r"https://[^/]+(/profile/email/agree#\S+)")
DETAILS = {
    "first_name": "Adele", "last_name": "Bell-Ray", "country": "FR", "language": "en",
    "time_zone": "Europe/Paris",
}  # fmt: skip


async def ask(browser, email=NEW, password=PASSWORD):
    return await browser.post("/profile/email", form_page="/profile", email=email, password=password)


async def links(rig):
    """(of the old address, of the new one)"""
    return [LINK.search((await rig.mails(address))[0].body)[1] for address in (EMAIL, NEW)]


async def change(rig, browser):
    await ask(browser)
    for path in await links(rig):
        page = await browser.post(path)
    return page


async def test_details_are_kept_and_shown(rig, ada):
    page = await ada.post("/profile", **DETAILS)
    assert "Your details are saved" in page.text and "Adele Bell-Ray" in page.text
    for value in ('value="FR" selected', 'value="en" selected', 'value="Europe/Paris" selected'):
        assert value in page.text
    assert "The profile was changed" in (await ada.get("/security/log")).text


async def test_times_are_told_in_the_persons_zone(rig, ada):
    assert re.search(r'title="[^"]+ CES?T"', (await ada.get("/security/sessions")).text)  # of their country
    await ada.post("/profile", **{**DETAILS, "time_zone": "Asia/Tokyo"})
    assert re.search(r'title="[^"]+ JST"', (await ada.get("/security/sessions")).text)


@pytest.mark.parametrize(
    "field, value",
    [
        ("first_name", ""),
        ("first_name", "a" * 80),
        ("country", "XX"),
        ("language", "tlh"),
        ("time_zone", "/etc/passwd"),
    ],
)
async def test_details_that_make_no_sense_are_refused(rig, ada, field, value):
    page = await ada.post("/profile", **{**DETAILS, field: value})
    assert page.status == 422 and f'id="{field}-error" role="alert"' in page.text
    assert "Adele" not in (await ada.get("/security")).text


async def test_another_email_ends_sign_ins_between_their_steps(rig, ada):
    between = rig.browser()
    page = await between.sign_in()
    assert page.path == "/sign-in/code" and 'name="password"' not in page.text
    await change(rig, ada)
    assert 'name="password"' in (await between.get("/sign-in/code")).text


async def test_an_email_changes_when_both_addresses_have_agreed(rig, ada):
    page = await ask(ada)
    assert "Two messages are on their way" in page.text and NEW in page.text
    old, new = await links(rig)
    assert NEW in (await rig.browser().get(new)).text
    assert "This address has agreed" in (await rig.browser().post(new)).text
    assert f'<span class="quiet">{EMAIL}' in (await ada.get("/profile")).text
    assert "The e-mail is changed" in (await rig.browser().post(old)).text
    assert f'<span class="quiet">{NEW}' in (await ada.get("/profile")).text
    await ada.sign_out()
    assert (await ada.sign_in(EMAIL)).status == 422
    assert (await ada.sign_in(NEW)).path == "/routers"


async def test_an_email_change_ends_other_sessions_and_is_told_at_both(rig, ada):
    other = rig.browser()
    await other.enter()
    await change(rig, ada)
    assert (await other.get("/routers")).path == "/sign-in"
    assert (await ada.get("/routers")).path == "/routers"
    for address in (EMAIL, NEW):
        assert (await rig.mails(address))[0].subject == "The e-mail was changed"


async def test_an_email_change_is_undone_from_the_old_address(rig, ada):
    await change(rig, ada)
    path = re.search(r"https://[^/]+(/undo#\S+)", (await rig.mails(EMAIL))[0].body)[1]
    assert "/undo" not in (await rig.mails(NEW))[0].body
    await rig.browser().post(path, password=PASSWORD)
    assert (await ada.sign_in(NEW)).status == 422
    assert (await ada.sign_in(EMAIL)).path == "/sign-in/code"
    assert (await rig.mails(NEW))[0].subject == "A change was undone"


async def test_one_address_that_does_not_agree_keeps_it_as_it_is(rig, ada):
    await ask(ada)
    old, new = await links(rig)
    await ada.post(new)
    await ada.post(new)
    assert EMAIL in (await ada.get("/profile")).text
    await ada.post("/profile/email/cancel", form_page="/profile")
    assert (await ada.get(old)).status == 410


async def test_an_email_change_asks_for_the_password_and_for_another_address(rig, ada):
    assert (await ask(ada, password="not the password")).status == 422
    assert (await ask(ada, EMAIL)).status == 422
    assert (await ask(ada, "no address")).status == 422
    assert await rig.mails(NEW) == []


async def test_an_address_that_has_an_account_is_told_and_nobody_else(rig, ada):
    await rig.browser().join(NEW)
    page = await ask(ada)
    assert "Two messages are on their way" in page.text
    mail = (await rig.mails(NEW))[0]
    assert mail.subject == "You have a Gatelodge account already" and not LINK.search(mail.body)


async def test_an_address_that_got_an_account_meanwhile_stays_its_own(rig, ada):
    await ask(ada)
    old, new = await links(rig)
    await rig.browser().join(NEW)
    await ada.post(old)
    assert (await ada.post(new)).status == 422
    assert EMAIL in (await ada.get("/profile")).text


async def test_links_of_an_email_change_are_over_after_a_day(rig, ada):
    await ask(ada)
    old, _ = await links(rig)
    rig.clock.now += 24 * 3600
    assert (await rig.browser().get(old)).status == 410


async def test_recovery_codes_are_saved_as_a_file_without_script(rig, ada):
    _, page = await ada.enrol()
    shown = re.findall(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)
    link = re.search(
        r'download="gatelodge-recovery-codes.txt" href="data:text/plain;charset=utf-8,([^"]+)"', page.text
    )
    text = unquote(link[1])
    assert EMAIL in text and re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", text) == shown
