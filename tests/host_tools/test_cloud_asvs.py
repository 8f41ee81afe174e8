"""OWASP ASVS 5.0.0 for the cloud: what no other test shows, each test named after its requirement.

host_tools/cloud/ASVS.md says which requirement is met, by which test, and which is not.
"""

import ast
import asyncio
import functools
import re
import ssl
from pathlib import Path

import pytest
from sqlalchemy import func, select

from host_tools.cloud import certificates
from host_tools.cloud.accounts import passwords, recovery, sessions
from host_tools.cloud.accounts.challenges import NONCE_BYTES
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.devices.tls import device_context
from host_tools.cloud.oidc import grants, keys
from host_tools.cloud.oidc.described import Described
from host_tools.cloud.pages import routes
from host_tools.cloud.pages.guards import SESSION_COOKIE
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import new_token
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig
from tests.host_tools.oidc_rig import BACK, App, agree, follow, signed_in
from tests.host_tools.test_commonest import COMMONEST

CLOUD = Path(routes.__file__).parents[1]
TESTS = Path(__file__).parent
TABLE = (CLOUD / "ASVS.md").read_text("utf-8")
NEW_PASSWORD = "seven herons left the weir"
DAY_S = 24 * 3600
OFFLINE = "openid email profile offline_access"


@pytest.fixture
async def app(rig):
    return App(rig, await rig.parts.oidc.clients.add(Described("app", "Garden App", [BACK], plain=True)))


def session_of(browser):
    return next((each.value for each in browser._session.cookie_jar if each.key == SESSION_COOKIE), None)


async def change_password(browser, old, new):
    return await browser.post("/security/password", password=old, new_password=new)


# --- the table itself


def test_every_test_that_the_table_names_exists():
    """A name stands as `file: name`, of tests/host_tools/test_cloud_<file>.py, its beginning is enough."""
    named = re.findall(r"`(\w+): ([a-z0-9_]+)`", TABLE)
    assert len(named) > 80
    files = {file: (TESTS / f"test_cloud_{file}.py").read_text("utf-8") for file, _ in named}
    assert [(file, name) for file, name in named if f"def test_{name}" not in files[file]] == []


def test_every_requirement_of_chapters_6_7_and_10_has_its_row():
    """How many each section of ASVS 5.0.0 has."""
    sections = {
        "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
        "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
        "10.1": 2, "10.2": 3, "10.3": 5, "10.4": 16, "10.5": 5, "10.6": 2, "10.7": 3,
    }  # fmt: skip
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \|[^|]+\| (?:met|not met|does not apply) \|", TABLE, re.MULTILINE)
    wanted = [f"{section}.{at}" for section, count in sections.items() for at in range(1, count + 1)]
    assert [row for row in rows if row.split(".")[0] in ("6", "7", "10")] == wanted


# How many of levels 1 and 2 each section of the other chapters has, and those between that are of level 3.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4,
    "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 3, "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4,
    "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
}  # fmt: skip


def numbers_of(cell):
    """Of a row's first cell: "1.2.6 to 1.2.8, 1.3.9" are four."""
    for part in cell.split(","):
        first, _, last = part.strip().partition(" to ")
        section, _, at = first.rpartition(".")
        end = int((last or first).rpartition(".")[2])
        yield from (f"{section}.{each}" for each in range(int(at), end + 1))


def test_no_requirement_of_levels_1_and_2_is_without_a_row():
    cells = re.findall(r"^\| (\d[\d., to]+) \|[^|]+\| (?:met|not met|does not apply) \|", TABLE, re.MULTILINE)
    rows = {number for cell in cells for number in numbers_of(cell)}
    wanted = {f"{section}.{at}" for section, count in SECTIONS.items() for at in range(1, count + 1)}
    assert sorted(wanted - rows) == []


# --- V6 authentication


def test_v6_2_1_a_password_has_at_least_eight_characters():
    assert "at least 8" in passwords.fault("k7#pQz2") and passwords.fault("k7#pQz2w") is None


async def test_v6_2_3_it_is_changed_with_the_current_one_and_the_new_one(rig, ada):
    assert (await change_password(ada, "not this one", NEW_PASSWORD)).status == 422
    assert (await change_password(ada, "", NEW_PASSWORD)).status == 422
    assert (await change_password(ada, PASSWORD, NEW_PASSWORD)).status == 200
    await ada.sign_out()
    assert (await ada.sign_in(password=PASSWORD)).status == 422
    assert (await ada.sign_in(password=NEW_PASSWORD)).path == "/routers"


