"""Web Push: keys, subscriptions, what is pushed and to whom, services that are none; the service worker."""

import asyncio
import json
import re

import pytest
from cryptography.fernet import InvalidToken
from playwright.async_api import expect
from sqlalchemy import select

from host_tools.cloud import certificates
from host_tools.cloud.accounts import pushes
from host_tools.cloud.accounts.codes import CODE_S, RESEND_S
from host_tools.cloud.delivery import web_push
from host_tools.cloud.delivery.config import PUSH_SERVICES, Delivery, PushSettings
from host_tools.cloud.delivery.post import PUSH
from host_tools.cloud.store.models import Message
from host_tools.cloud.store.push_models import KeptSecret, PushSubscription
from host_tools.cloud.store.secret_box import SecretBox
from tests.fakes.push_service import PushService
from tests.host_tools import chromium_rig
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig
from tests.host_tools.test_cloud_browser import EMAIL, join

FIREFOX = {"User-Agent": "Firefox/130.0 Linux"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    certificates.load_or_create(folder)
    return folder


@pytest.fixture
async def service(folder):
    async with PushService(certificates.load_or_create(folder).portal_context()) as service:
        yield service


@pytest.fixture
async def rig(tmp_path, folder, service):
    host = service.origin.removeprefix("https://")
    push = PushSettings("mailto:desk@example.org", (host,), str(folder / "cloud-ca.pem"))
    async with Rig(tmp_path, delivery=Delivery(push=push)) as rig:
        yield rig


async def subscribe(rig, browser, service):
    """The browser as its push service knows it."""
    page = await browser.get("/security/push")
    pushed = service.browser(re.search(r'data-push="([^"]+)"', page.text)[1])
    page = await browser.post(
        "/security/push/on", form_page="/security/push", subscription=json.dumps(pushed.subscription)
    )
    assert page.path == "/security" and "Switched on" in page.text
    return pushed


async def settled(rig):
    await rig.until(rig.parts.post.idle)


async def test_a_trusted_browser_is_told_by_push_and_lets_the_new_one_in(rig, ada, service):
    pushed = await subscribe(rig, ada, service)
    other = rig.browser(**FIREFOX)
    asked = await other.sign_in()
    await settled(rig)
    [notice] = pushed.received
    number = re.search(r"<strong>(\d\d)</strong>", asked.text)[1]
    assert "Firefox on Linux" in notice["body"] and "the same local network" in notice["body"]
    assert number not in json.dumps({**notice, "link": "", "tag": ""}) and 0 < notice["ttl"] <= CODE_S
    await ada.post(notice["link"], number=number)
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).path == "/routers"
    assert service.refused == []


async def test_a_browser_without_an_open_page_is_asked_too(rig, ada, service):
    pushed = await subscribe(rig, ada, service)
    await ada.sign_out()
    page = await rig.browser().sign_in()
    await settled(rig)
    assert "Agree on a trusted browser" in page.text and len(pushed.received) == 1


async def test_asking_again_pushes_again_after_half_a_minute(rig, ada, service):
    pushed = await subscribe(rig, ada, service)
    other = rig.browser()
    await other.sign_in()
    assert (await other.post("/sign-in/method", form_page="/sign-in/code")).status == 429
    rig.clock.now += RESEND_S
    await other.post("/sign-in/method", form_page="/sign-in/code")
    await settled(rig)
    assert len(pushed.received) == 2


async def test_a_removed_browser_is_told_nothing_any_more(rig, ada, service):
    other = rig.browser(**FIREFOX)
    await other.enter()
    pushed = await subscribe(rig, other, service)
    page = await ada.get("/security")
    row = re.search(r"Firefox on Linux.*?(/security/browsers/[0-9a-f]+/remove)", page.text, re.DOTALL)[1]
    await ada.post(row, password=PASSWORD)
    await rig.browser().sign_in()
    await settled(rig)
    assert pushed.received == []
    await rig.parts.pushes.prune(rig.clock())
    async with rig.parts.database.read() as session:
        assert list(await session.scalars(select(PushSubscription))) == []


async def test_a_browser_switches_its_notices_off(rig, ada, service):
    pushed = await subscribe(rig, ada, service)
    page = await ada.post("/security/push/off", form_page="/security/push")
    assert "Switched off" in page.text
    await rig.browser().sign_in()
    await settled(rig)
    assert pushed.received == []


