"""Applications that prove themselves by a key (private_key_jwt), and what each may use."""

import asyncio
import base64
import hmac
import itertools
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from sqlalchemy import func, select

from host_tools import cli, exit_codes
from host_tools.cloud.oidc import assertions
from host_tools.cloud.oidc.described import GRANTS, Described, WrongClient
from host_tools.cloud.oidc.signed import Unproved
from host_tools.cloud.pages.oidc_api import DEVICE_GRANT
from host_tools.cloud.store.oidc_models import OidcSpent
from tests.host_tools.cloud_rig import Rig, database_url
from tests.host_tools.oidc_rig import BACK, VERIFIER, App, agree, begin_device, follow, signed_in

ISSUER = "https://localhost:8444"
AWAY = "openid email profile offline_access"
NOW = 1_800_000_000
KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
numbers = itertools.count()


def key_set(*keys):
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def claims_at(now, client_id="app", jti="j", **changed):
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60}
    return {name: value for name, value in {**claims, **changed}.items() if value is not None}


def signed(key, algorithm, claims, header=None):
    return jwt.encode({"alg": algorithm, **(header or {})}, claims, key, algorithms=[algorithm])


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_public_key(payload):
    """HS256 with what everybody may know as the secret: no library signs that."""
    text = coded(b'{"alg":"HS256"}') + "." + payload
    return text + "." + coded(hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256"))


class KeyApp(App):
    """Signs an assertion for each request, as its library would."""

    def __init__(self, rig, key=KEY, client_id="app", algorithm="ES256"):
        super().__init__(rig, "", client_id)
        self.key, self.algorithm = key, algorithm

    def assertion(self, **changed):
        claims = claims_at(int(self.rig.clock()), self.client_id, f"jti {next(numbers)}", **changed)
        return signed(self.key, self.algorithm, claims)

    async def post(self, path, assertion=None, **fields):
        proof = {"client_assertion_type": assertions.TYPE, "client_assertion": assertion or self.assertion()}
        return await super().post(path, **{**proof, **fields})


@pytest.fixture
async def app(rig):
    described = Described("app", "Garden App", [BACK], jwks=key_set(KEY), grants=GRANTS, plain=True)
    assert await rig.parts.oidc.clients.add(described) == ""  # no secret
    return KeyApp(rig)


async def test_an_application_proves_itself_by_its_key_wherever_it_asks(app, ada):
    tokens = await signed_in(app, ada, scope=AWAY)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    status, turned = await app.post("/oidc/token", **fields)
    assert status == 200
    assert (await begin_device(app))["device_code"]
    assert (await app.post("/oidc/revoke", token=turned["refresh_token"]))[0] == 200
    assert (await app.userinfo(turned["access_token"]))[0] == 401


async def test_an_assertion_names_us_or_what_is_asked_and_nothing_else(app):
    """RFC 7523 section 3."""
    for audience in (ISSUER, ISSUER + "/oidc/token", [ISSUER], ISSUER + "/oidc/revoke"):
        assert (await app.post("/oidc/revoke", app.assertion(aud=audience), token="x"))[0] == 200
    status, body = await app.post("/oidc/revoke", app.assertion(aud=ISSUER + "/oidc/device"), token="x")
    assert (status, body["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (KEY, "ES256"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
        (RSAKey.generate_key(3072), "PS256"),
    ],
    ids=["ES256", "Ed25519", "PS256"],
)
def test_each_kind_of_key_will_do(key, algorithm):
    assertion = signed(key, algorithm, claims_at(NOW))
    taken = assertions.check(assertion, "app", assertions.read_keys(key_set(key)), [ISSUER], NOW)
    assert taken.until == NOW + 60 + assertions.LEEWAY_S


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ISSUER + "/oidc/token/"},
        {"aud": "https://another.example"},
        {"aud": [ISSUER, "https://another.example"]},  # who is that, and will it pass it on?
        {"aud": None},
        {"iss": "other"},
        {"iss": None},
        {"sub": "other"},
        {"sub": 7},
        {"exp": None},
        {"exp": 1},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"exp": 99999999999},
        {"iat": 99999999999},
        {"nbf": 99999999999},
        {"jti": None},
        {"jti": ""},
        {"jti": ["x"]},
        {"jti": "x" * 201},
        {"header": {"typ": "dpop+jwt"}},
    ],
)
def test_a_wrong_assertion_is_refused(changed):
    header = {"typ": "JWT", **changed.pop("header", {})}
    assertion = signed(KEY, "ES256", claims_at(NOW, **changed), header)
    with pytest.raises(Unproved):
        assertions.check(assertion, "app", key_set(KEY), [ISSUER], NOW)


