"""Tokens that are bound to the key of whoever got them (DPoP, RFC 9449), and what a thief can do."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from host_tools.cloud.oidc import proofs
from host_tools.cloud.oidc.described import GRANTS, Changed, Described
from host_tools.cloud.oidc.signed import Unproved
from tests.host_tools.oidc_rig import BACK, App, agree, begin_device, enter

ISSUER = "https://localhost:8444"
TOKEN, USERINFO = ISSUER + "/oidc/token", ISSUER + "/oidc/userinfo"
AWAY = "openid email profile offline_access"
NOW = 1_800_000_000
KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
numbers = itertools.count()


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def proof_of(key, address, now, method="POST", header=None, token="", **changed):
    claims = {"htm": method, "htu": address, "iat": now, "jti": f"jti {next(numbers)}"}
    if token:
        claims["ath"] = coded(hashlib.sha256(token.encode()).digest())
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False), **(header or {})}
    return jwt.encode(head, kept, key, algorithms=[head["alg"]], default_type=None)


class BoundApp(App):
    """Sends a proof with each request for tokens, by its key."""

    def __init__(self, rig, secret="", client_id="app", key=KEY):
        super().__init__(rig, secret, client_id)
        self.key = key

    def proof(self, address=TOKEN, **changed):
        return proof_of(self.key, address, int(self.rig.clock()), **changed)

    async def post(self, path, proof=None, **fields):
        return await super().post(path, headers={"DPoP": proof or self.proof(ISSUER + path)}, **fields)

    async def userinfo(self, access, scheme="DPoP", proof=None, **changed):
        """Returns (status, JSON, challenges)."""
        proof = proof or self.proof(USERINFO, method="GET", token=access, **changed)
        headers = {"Authorization": f"{scheme} {access}", "DPoP": proof}
        url = self.rig.server.make_url("/oidc/userinfo")
        async with self.rig.browser()._session.get(url, headers=headers) as answer:
            return answer.status, await answer.json(), answer.headers.getall("WWW-Authenticate", [])


@pytest.fixture
async def public(rig):
    """An app of a phone or a desk: it keeps no secret, but makes a key."""
    described = Described("app", "Garden App", [BACK], public=True, grants=GRANTS, plain=True)
    await rig.parts.oidc.clients.add(described)
    return BoundApp(rig)


async def given(app, ada, **changed):
    status, tokens = await app.token((await agree(ada, app.link(scope=AWAY, **changed)))["code"])
    assert status == 200, tokens
    return tokens


def refresh(tokens):
    return {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}


async def test_a_token_is_bound_to_the_key_that_asked_for_it(public, ada):
    tokens = await given(public, ada)
    assert tokens["token_type"] == "DPoP"
    access = tokens["access_token"]
    status, told, _ = await public.userinfo(access)
    assert status == 200 and told["email"] == "ada@example.org"


async def test_a_stolen_token_is_worth_nothing(public, ada, rig):
    """Without the key, with another one, with a proof that was seen, or as a bearer's."""
    access = (await given(public, ada))["access_token"]
    thief = BoundApp(rig, key=OTHER)
    status, body, challenges = await thief.userinfo(access)
    assert (status, body["error"]) == (401, "invalid_token")
    assert any(one.startswith("DPoP ") and 'algs="ES256' in one for one in challenges)
    assert (await App(rig, "", "app").userinfo(access))[0] == 401
    assert (await public.userinfo(access, scheme="Bearer"))[0] == 401
    seen = public.proof(USERINFO, method="GET", token=access)
    assert (await public.userinfo(access, proof=seen))[0] == 200
    status, body, _ = await public.userinfo(access, proof=seen)
    assert (status, body["error"]) == (401, "invalid_dpop_proof")
    other = (await given(public, ada))["access_token"]
    proof = public.proof(USERINFO, method="GET", token=other)  # it is of that token alone
    assert (await public.userinfo(access, proof=proof))[0] == 401
    assert (await public.userinfo(access, proof=public.proof(TOKEN, token=access)))[0] == 401


async def test_a_bearers_token_is_none_that_is_bound(rig, ada):
    secret = await rig.parts.oidc.clients.add(Described("app", "Garden App", [BACK], plain=True))
    app = App(rig, secret)
    _, tokens = await app.token((await agree(ada, app.link()))["code"])
    assert tokens["token_type"] == "Bearer"
    assert (await BoundApp(rig).userinfo(tokens["access_token"]))[0] == 401
    assert (await app.userinfo(tokens["access_token"]))[0] == 200