async def test_a_browser_that_is_not_trusted_cannot_subscribe(rig, ada, service):
    totp, _ = await ada.enrol()  # which ends all trust
    page = await ada.get("/security/push")
    assert "Only a browser that you trust" in page.text and "data-push" not in page.text
    subscription = json.dumps(service.browser().subscription)
    page = await ada.post("/security/push/on", form_page="/security/push", subscription=subscription)
    assert page.status == 422


async def test_a_change_is_told_to_the_other_trusted_browsers(rig, ada, service):
    totp, _ = await ada.enrol()  # which ends all trust
    await ada.sign_out()
    await enter(rig, ada, totp, trust="yes")
    pushed = await subscribe(rig, ada, service)
    other = rig.browser()
    await enter(rig, other, totp)
    rig.clock.now += 30
    await other.prove(totp)
    await other.post("/security/recovery-codes")
    await settled(rig)
    assert [(notice["title"], notice["link"]) for notice in pushed.received] == [
        ("New recovery codes were made", "/security/log")
    ]


async def enter(rig, browser, totp, **ticked):
    await browser.sign_in()
    rig.clock.now += 30
    page = await browser.post("/sign-in/code", code=totp.at(int(rig.clock())), **ticked)
    assert page.path == "/routers"


async def test_another_accounts_browsers_are_told_nothing(rig, ada, service):
    pushed = await subscribe(rig, ada, service)
    eve = rig.browser()
    await eve.join("eve@example.org")
    other = rig.browser()
    await other.sign_in("eve@example.org")
    await settled(rig)
    assert pushed.received == []


async def states(rig):
    async with rig.parts.database.read() as session:
        rows = await session.scalars(select(Message).where(Message.channel == PUSH).order_by(Message.id))
        return [(row.state, row.why) for row in rows]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_forgotten(rig, ada, service, status):
    await subscribe(rig, ada, service)
    service.status = status
    await rig.browser().sign_in()
    await settled(rig)
    assert await states(rig) == [("given_up", f"the push service answered {status}")]
    assert "Switched off" in (await ada.get("/security")).text


@pytest.mark.parametrize(
    "status, state", [(429, "queued"), (503, "queued"), (401, "queued"), (413, "given_up")]
)
async def test_a_push_service_that_is_busy_is_asked_again(rig, ada, service, status, state):
    pushed = await subscribe(rig, ada, service)
    service.status, service.headers = status, {"Retry-After": "40"}
    other = rig.browser()
    page = await other.sign_in()
    await settled(rig)
    assert [row[0] for row in await states(rig)] == [state]
    assert "could not be sent" not in page.text  # an open page is asked all the same
    service.status = 201
    rig.clock.now += 40
    rig.parts.post.wake()
    await settled(rig)
    assert len(pushed.received) == (state == "queued")


async def test_another_clouds_key_is_refused_by_the_service(rig, ada, service):
    pushed = service.browser("another key")
    text = json.dumps(pushed.subscription)
    await ada.post("/security/push/on", form_page="/security/push", subscription=text)
    await rig.browser().sign_in()
    await settled(rig)
    assert service.refused == ["sender"] and pushed.received == []


@pytest.mark.parametrize(
    "endpoint, allowed",
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://fcm.googleapis.com:443/x", True),
        ("https://db5p.notify.windows.com/w/?token=x", True),
        ("http://fcm.googleapis.com/x", False),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://fcm.googleapis.com.example.org/x", False),
        ("https://fcm.googleapis.com@example.org/x", False),
        ("https://evilnotify.windows.com/x", False),
        ("https://127.0.0.1/x", False),
        ("https://[::1]/x", False),
        ("https://[/x", False),
        ("https://fcm.googleapis.com:x/", False),
        ("https://[::1%25.push.apple.com]/", False),
        ("https://127.0.0.1%00.push.apple.com/", False),
        ("https://127.0.0.1\t.push.apple.com/", False),
        ("https://evil.example\\.push.apple.com/", False),
        ("https://evil.example%2f.push.apple.com/", False),
        ("", False),
    ],
)
def test_only_the_services_of_the_settings_are_written_to(endpoint, allowed):
    assert web_push.is_allowed(endpoint, PUSH_SERVICES) is allowed


def changed(service, **keys):
    found = service.browser().subscription
    return {**found, "keys": {**found["keys"], **keys}}


