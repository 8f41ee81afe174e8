"""Which hash function makes an authenticator's codes: its person's choice, within the operator's rule."""

import asyncio
import base64
import hashlib
import json
import re

import pyotp
import pytest

from host_tools import cli
from host_tools.cloud.accounts import totp
from host_tools.cloud.accounts.totp import ALGORITHMS, SHA1, SHA256, SHA512, State
from host_tools.cloud.accounts.totp_rule import CLASSIC, TotpRule
from tests.host_tools.cloud_rig import PASSWORD, Rig
from tests.host_tools.test_cloud_admin import SAFE
from tests.host_tools.test_cloud_api import ask, token_of

ADD = "/security/authenticators/add"
DIGESTS = {SHA1: hashlib.sha1, SHA256: hashlib.sha256, SHA512: hashlib.sha512}
# RFC 6238, appendix B: the last six of eight digits. The keys are as long as the hashes (erratum 2866).
VECTORS = [
    (59, "119246", "693936"), (1111111109, "084774", "091201"), (1111111111, "062674", "943326"),
    (1234567890, "819424", "441116"), (2000000000, "698825", "618901"), (20000000000, "737706", "863826"),
]  # fmt: skip
STEP = 59_000_000
STRICT = TotpRule(SHA256, classic=False)


def rfc_key(length):
    return base64.b32encode((b"1234567890" * 7)[:length]).decode()


