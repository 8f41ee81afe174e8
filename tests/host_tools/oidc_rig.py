"""An application of the OpenID provider, and what a browser does for it."""

import base64
import hashlib
import json
import re
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from host_tools.cloud.pages.oidc_api import DEVICE_GRANT

BACK = "https://app.example.org/back"
AFTER = "https://app.example.org/bye"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class App:
    """A confidential application, as one would write it from the specifications."""

    def __init__(self, rig, secret, client_id="app"):
        self.rig, self.secret, self.client_id = rig, secret, client_id

    def link(self, **changed):
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": BACK, "state": "s t/1",
            "scope": "openid profile email", "nonce": "n-1", "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }  # fmt: skip
        kept = {name: value for name, value in {**asked, **changed}.items() if value is not None}
        return "/oidc/authorize?" + urlencode(kept)

    async def post(self, path, secret=None, headers=None, **fields):
        """Returns (status, JSON)."""
        basic = base64.b64encode(f"{self.client_id}:{secret or self.secret}".encode()).decode()
        headers = {**(headers or {}), **({"Authorization": "Basic " + basic} if self.secret else {})}
        if not self.secret:
            fields["client_id"] = self.client_id
        session = self.rig.browser()._session
        async with session.post(self.rig.server.make_url(path), data=fields, headers=headers) as answer:
            return answer.status, await answer.json()

    async def token(self, code, **changed):
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return await self.post("/oidc/token", **{**fields, **changed})

    async def userinfo(self, access):
        session = self.rig.browser()._session
        headers = {"Authorization": f"Bearer {access}"}
        async with session.get(self.rig.server.make_url("/oidc/userinfo"), headers=headers) as answer:
            return answer.status, await answer.json()

    async def read(self, token):
        """What a token of ours says, its signature checked against the published keys."""
        page = await self.rig.browser()._session.get(self.rig.server.make_url("/oidc/jwks"))
        return jwt.decode(token, KeySet.import_key_set(await page.json()), algorithms=["RS256"]).claims


async def follow(browser, link):
    """The page at the link, or the answer that the browser would carry to the application."""
    async with browser._session.get(browser._rig.server.make_url(link), allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


def answer_in(address):
    assert address.startswith(BACK), address
    return dict(parse_qsl(urlsplit(address).query))


async def agree(browser, link, button="agree"):
    """Agree on the page of consent. Returns the answer to the application."""
    page = await browser.get(link)
    assert "Garden App" in page.text and "your e-mail address" in page.text
    query = link.partition("?")[2]
    passed = await browser.post_raw("/oidc/consent", {"csrf": page.csrf, "query": query, button: "yes"})
    return answer_in(address_on(passed))


def address_on(page):
    assert 'http-equiv="refresh"' in page.text
    return re.search(r'<a class="button primary" href="([^"]+)"', page.text)[1].replace("&amp;", "&")


async def signed_in(app, ada, **changed):
    """The tokens of an application that was agreed to."""
    answer = await agree(ada, app.link(**changed))
    status, tokens = await app.token(answer["code"])
    assert status == 200, tokens
    return tokens


def head_of(token):
    text = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


async def begin_device(app):
    status, begun = await app.post("/oidc/device", scope="openid email offline_access")
    assert status == 200 and begun["verification_uri_complete"].endswith(begun["user_code"])
    return begun


async def device_token(app, begun):
    status, body = await app.post("/oidc/token", grant_type=DEVICE_GRANT, device_code=begun["device_code"])
    return body.get("error", status)


async def enter(browser, code, button="agree"):
    page = await browser.post("/device", user_code=code)
    assert page.status == 200 and "Garden App" in page.text and "in front of you" in page.text
    device = re.search(r'name="device" value="([0-9a-f]+)"', page.text)[1]
    return await browser.post_raw("/device/answer", {"csrf": page.csrf, "device": device, button: "yes"})