async def test_an_assertion_is_taken_once_and_of_many_at_once_one_is(app):
    assertion = app.assertion()
    answers = await asyncio.gather(*(app.post("/oidc/revoke", assertion, token="x") for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_what_was_taken_is_remembered_until_it_is_over_and_no_longer(app, rig):
    for _ in range(3):
        await app.post("/oidc/revoke", token="x")
    rig.clock.now += 60 + assertions.LEEWAY_S + 1
    await app.post("/oidc/revoke", token="x")
    async with rig.parts.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(OidcSpent)) == 1


async def test_another_key_and_no_key_prove_nothing(app, rig):
    """Also the public key as a secret that both know (RFC 8725 section 2.1), and none at all."""
    none = app.assertion().split(".")
    header = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    for assertion in (
        KeyApp(rig, OTHER).assertion(),
        by_public_key(app.assertion().split(".")[1]),
        f"{header}.{none[1]}.",
        ".".join([none[0], none[1], ""]),
        "WyJhbGciXQ." + none[1] + ".e30",  # its header is a list
        "x",
        "." * 9,
        "ä.ö.ü",
        "x" * 9000,
    ):
        assert (await app.post("/oidc/revoke", assertion, token="x"))[0] == 401, assertion


async def test_who_has_a_key_comes_in_by_nothing_else(app, rig, ada):
    code = (await agree(ada, app.link()))["code"]
    for nobody in (App(rig, "", "app"), App(rig, "glc_x", "app")):
        assert (await nobody.token(code))[0] == 401
    status, body = await app.post("/oidc/revoke", client_secret="x", token="x")
    assert (status, body["error"]) == (400, "invalid_request")
    assertion, app.client_id = app.assertion(), "another"
    assert (await app.post("/oidc/revoke", assertion, token="x"))[0] == 401
    app.client_id = "app"
    assert (await app.post("/oidc/revoke", client_assertion_type="x", token="x"))[0] == 401
    assert (await app.token(code))[0] == 200


async def test_wrong_assertions_are_held_back(app, rig):
    wrong = KeyApp(rig, OTHER)
    statuses = [(await wrong.post("/oidc/revoke", token="x"))[0] for _ in range(30)]
    assert statuses[-1] == 429
    assert (await app.post("/oidc/revoke", token="x"))[0] == 200


@pytest.mark.parametrize(
    ("jwks", "fault"),
    [
        ("[]", "no JWK set"),
        ("{", "no JWK set"),
        ('{"keys": []}', "1 to 5"),
        ('{"keys": [7]}', "1 to 5"),
        (json.dumps(KEY.as_dict(private=True)), "private key"),
        (key_set(ECKey.generate_key("P-384")), "P-256"),
        (key_set(RSAKey.generate_key(2048)), "3072"),
        (json.dumps(OctKey.generate_key(256).as_dict()), "proves nothing"),
        ('{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}', "no JWK set"),
        (key_set(KEY, KEY), "told apart"),
    ],
    ids=range(10),  # keys are drawn anew by each process, and a test's name is one for all
)
def test_keys_that_cannot_be_registered_say_why(jwks, fault):
    with pytest.raises(assertions.WrongKeys, match=fault):
        assertions.read_keys(jwks)


async def test_each_application_has_the_grants_that_it_was_registered_with(rig, ada):
    """ASVS 10.4.4."""
    code_only = ("authorization_code",)
    described = Described("app", "Garden App", [BACK], grants=code_only, plain=True)
    app = App(rig, await rig.parts.oidc.clients.add(described))
    tokens = await signed_in(app, ada, scope=AWAY)
    assert "refresh_token" not in tokens and "offline_access" not in tokens["scope"]
    for grant in ("refresh_token", DEVICE_GRANT):
        status, body = await app.post("/oidc/token", grant_type=grant, refresh_token="x", device_code="x")
        assert (status, body["error"]) == (400, "unauthorized_client")
    status, body = await app.post("/oidc/device", scope="openid")
    assert (status, body["error"]) == (400, "unauthorized_client")


async def test_a_device_cannot_come_by_the_code_flow(rig, ada):
    described = Described("tv", "Garden App", [BACK], grants=("device_code",), plain=True)
    app = App(rig, await rig.parts.oidc.clients.add(described), "tv")
    _, address, _ = await follow(ada, app.link())
    assert "error=unauthorized_client" in address and "code=" not in address
    status, body = await app.post(
        "/oidc/token", grant_type="authorization_code", code="x", redirect_uri=BACK, code_verifier=VERIFIER
    )
    assert (status, body["error"]) == (400, "unauthorized_client")
    assert await begin_device(app)


async def test_grants_that_make_no_sense_are_refused(rig):
    for grants in ((), ("refresh_token",), ("password",)):
        with pytest.raises(WrongClient, match="grant|nothing to stay"):
            await rig.parts.oidc.clients.add(
                Described("app", "Garden App", [BACK], grants=grants, plain=True)
            )


async def test_an_operator_gives_a_key_and_takes_grants_by_the_console(tmp_path, capsys):
    async with Rig(tmp_path):
        (tmp_path / "secrets.key").write_bytes(b"m" * 32)
    where = ["--data", str(tmp_path), "--database", database_url(tmp_path)]
    (tmp_path / "keys.json").write_text(key_set(KEY))
    keys = ["--keys", str(tmp_path / "keys.json")]

    async def run(*words):
        return await asyncio.to_thread(cli.main, ["cloud", "clients", *words, *where])

    described = ["--name", "Garden App", "--redirect", BACK]
    asked = ["--grants", "device_code", "--plain", "--dpop", "--par"]
    assert await run("add", "garden", *described, *keys, *asked) == 0
    assert capsys.readouterr().out == ""  # there is no secret to show
    assert await run("list") == 0
    assert "key device_code EXCEPTION DPoP PAR" in capsys.readouterr().out
    assert await run("change", "garden", "--grants", *GRANTS, "--no-par", "--keys", key_set(OTHER)) == 0
    await run("list")
    listed = capsys.readouterr().out
    assert "key authorization_code refresh_token device_code EXCEPTION DPoP\n" in listed
    assert await run("secret", "garden") == exit_codes.USAGE
    assert await run("change", "other") == exit_codes.USAGE
    assert await run("change", "garden", "--keys", str(tmp_path / "absent")) == exit_codes.USAGE
    assert await run("add", "other", *described, *keys, "--public") == exit_codes.USAGE