async def test_a_public_applications_refresh_token_is_bound_too(public, ada, rig):
    """ASVS 10.4.5; a thief with another key cannot even end what it stole."""
    tokens = await given(public, ada)
    thief = BoundApp(rig, key=OTHER)
    assert (await thief.post("/oidc/token", **refresh(tokens)))[0] == 400
    assert (await App(rig, "", "app").post("/oidc/token", **refresh(tokens)))[0] == 400
    status, turned = await public.post("/oidc/token", **refresh(tokens))
    assert status == 200
    assert (await thief.post("/oidc/token", **refresh(tokens)))[0] == 400  # used, and still not ended by it
    assert (await public.post("/oidc/token", **refresh(turned)))[0] == 200


async def test_who_proves_itself_otherwise_may_change_its_key(rig, ada):
    """RFC 9449 section 5: its refresh tokens are bound to the client."""
    secret = await rig.parts.oidc.clients.add(Described("app", "Garden App", [BACK], plain=True))
    tokens = await given(BoundApp(rig, secret), ada)
    app = BoundApp(rig, secret, key=OTHER)
    status, turned = await app.post("/oidc/token", **refresh(tokens))
    assert status == 200 and turned["token_type"] == "DPoP"
    assert (await app.userinfo(turned["access_token"]))[0] == 200


async def test_a_code_is_bound_from_its_request_on(public, ada, rig):
    """RFC 9449 section 10: whoever sees the code and the verifier has not the key."""
    code = (await agree(ada, public.link(dpop_jkt=KEY.thumbprint())))["code"]
    status, body = await BoundApp(rig, key=OTHER).token(code)
    assert (status, body["error"]) == (400, "invalid_grant")
    code = (await agree(ada, public.link(dpop_jkt=KEY.thumbprint())))["code"]
    assert (await App(rig, "", "app").token(code))[0] == 400
    code = (await agree(ada, public.link(dpop_jkt=KEY.thumbprint())))["code"]
    assert (await public.token(code))[0] == 200


async def test_an_application_that_is_registered_so_gets_no_other_tokens(rig, ada):
    secret = await rig.parts.oidc.clients.add(
        Described("app", "Garden App", [BACK], dpop_bound=True, plain=True)
    )
    app = App(rig, secret)
    code = (await agree(ada, app.link(scope=AWAY)))["code"]
    status, body = await app.token(code)
    assert (status, body["error"]) == (400, "invalid_dpop_proof")
    status, tokens = await BoundApp(rig, secret).token(code)  # it was not used up
    assert status == 200
    assert (await app.post("/oidc/token", **refresh(tokens)))[1]["error"] == "invalid_dpop_proof"
    await rig.parts.oidc.clients.change("app", Changed(dpop_bound=False))
    assert (await app.post("/oidc/token", **refresh(tokens)))[1]["token_type"] == "Bearer"


async def test_a_device_binds_its_tokens(public, ada, rig):
    begun = await begin_device(public)
    await enter(ada, begun["user_code"])
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
    status, tokens = await public.post("/oidc/token", **fields, device_code=begun["device_code"])
    assert status == 200 and tokens["token_type"] == "DPoP"
    assert (await BoundApp(rig, key=OTHER).userinfo(tokens["access_token"]))[0] == 401
    assert (await public.userinfo(tokens["access_token"]))[0] == 200


async def test_a_proof_is_taken_once_and_of_many_at_once_one_is(public, ada):
    proof = public.proof()
    first = (await agree(ada, public.link()))["code"]
    assert (await public.token(first, proof=proof))[0] == 200
    second = (await agree(ada, public.link()))["code"]
    status, body = await public.token(second, proof=proof)
    assert (status, body["error"]) == (400, "invalid_dpop_proof")
    access = (await given(public, ada))["access_token"]
    proof = public.proof(USERINFO, method="GET", token=access)
    answers = await asyncio.gather(*(public.userinfo(access, proof=proof) for _ in range(4)))
    assert sorted(status for status, *_ in answers) == [200, 401, 401, 401]


async def test_a_request_has_one_proof(public, ada):
    access = (await given(public, ada))["access_token"]
    url, headers = public.rig.server.make_url("/oidc/userinfo"), [("Authorization", f"DPoP {access}")]
    headers += [("DPoP", public.proof(USERINFO, method="GET", token=access)) for _ in range(2)]
    async with public.rig.browser()._session.get(url, headers=headers) as answer:
        assert answer.status == 401
    async with public.rig.browser()._session.get(url, headers=headers[:1]) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("address", ["HTTPS://LocalHost:8444/oidc/token", TOKEN + "?x=1#y"])