async def test_what_is_no_subscription_is_refused(rig, ada, service):
    good = service.browser().subscription
    odd = [
        "", "{", "[]", "null", "[" * 3000, json.dumps({}), json.dumps({**good, "endpoint": 7}),
        json.dumps({**good, "endpoint": "https://example.org/push"}),
        json.dumps({**good, "endpoint": service.origin + "/" + "x" * pushes.ENDPOINT_MAX}),
        json.dumps({**good, "keys": None}), json.dumps(changed(service, auth="AAAA")),
        json.dumps(changed(service, p256dh="BAAA")), json.dumps(changed(service, p256dh=7)),
        json.dumps(changed(service, auth="ü" * 22)), json.dumps(changed(service, p256dh="!" * 88)),
    ]  # fmt: skip
    for text in odd:
        page = await ada.post("/security/push/on", form_page="/security/push", subscription=text)
        assert page.status == 422, text[:60]
    assert "Switched off" in (await ada.get("/security")).text and service.tried == 0


async def test_the_keys_are_made_once_and_kept_sealed(rig):
    keys = web_push.VapidKeys(rig.parts.database, SecretBox(b"m" * 32))
    assert await keys.public() == await rig.parts.push_keys.public()
    async with rig.parts.database.read() as session:
        row = await session.get_one(KeptSecret, web_push.SECRET)
    assert b"PRIVATE" not in row.sealed
    with pytest.raises(InvalidToken):
        await web_push.VapidKeys(rig.parts.database, SecretBox(b"x" * 32)).load()


async def test_an_endpoint_is_not_in_the_database_in_the_clear(rig, ada, service, tmp_path):
    pushed = await subscribe(rig, ada, service)
    content = b"".join(path.read_bytes() for path in tmp_path.glob("cloud.db*"))
    assert pushed.endpoint.encode() not in content


# Chromium subscribes at its maker's service, which no test reaches: the page's script is given the fake one's
# subscription. The worker, its registration and the notice are real; the push comes in as DevTools has it.
SUBSCRIBED = """(found) => { PushManager.prototype.subscribe = async function (options) {
  window.asked = { visible: options.userVisibleOnly, key: options.applicationServerKey.byteLength };
  return { toJSON: () => found };
}; }"""


@pytest.fixture
async def secure(tmp_path, folder, service):
    context = certificates.load_or_create(tmp_path).portal_context()
    host = service.origin.removeprefix("https://")
    push = PushSettings("mailto:desk@example.org", (host,), str(folder / "cloud-ca.pem"))
    async with Rig(tmp_path, tls=context, delivery=Delivery(push=push)) as rig:
        yield rig


async def test_in_chromium_the_page_subscribes_and_the_worker_shows_the_notice(secure, service):
    origin = str(secure.server.make_url("")).rstrip("/")
    pushed = service.browser()
    async with chromium_rig.started("--ignore-certificate-errors") as browser:  # which a worker asks for
        context = await browser.new_context(ignore_https_errors=True, base_url=origin)
        await context.grant_permissions(["notifications"], origin=origin)
        tab = await context.new_page()
        await join(secure, tab)
        await tab.goto("/security/push")
        await tab.evaluate(SUBSCRIBED, pushed.subscription)
        await tab.get_by_role("button", name="Switch notices on").click()
        await expect(tab.get_by_text("Switched on")).to_be_visible()
        await secure.browser().sign_in(EMAIL, PASSWORD)
        await settled(secure)
        [notice] = pushed.received
        shown = await _delivered(context, tab, origin, notice)
    assert shown == [{"title": notice["title"], "body": notice["body"], "link": notice["link"]}]


async def _delivered(context, tab, origin, notice):
    """What the worker shows when the push comes in."""
    tools = await context.new_cdp_session(tab)
    found = []
    tools.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    await tools.send("ServiceWorker.enable")
    async with asyncio.timeout(PATIENCE_S):
        while not found:
            await tab.wait_for_timeout(50)
    data = json.dumps(notice)
    push = {"origin": origin, "registrationId": found[0]["registrationId"], "data": data}
    await tools.send("ServiceWorker.deliverPushMessage", push)
    return await tab.evaluate("""async () => {
      const registration = await navigator.serviceWorker.ready;
      for (let turn = 0; turn < 200; turn++) {
        const shown = await registration.getNotifications();
        if (shown.length) return shown.map(({ title, body, data }) => ({ title, body, link: data.link }));
        await new Promise((done) => setTimeout(done, 50));
      }
      return [];
    }""")