async def test_v6_2_4_the_3000_commonest_are_refused_when_it_is_set(rig, ada):
    assert len(COMMONEST) == 3000
    assert [word for word in COMMONEST if passwords.fault(word) is None] == []
    assert (await rig.browser().sign_up("bo@example.org", password="ncc1701d")).status == 422
    assert (await change_password(ada, PASSWORD, "ncc1701d")).status == 422


async def test_v6_2_6_and_v6_2_7_every_password_is_masked_and_may_be_pasted_and_kept(rig, ada):
    pages = [await rig.browser().get(path) for path in ("/sign-in", "/sign-up")]
    pages += [await ada.get(path) for path in ("/security/password", "/profile/data", "/profile")]
    for page in pages:
        fields = re.findall(r'<input[^>]*name="[a-z_]*password"[^>]*>', page.text)
        assert fields, page.path
        for field in fields:
            assert 'type="password"' in field and re.search(r'autocomplete="(new|current)-password"', field)
            assert "onpaste" not in field and "readonly" not in field
    assert "paste" not in (CLOUD / "pages/static/cloud.js").read_text("utf-8")


async def test_v6_2_8_and_v6_2_9_it_is_verified_whole_up_to_more_than_64_characters(rig):
    browser, whole = rig.browser(), " Walnut " + "tree by the gate " * 6 + "x "
    assert len(whole) > 72  # where bcrypt would cut
    await browser.sign_up(password=whole)
    code = re.search(r"\d{6}", (await rig.mails())[0].body)[0]
    await browser.post("/confirm", code=code)
    await browser.sign_out()
    for other in (whole[:72], whole.lower(), whole.strip(), whole + "y"):
        assert (await browser.sign_in(password=other)).status == 422, other
    assert (await browser.sign_in(password=whole)).path == "/routers"


async def test_v6_2_10_it_stays_valid(rig, ada):
    await ada.sign_out()
    rig.clock.now += 1000 * DAY_S
    assert (await ada.enter()).path in ("/routers", "/security/choose")


async def test_v6_2_11_words_of_the_context_are_refused(rig, ada):
    for word in ("gatelodge", "Bell"):
        page = await change_password(ada, PASSWORD, f"the {word} 41 of may")
        assert page.status == 422 and "Leave your name" in page.text, word


async def test_v6_3_2_nobody_has_an_account_that_nobody_made(rig):
    async with rig.parts.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Account)) == 0


def test_v6_5_3_and_v11_5_1_what_must_not_be_guessed_comes_from_the_system():
    """No module of the cloud knows Python's own generator, and the secrets are long enough."""
    assert [str(path) for path, name in imports() if name == "random"] == []
    assert recovery.CHARACTERS * 5 >= 20  # 6.5.4, in bits: Crockford's alphabet has 32 letters
    assert NONCE_BYTES * 8 >= 64  # 6.7.2


# --- V7 sessions


async def test_v7_2_1_to_v7_2_3_only_a_token_that_the_cloud_made_opens_a_session(rig, ada):
    tokens = {new_token() for _ in range(100)} | {session_of(ada)}
    assert len(tokens) == 101 and min(map(len, tokens)) >= 43  # 256 bits in base64
    for made_up in ("", "1", new_token(), session_of(ada)[:-1], session_of(ada).swapcase()):
        headers = {"Cookie": f"{SESSION_COOKIE}={made_up}"}
        assert (await rig.browser().get("/security", headers=headers)).path == "/sign-in"


async def test_v7_2_4_signing_in_makes_a_new_token_and_takes_none_that_was_there(rig, ada):
    before = session_of(ada)
    await ada.sign_out()
    await ada.sign_in()
    assert session_of(ada) not in (None, before)
    fixed, url = rig.browser(), rig.server.make_url("/")
    fixed._session.cookie_jar.update_cookies({SESSION_COOKIE: "chosen-by-somebody-else"}, url)
    await fixed.enter()
    assert session_of(fixed) != "chosen-by-somebody-else"


