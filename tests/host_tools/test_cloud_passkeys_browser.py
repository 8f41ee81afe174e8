"""Passkeys in Chromium, with its virtual authenticator (Chrome DevTools Protocol, domain WebAuthn)."""


import pytest
from playwright.async_api import expect

from host_tools.cloud import certificates
from tests.host_tools import axe_rig, chromium_rig
from tests.host_tools.cloud_rig import PASSWORD, Rig, free_port
from tests.host_tools.test_cloud_accessible import assert_all_reached, assert_no_fault
from tests.host_tools.test_cloud_browser import join

EMAIL = "ada@example.org"
PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
async def rig(tmp_path):
    port = free_port()
    context = certificates.load_or_create(tmp_path).portal_context()
    async with Rig(tmp_path, tls=context, port=port, public_url=f"https://localhost:{port}") as rig:
        yield rig


class Device:
    """A tab, and the virtual authenticator that its passkeys are in."""

    def __init__(self, tab, devtools, authenticator):
        self.tab, self._devtools, self._authenticator = tab, devtools, authenticator

    @classmethod
    async def start(cls, chromium, in_field=False, **options):
        """in_field: the field for the e-mail offers passkeys; a virtual device takes the first offer."""
        context = await chromium.new_context(**axe_rig.QUIET)
        if not in_field:
            await context.add_init_script(NOT_IN_FIELD)
        context.set_default_timeout(chromium_rig.PATIENCE_MS)
        tab = await context.new_page()
        devtools = await context.new_cdp_session(tab)
        await devtools.send("WebAuthn.enable")
        made = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**PHONE, **options}})
        return cls(tab, devtools, made["authenticatorId"])

    async def tell(self, command, **fields):
        return await self._devtools.send(
            f"WebAuthn.{command}", {"authenticatorId": self._authenticator, **fields}
        )

    async def passkeys(self):
        return (await self.tell("getCredentials"))["credentials"]

    async def keep(self, passkey):
        """As if it had been copied to this device."""
        await self.tell("addCredential", credential=passkey)


@pytest.fixture
async def chromium():
    async with chromium_rig.started() as browser:
        yield browser


@pytest.fixture
async def device(chromium):
    return await Device.start(chromium)


def address(rig, path):
    return rig.settings.public_url + path


async def add_passkey(rig, tab):
    await tab.goto(address(rig, "/security/passkeys/add"))
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.get_by_role("button", name="Go on").click()
    await tab.get_by_label("Name").fill("This phone")
    await tab.get_by_role("button", name="Make the passkey").click()


async def joined(rig, device):
    """Somebody whose passkey is in the device, and who is signed in."""
    await join(rig, device.tab)
    await add_passkey(rig, device.tab)
    await expect(device.tab.get_by_text("Passkey added")).to_have_count(1)


async def sign_out(rig, tab):
    await tab.goto(address(rig, "/security"))
    await tab.get_by_role("button", name="Sign out").click()


async def press_passkey(rig, tab):
    await tab.goto(address(rig, "/sign-in"))
    await tab.get_by_role("button", name="Sign in with a passkey").click()


async def enter_password(rig, tab):
    await tab.goto(address(rig, "/sign-in"))
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in", exact=True).click()


async def test_a_passkey_is_made_and_signs_in_alone(rig, device):
    await joined(rig, device)
    [made] = await device.passkeys()
    assert made["rpId"] == "localhost" and made["isResidentCredential"]
    await sign_out(rig, device.tab)
    await press_passkey(rig, device.tab)
    await expect(device.tab.get_by_text("Register your first router")).to_be_visible()


async def test_the_field_for_the_email_offers_the_passkey_by_itself(rig, chromium):
    device = await Device.start(chromium, in_field=True)
    await joined(rig, device)
    await sign_out(rig, device.tab)
    await expect(device.tab.get_by_text("Register your first router")).to_be_visible()


async def test_a_passkey_is_the_second_step_after_the_password(rig, chromium, device):
    await joined(rig, device)
    other = await Device.start(chromium)
    await enter_password(rig, other.tab)
    await expect(other.tab.get_by_text("Use your passkey").first).to_be_visible()
    await other.tab.get_by_role("button", name="Use your passkey").click()
    await expect(other.tab.get_by_text("No passkey was used")).to_be_visible()  # it is on the other device
    await other.keep((await device.passkeys())[0])
    await other.tab.get_by_role("button", name="Use your passkey").click()
    await expect(other.tab.get_by_text("Register your first router")).to_be_visible()


async def test_who_does_not_unlock_the_device_stays_out(rig, device):
    await joined(rig, device)
    await device.tell("setUserVerified", isUserVerified=False)
    await sign_out(rig, device.tab)
    await press_passkey(rig, device.tab)
    await expect(device.tab.get_by_text("No passkey was used")).to_be_visible()