@pytest.mark.parametrize("now, sha256, sha512", VECTORS)
def test_codes_are_those_of_rfc_6238_with_longer_hashes(now, sha256, sha512):
    for algorithm, code, key in ((SHA256, sha256, rfc_key(32)), (SHA512, sha512, rfc_key(64))):
        found = totp.judge(key, code, State(), "", now, algorithm)
        assert found[:2] == (totp.RIGHT, State(now // 30)), algorithm
        assert totp.judge(key, code, State(), "", now).verdict == totp.WRONG


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_no_shorter_than_its_hash(algorithm):
    key = pyotp.TOTP(totp.new_secret(algorithm)).byte_secret()
    assert len(key) >= DIGESTS[algorithm]().digest_size
    assert (f"algorithm={algorithm}" in totp.uri("A" * 32, "a@b.org", algorithm)) == (algorithm != SHA1)


@pytest.mark.parametrize("algorithm", [SHA256, SHA512])
def test_two_codes_in_a_row_tell_a_clock_that_is_off_with_any_hash(algorithm):
    key, state = totp.new_secret(algorithm), State()
    otp = pyotp.TOTP(key, digest=DIGESTS[algorithm])
    for step, verdict in ((STEP, totp.BEHIND), (STEP + 1, totp.LEARNED), (STEP + 2, totp.RIGHT)):
        found = totp.judge(key, otp.generate_otp(step), state, "a sign-in", step * 30 + 100, algorithm)
        assert found.verdict == verdict
        state = found.state
    assert state.drift_s == -100


@pytest.mark.parametrize(
    "rule, allowed",
    [
        (CLASSIC, (SHA1, SHA256, SHA512)),
        (STRICT, (SHA256, SHA512)),
        (TotpRule(SHA512, classic=True), (SHA512, SHA1, SHA256)),
    ],
)
def test_the_rule_says_what_may_be_chosen_and_what_is_proposed(rule, allowed):
    assert rule.allowed == allowed
    assert [rule.chosen(each) for each in allowed] == [*allowed]
    assert {rule.chosen(each) for each in ("", "MD5", "sha256")} == {rule.algorithm}


# --- through the pages


def otp_on(page, algorithm):
    """What the page's key and its sentence tell an app, and the QR code says too (uri)."""
    assert ALGORITHMS[algorithm].name in re.search(r"Time-based, ([\w-]+), 6 digits", page.text)[1]
    key = re.search(r'id="key">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    return pyotp.TOTP(key, digest=DIGESTS[algorithm])


async def saved(browser, rig, otp, path):
    code = otp.at(int(rig.clock()))
    return await browser.post(path, name="My phone", code=code, password=PASSWORD)


def offered(page):
    return re.findall(r"add\?algorithm=(\w+)", page.text)


@pytest.mark.parametrize("algorithm", [SHA256, SHA512])
async def test_v11_4_1_a_person_chooses_another_hash_and_signs_in_with_it(rig, ada, algorithm):
    usual = await ada.get(ADD)
    assert offered(usual) == [SHA256, SHA512] and otp_on(usual, SHA1)
    path = f"{ADD}?algorithm={algorithm}"
    page = await ada.get(path)
    otp = otp_on(page, algorithm)
    assert "does not know" in page.text and otp.secret not in usual.text
    assert otp_on(await ada.get(path), algorithm).secret == otp.secret  # the same until it is saved
    assert (await saved(ada, rig, otp, path)).text.count("<li><code>") == 10
    assert ALGORITHMS[algorithm].name in (await ada.get("/security")).text
    other = rig.browser()
    await other.sign_in()
    classic = pyotp.TOTP(otp.secret).at(int(rig.clock()) + 30)
    rig.clock.now += 30
    assert (await other.post("/sign-in/code", code=classic)).status == 422
    assert (await other.post("/sign-in/code", code=otp.at(int(rig.clock())))).path == "/routers"


async def test_a_clock_that_is_off_is_learned_at_the_first_code_of_any_hash(rig, ada):
    path = f"{ADD}?algorithm={SHA256}"
    otp = otp_on(await ada.get(path), SHA256)
    page = await ada.post(path, name="Slow", code=otp.at(int(rig.clock()) - 120), password=PASSWORD)
    assert "behind, which we allow for" in page.text


async def test_an_app_that_does_not_heed_the_hash_is_told_of_and_the_classic_format_offered(rig, ada):
    path = f"{ADD}?algorithm={SHA512}"
    otp = otp_on(await ada.get(path), SHA512)
    page = await saved(ada, rig, pyotp.TOTP(otp.secret), path)
    assert page.status == 422 and "of another kind: your app does not know SHA-512" in page.text
    assert offered(page) == [SHA1, SHA256]
    assert otp_on(page, SHA512).secret == otp.secret  # an app that does know it may follow
    page = await ada.post(path, name="My phone", code="12345", password=PASSWORD)
    assert page.status == 422 and "of another kind" not in page.text
    classic = otp_on(await ada.get(f"{ADD}?algorithm={SHA1}"), SHA1)
    assert (await saved(ada, rig, classic, ADD)).status == 200


async def test_where_the_rule_is_strict_no_classic_key_is_shown_or_saved(tmp_path):
    async with Rig(tmp_path, totp_rule=STRICT) as rig:
        ada = rig.browser()
        await ada.join()
        for path in (ADD, f"{ADD}?algorithm={SHA1}", f"{ADD}?algorithm=SHA"):
            page = await ada.get(path)
            otp = otp_on(page, SHA256)
            assert offered(page) == [SHA512], path
        page = await saved(ada, rig, pyotp.TOTP(otp.secret), ADD)
        assert page.status == 422 and "of another kind: your app does not know SHA-256" in page.text
        assert offered(page) == [SHA512]
        assert (await saved(ada, rig, otp, ADD)).status == 200


async def test_a_key_that_waits_is_void_where_the_rule_has_changed(tmp_path):
    async with Rig(tmp_path) as rig:
        ada = rig.browser()
        await ada.join()
        otp = otp_on(await ada.get(ADD), SHA1)
        rig.parts.factors.rule = STRICT
        fields = {"name": "My phone", "code": otp.at(int(rig.clock())), "password": PASSWORD}
        page = await ada.post(ADD, form_page="/security", **fields)
        assert page.status == 422 and "This key has expired" in page.text


async def test_what_is_left_of_before_goes_on_is_told_and_is_counted(tmp_path, capsys):
    async with Rig(tmp_path) as rig:
        ada = rig.browser()
        await ada.join()
        otp, _ = await ada.enrol()
        rig.parts.factors.rule = STRICT
        assert "which new ones are not any more" in (await ada.get("/security")).text
        await ada.sign_out()
        await ada.sign_in()
        rig.clock.now += 30
        assert (await ada.post("/sign-in/code", code=otp.at(int(rig.clock())))).path == "/routers"
        told = await checked(rig, capsys, "--totp-algorithm", "SHA256")
        assert len(told) == 1 and "made with SHA-1 before SHA-256: 1." in told[0]
        told = await checked(rig, capsys, "--totp-algorithm", "SHA512", "--totp-classic")
        assert len(told) == 2 and "--totp-classic lets people choose SHA-1" in told[0]
        assert await checked(rig, capsys) == []


async def checked(rig, capsys, *options):
    """What `cloud check` says of it; it has a loop of its own."""
    words = ["cloud", "check", "--data", str(rig.folder / "none"), "--smtp", "localhost:25", *SAFE, *options]
    await asyncio.to_thread(cli.main, [*words, "--database", rig.settings.database_url])
    return [line for line in capsys.readouterr().err.splitlines() if "SHA" in line]


async def test_a_removed_authenticator_comes_back_with_its_hash(rig, ada):
    path = f"{ADD}?algorithm={SHA256}"
    otp = otp_on(await ada.get(path), SHA256)
    await saved(ada, rig, otp, path)
    page = await ada.get("/security")
    removing = re.search(r'href="(/security/authenticators/\w+/remove)"', page.text)[1]
    rig.clock.now += 30
    await ada.prove(otp)
    await ada.post(removing, password=PASSWORD)
    mail = (await rig.mails("ada@example.org"))[0]
    await ada.post(re.search(r"https://[^/]+(/undo#\S+)", mail.body)[1], password=PASSWORD)
    await ada.sign_in()
    rig.clock.now += 30
    assert (await ada.post("/sign-in/code", code=otp.at(int(rig.clock())))).path == "/routers"


async def test_the_api_tells_the_hash_and_not_the_key(rig, ada):
    path = f"{ADD}?algorithm={SHA512}"
    otp = otp_on(await ada.get(path), SHA512)
    await saved(ada, rig, otp, path)
    token = await token_of(ada, "account:read")
    status, answer = (await ask(rig, "/api/v1/authenticators", token))[:2]
    [row] = answer["items"]
    assert status == 200 and (row["name"], row["algorithm"]) == ("My phone", SHA512)
    assert otp.secret not in json.dumps(answer)