def test_an_address_is_the_same_however_it_is_written(address):
    """RFC 9449 section 4.3: without query and fragment, normalized."""
    assert proofs.read(proof_of(KEY, address, NOW), "POST", TOKEN, NOW).jkt == KEY.thumbprint()


def test_keys_of_two_kinds_will_do():
    key = OKPKey.generate_key("Ed25519")
    for algorithm in ("Ed25519", "EdDSA"):
        proof = proof_of(key, TOKEN, NOW, header={"alg": algorithm})
        assert proofs.read(proof, "POST", TOKEN, NOW).jkt == key.thumbprint()


@pytest.mark.parametrize(
    "changed",
    [
        {"header": {"typ": "JWT"}},
        {"header": {"typ": None}},
        {"header": {"jwk": None}},
        {"header": {"jwk": "x"}},
        {"header": {"jwk": OTHER.as_dict(private=False)}},
        {"header": {"jwk": KEY.as_dict(private=True)}},
        {"header": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}},
        {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}}},
        {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": 1, "y": []}}},
        {"header": {"jwk": {"kty": "EC"}}},
        {"method": "GET"},
        {"method": None},
        {"htu": ISSUER + "/oidc/userinfo"},
        {"htu": ISSUER + "/oidc/token/"},
        {"htu": "http://localhost:8444/oidc/token"},
        {"htu": "https://localhost/oidc/token"},
        {"htu": "https://localhost:8444@evil.example/oidc/token"},
        {"htu": "https://evil@localhost:8444/oidc/token"},
        {"htu": "https://localhost:x/oidc/token"},
        {"htu": "https://[/oidc/token"},
        {"htu": None},
        {"htu": 7},
        {"iat": NOW - proofs.LASTS_S - 1},
        {"iat": NOW + proofs.AHEAD_S + 1},
        {"iat": None},
        {"iat": True},
        {"iat": "now"},
        {"iat": float("nan")},
        {"iat": 10**400},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 201},
    ],
)
def test_a_wrong_proof_is_refused(changed):
    header = {**headed("ES256"), **changed.get("header", {})}
    rest = {name: value for name, value in changed.items() if name not in ("header", "method")}
    claims = {"htm": changed.get("method", "POST"), "htu": TOKEN, "iat": NOW, "jti": "j", **rest}
    with pytest.raises(Unproved):
        proofs.read(by_hand(header, claims, by_key), "POST", TOKEN, NOW)


@pytest.mark.parametrize("changed", [{}, {"ath": "x"}, {"ath": 7}, {"token": "another"}])
def test_at_a_resource_a_proof_is_of_the_token(changed):
    with pytest.raises(Unproved, match="ath"):
        proofs.read(proof_of(KEY, TOKEN, NOW, **changed), "POST", TOKEN, NOW, "token")


def test_algorithms_that_prove_nothing_are_refused():
    """none, and HS256 with the public key as the secret that both know (RFC 8725 sections 2.1 and 3.1)."""
    claims = {"htm": "POST", "htu": TOKEN, "iat": NOW, "jti": "j"}
    assert proofs.read(by_hand(headed("ES256"), claims, by_key), "POST", TOKEN, NOW)
    rsa = RSAKey.generate_key(2048)
    for proof in (
        by_hand(headed("none"), claims, lambda _: b""),
        by_hand(headed("HS256"), claims, by_public_key),
        by_hand(headed("ES256"), claims, lambda _: b""),
        by_hand(headed("ES256"), claims, lambda _: bytes(64)),
        by_hand(headed(["ES256"]), claims, by_key),
        by_hand(headed("RS256", rsa), claims, lambda _: b"x"),
        "", "x", "..", "e30.e30.", "WyJhbGciXQ.e30.e30", "ä.ö.ü", "x" * 9000,
    ):  # fmt: skip
        with pytest.raises(Unproved):
            proofs.read(proof, "POST", TOKEN, NOW)


def headed(algorithm, key=KEY):
    return {"typ": "dpop+jwt", "alg": algorithm, "jwk": key.as_dict(private=False)}


def by_hand(header, claims, sign):
    text = ".".join(coded(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{coded(sign(text.encode()))}"


def by_public_key(text):
    return hmac.digest(KEY.as_pem(private=False), text, "sha256")


def by_key(text):
    return JWSRegistry.algorithms["ES256"].sign(text, KEY)