async def test_a_copy_of_a_passkey_is_found_by_its_counter(rig, chromium, device):
    await joined(rig, device)
    [made] = await device.passkeys()
    await sign_out(rig, device.tab)
    await press_passkey(rig, device.tab)
    await expect(device.tab.get_by_text("Register your first router")).to_be_visible()
    thief = await Device.start(chromium)
    await thief.keep(made)
    await press_passkey(rig, thief.tab)
    await expect(thief.tab.get_by_text("there may be a copy of it")).to_be_visible()
    assert "there may be a copy" in (await rig.mails(EMAIL))[0].subject


async def test_an_answer_that_chromium_gave_for_another_portal_opens_nothing_here(rig, tmp_path, device):
    """The same name at another port is another origin, although its passkeys are the same."""
    await joined(rig, device)
    port, folder = free_port(), tmp_path / "other"
    folder.mkdir()
    context = certificates.load_or_create(folder).portal_context()
    async with Rig(folder, tls=context, port=port, public_url=f"https://localhost:{port}") as other:
        visitor, tab = rig.browser(), device.tab
        options = (await visitor.get("/sign-in/passkey/options")).text
        await tab.goto(address(other, "/terms"))
        signed = await tab.evaluate(SIGN, options)
        page = await visitor.post("/sign-in/passkey", form_page="/sign-in", credential=signed)
        assert page.status == 422 and "not known here" in page.text


async def test_what_chromium_signed_is_taken_once_and_from_the_browser_that_asked(rig, device):
    await joined(rig, device)
    visitor, stranger = rig.browser(), rig.browser()
    options = (await visitor.get("/sign-in/passkey/options")).text
    await device.tab.goto(address(rig, "/terms"))
    signed = await device.tab.evaluate(SIGN, options)
    assert (await stranger.post("/sign-in/passkey", form_page="/sign-in", credential=signed)).status == 422
    page = await visitor.post("/sign-in/passkey", form_page="/sign-in", credential=signed)
    assert page.path == "/routers"
    await visitor.sign_out()
    assert (await visitor.post("/sign-in/passkey", form_page="/sign-in", credential=signed)).status == 422


async def test_without_script_passkeys_say_so_and_the_password_is_there(rig, chromium, device):
    await joined(rig, device)
    context = await chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    tab = await context.new_page()
    await enter_password(rig, tab)
    await expect(tab.get_by_text("need a browser that runs scripts")).to_be_visible()
    await tab.get_by_text("You do not have it here?").click()
    await tab.get_by_role("button", name="Use a recovery code").click()
    await expect(tab.get_by_label("Recovery code")).to_be_visible()
    await context.close()


async def test_who_uses_passkeys_finds_every_page_accessible(rig, chromium, device):
    tab = device.tab
    await join(rig, tab)
    await tab.goto(address(rig, "/security/passkeys/add"))
    await assert_no_fault(tab)
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.get_by_role("button", name="Go on").click()
    await tab.get_by_role("button", name="Make the passkey").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await tab.get_by_role("button", name="Make the passkey").click()
    await tab.get_by_text("Keep these recovery codes").wait_for()
    await assert_no_fault(tab)
    await tab.goto(address(rig, "/security"))
    await assert_no_fault(tab)
    await tab.get_by_role("link", name="Change My passkey").click()
    await tab.get_by_role("button", name="Rename").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    other = await Device.start(chromium)
    await enter_password(rig, other.tab)
    await other.tab.get_by_role("button", name="Use your passkey").wait_for()
    await assert_no_fault(other.tab)
    await assert_all_reached(other.tab)


async def test_only_passkeys_sign_in_where_that_is_on_and_its_page_is_accessible(rig, device):
    tab = device.tab
    await joined(rig, device)
    await tab.goto(address(rig, "/security/passkeys-only"))
    await device.tell("clearCredentials")  # a device makes one: the next is another's
    await tab.get_by_role("link", name="Add a passkey").click()
    await tab.get_by_role("button", name="Go on").click()
    await tab.get_by_role("button", name="Make the passkey").click()
    await expect(tab.get_by_text("Passkey added")).to_have_count(1)
    await tab.goto(address(rig, "/security/passkeys-only"))
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await tab.get_by_role("button", name="Switch it on").click()
    await expect(tab.get_by_text("From now on only your passkeys sign in")).to_be_visible()
    await sign_out(rig, tab)
    await enter_password(rig, tab)
    await expect(tab.get_by_text("The e-mail or the password is wrong")).to_be_visible()
    await press_passkey(rig, tab)
    await expect(tab.get_by_text("Register your first router")).to_be_visible()
    await tab.goto(address(rig, "/security/passkeys-only"))
    await assert_no_fault(tab)
    await tab.get_by_role("link", name="Prove that it is you").click()
    await tab.get_by_role("button", name="Use your passkey").click()
    await tab.get_by_role("button", name="Switch it off").click()
    await expect(tab.get_by_text("that you have set up is open again")).to_be_visible()


NOT_IN_FIELD = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
SIGN = """async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
  return JSON.stringify(await navigator.credentials.get({publicKey}));
}"""