async def test_v7_3_2_a_session_ends_after_two_weeks_however_busy_it_is(rig, ada):
    for _ in range(sessions.WHOLE_S // DAY_S * 2 - 1):
        rig.clock.now += DAY_S / 2
        assert (await ada.get("/security")).path == "/security"
    rig.clock.now += DAY_S / 2
    assert (await ada.get("/security")).path == "/sign-in"


async def test_v7_4_1_a_session_that_was_ended_is_not_resumed(rig, ada):
    kept = {"Cookie": f"{SESSION_COOKIE}={session_of(ada)}"}
    assert (await rig.browser().get("/security", headers=kept)).path == "/security"
    await ada.sign_out()
    assert (await rig.browser().get("/security", headers=kept)).path == "/sign-in"


async def test_v7_4_4_every_page_of_an_account_has_the_way_out(rig, ada):
    rows = [row for row in routes.ROUTES if row.method == "GET" and row.who == routes.ACCOUNT]
    paths = [row.path for row in rows if "{" not in row.path and not row.lasting]
    pages = [await ada.get(path) for path in paths]
    shown = [page for page in pages if page.status == 200 and "text/html" in page.headers["Content-Type"]]
    assert len(shown) > 15
    for page in shown:
        assert 'action="/sign-out"' in page.text, page.path


# --- V10 OAuth and OpenID Connect


async def test_v10_3_1_userinfo_takes_access_tokens_only(app, ada):
    tokens = await signed_in(app, ada, scope=OFFLINE)
    assert (await app.userinfo(tokens["access_token"]))[0] == 200
    for other in (tokens["refresh_token"], tokens["id_token"], session_of(ada)):
        assert (await app.userinfo(other))[0] == 401


async def test_v10_4_4_no_tokens_come_by_the_front_or_for_a_password(app, ada):
    fields = {"username": "ada@example.org", "password": PASSWORD}
    for grant in ("password", "client_credentials", "implicit"):
        assert (await app.post("/oidc/token", grant_type=grant, **fields))[0] == 400
    for kind in ("token", "id_token", "id_token token", "code token", "code id_token"):
        _, address, _ = await follow(ada, app.link(response_type=kind))
        assert "error=unsupported_response_type" in address and "token=" not in address, kind


async def test_v10_4_8_a_refresh_token_ends_a_year_after_the_sign_in_however_often_it_turns(app, ada, rig):
    answer = await signed_in(app, ada, scope=OFFLINE)
    step_s = grants.REFRESH_S - DAY_S
    for _ in range(grants.REFRESH_WHOLE_S // step_s):
        rig.clock.now += step_s
        status, answer = await refresh(app, answer)
        assert status == 200
    rig.clock.now += step_s
    assert (await refresh(app, answer))[0] == 400


async def refresh(app, tokens):
    return await app.post("/oidc/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])


async def test_v10_4_10_an_application_with_a_secret_proves_itself_wherever_it_asks(app, ada):
    code = (await agree(ada, app.link()))["code"]
    nobody = App(app.rig, "", "app")  # says who it is, and proves nothing
    assert (await nobody.token(code))[0] == 401
    assert (await nobody.post("/oidc/revoke", token="x"))[0] == 401
    assert (await nobody.post("/oidc/device", scope="openid"))[0] == 401
    assert (await app.token(code))[0] == 200


async def test_v10_4_11_an_application_gets_the_scopes_that_it_was_registered_with(rig, ada):
    described = Described("small", "Garden App", [BACK], scope=("openid", "email"), plain=True)
    app = App(rig, await rig.parts.oidc.clients.add(described), "small")
    tokens = await signed_in(app, ada, scope=OFFLINE)
    assert tokens["scope"] == "openid email" and "refresh_token" not in tokens
    assert "name" not in (await app.userinfo(tokens["access_token"]))[1]


async def test_v10_4_12_an_answer_comes_in_the_query_and_in_no_other_way(app, ada):
    for mode in ("fragment", "form_post", "query.jwt"):
        _, address, _ = await follow(ada, app.link(response_mode=mode))
        assert "error=invalid_request" in address and "code=" not in address and "#" not in address, mode


# --- V1 encoding


FORBIDDEN_MODULES = {
    "random", "subprocess", "pickle", "marshal", "shelve", "dill", "yaml", "xml", "lxml", "ldap3", "ctypes",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "system",
    "popen",
    "from_string",
    "literal_column",
    "fromstring",
    "XML",
}


WRITES_ONLY = "xml.etree"  # makes elements; what reads them is among FORBIDDEN_CALLS


@functools.cache
def sources():
    """[(path, its tree)] of the cloud's modules."""
    found = [path for path in sorted(CLOUD.rglob("*.py")) if "migrations" not in path.parts]
    return [(path, ast.parse(path.read_text("utf-8"))) for path in found]


def imports():
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name.partition(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module != WRITES_ONLY:
                yield path, (node.module or "").partition(".")[0]


def calls():
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                yield path, name, node


def test_v1_2_5_v1_3_2_v1_3_7_and_v1_5_2_nothing_that_came_is_run_or_brought_to_life():
    """No command, no code, no template out of text, no parser that makes objects or follows entities."""
    assert [(path.name, name) for path, name in imports() if name in FORBIDDEN_MODULES] == []
    known = [(path.name, node.lineno) for path, name, node in calls() if name in FORBIDDEN_CALLS]
    regular = [(path.name, node.lineno) for path, name, node in calls() if is_regular_expression(name, node)]
    assert sorted(known) == sorted(regular)


def is_regular_expression(name, node):
    """Or a statement of SQL, written out for its dialect."""
    of_sql = "dialect" in [each.arg for each in node.keywords]
    return name == "compile" and (ast.unparse(node.func) == "re.compile" or of_sql)


def test_v1_2_4_no_statement_of_sql_is_put_together():
    """What is handed over as text is a constant, or a choice between two, or holds numbers of ours."""
    for path, name, node in calls():
        if name == "exec_driver_sql":
            names = [each.id for each in ast.walk(node.args[0]) if isinstance(each, ast.Name)]
            assert set(names) <= {"WRITERS_LOCK", "writing"}, (path.name, node.lineno)


# --- V3 web frontend, V4 API


def test_v1_2_9_no_regular_expression_is_made_of_text_that_came():
    """A pattern is a constant, or is put together of constants."""
    for path, _, node in calls():
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re":
            names = [each.id for each in ast.walk(node.args[0]) if isinstance(each, ast.Name)]
            patterns = [each for each in names if not each.isupper() and each != "self"]
            assert patterns == [], (path.name, node.lineno)


def test_v15_3_2_redirects_of_other_servers_are_not_followed():
    own = "host_tools.cloud.delivery import http"  # our one request of delivery/http.py, which is seen there
    clients = {
        path
        for path, tree in sources()
        if "aiohttp.ClientSession" in (text := ast.unparse(tree)) and own not in text
    }
    asked = [
        (path, node) for path, _, node in calls() if ast.unparse(node.func) in ASKING and path in clients
    ]
    assert len(asked) >= 3
    for path, node in asked:
        options = {each.arg: ast.unparse(each.value) for each in node.keywords}
        assert options.get("allow_redirects") == "False", (path.name, node.lineno)


ASKING = ("http.request", "http.post", "http.get", "session.request", "session.post", "session.get")


async def test_v3_3_every_cookie_is_bound_to_the_host_and_kept_from_scripts(rig, ada):
    await ada.sign_out()
    answers = [await rig.browser().get("/sign-in")]
    form = await ada.get("/sign-in")
    fields = {"csrf": form.csrf, "email": "ada@example.org", "password": PASSWORD}
    answers.append(await ada.post_raw("/sign-in", fields, allow_redirects=False))
    cookies = [line for answer in answers for line in answer.headers.getall("Set-Cookie")]
    assert {line.partition("=")[0] for line in cookies} >= {SESSION_COOKIE, "__Host-cloud-browser"}
    for line in cookies:
        assert line.startswith("__Host-") and len(line.partition(";")[0]) < 4096
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(
            line.split("; ")
        ) and "Domain" not in line


async def test_v3_4_2_no_other_site_reads_an_answer(rig):
    for path in ("/sign-in", "/health", "/static/cloud.css", "/nowhere"):
        headers = (await rig.browser().get(path, headers={"Origin": "https://evil.example"})).headers
        assert not [name for name in headers if name.lower().startswith("access-control-")], path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_v3_4_1_and_v3_4_3_headers_that_hold_the_browser_to_tls_and_to_our_own_scripts(tmp_path):
    async with Rig(tmp_path, public_url="https://account.example.org") as rig:
        for path in ("/sign-in", "/health", "/static/cloud.js", "/nowhere", "/oidc/jwks"):
            headers = (await rig.browser().get(path, headers={"Host": "account.example.org"})).headers
            assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", path
            policy = headers["Content-Security-Policy"]
            for directive in ("object-src 'none'", "base-uri 'none'", "script-src 'self';"):
                assert directive in policy, path


async def test_v4_1_1_every_answer_says_what_it_is(rig):
    kinds = {"/sign-in": "text/html; charset=utf-8", "/health": "application/json; charset=utf-8"}
    kinds |= {"/static/cloud.css": "text/css", "/static/cloud.js": "text/javascript"}
    kinds |= {"/nowhere": "text/html; charset=utf-8", "/oidc/jwks": "application/json"}
    for path, kind in kinds.items():
        assert (await rig.browser().get(path)).headers["Content-Type"].startswith(kind), path


async def test_v4_1_3_and_v15_3_4_nobody_says_where_they_come_from(rig, ada):
    """Else a guesser would have a new address for every guess."""
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto"):
        browser = rig.browser(**{name: "203.0.113.7"})
        await browser.sign_in(password="not this one")
    page = await ada.get("/security/log")
    assert "A wrong password was entered" in page.text and "203.0.113.7" not in page.text


async def test_v4_1_4_and_v13_4_4_a_method_that_no_page_has_is_refused(rig):
    url, http = rig.server.make_url("/sign-in"), rig.browser()._session
    for method in ("TRACE", "PUT", "DELETE", "PATCH", "OPTIONS"):
        async with http.request(method, url, data=b"x: y") as answer:
            assert answer.status in (403, 405) and "x: y" not in await answer.text(), method


async def test_v4_2_1_a_request_of_two_lengths_is_refused(rig):
    """A second request inside the first one's body must not be answered."""
    reader, writer = await asyncio.open_connection(rig.server.host, rig.server.port)
    head = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
    writer.write(f"{head}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE_S):
        assert b" 400 " in await reader.readline()
        assert b'"ready"' not in await reader.read()
    writer.close()


# --- V11 cryptography, V12 communication


async def test_v11_4_2_passwords_are_kept_by_argon2id_at_the_advised_cost():
    hasher = Hasher()
    assert (await hasher.hash(PASSWORD)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    hasher.close()


def test_v11_2_3_keys_that_sign_have_128_bits_of_security():
    assert keys.KEY_BITS >= 3072


def test_v12_1_1_browsers_and_routers_are_spoken_to_over_tls_1_2_or_newer(tmp_path):
    made = certificates.load_or_create(tmp_path)
    pair = (str(made.devices.certificate), str(made.devices.key))
    for context in (made.portal_context(), device_context(*pair, str(made.ca))):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert not [row["name"] for row in context.get_ciphers() if row["strength_bits"] < 128]


def test_v12_1_2_browsers_are_offered_ciphers_with_forward_secrecy_and_authentication_alone(tmp_path):
    for row in certificates.load_or_create(tmp_path).portal_context().get_ciphers():
        assert row["aead"] and row["kea"] in ("kx-any", "kx-ecdhe"), row["name"]


# --- V14 data protection, V16 errors


async def test_v14_3_2_no_page_is_kept_by_a_browser_or_on_the_way(rig, ada):
    for path in ("/security", "/routers", "/profile", "/security/log", "/sign-in", "/nowhere"):
        assert (await ada.get(path)).headers["Cache-Control"] == "no-store", path


# What keeps something in the browser, makes HTML or code of text, or listens to other windows.
FORBIDDEN_SCRIPT = (
    "localStorage", "sessionStorage", "indexedDB", "document.cookie", "innerHTML", "outerHTML",
    "insertAdjacentHTML", "document.write", "eval(", "Function(", "postMessage",
)  # fmt: skip


def test_v3_5_5_and_v14_3_3_scripts_keep_nothing_write_no_html_and_hear_no_other_window():
    scripts = sorted((CLOUD / "pages/static").glob("*.js"))
    assert scripts
    for path in scripts:
        text = path.read_text("utf-8")
        assert [word for word in FORBIDDEN_SCRIPT if word in text] == [], path.name
