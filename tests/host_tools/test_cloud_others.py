"""A second account walks the route table with the ids of the first: nothing is there (ASVS 5, 8.2.2)."""

import re
from functools import partial

import pytest
from sqlalchemy import insert, select

from host_tools.cloud.pages.routes import ACCOUNT, REGISTRAR, ROUTES, STAFF
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.help_models import HelpFile, HelpMessage, HelpReport, HelpRequest
from host_tools.cloud.store.models import Authenticator, Base, Claim, Event, Phone, Session, TrustedBrowser
from host_tools.cloud.store.oidc_models import OidcClient, OidcConsent
from host_tools.cloud.store.outside_models import OutsideLink
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.telegram_models import TelegramChat
from host_tools.cloud.store.undo_models import RouterUndo
from tests.host_tools.cloud_rig import PASSWORD, Rig
from tests.host_tools.test_cloud_second_step import approval_on

EMAIL, SERIAL = "ada@example.org", "GL-0001"
# What stands in an address and is nobody's: a provider's name, a secret that a mail or a page has handed out.
OPEN = {"provider", "token", "name"}
NAMED = re.compile(r"\{([a-z_]+)(?::[^/]*\})?\}?(?=/|$)")  # aiohttp's placeholder, and its pattern
FIELDS = {  # of every form: it is refused for whose it is, not for what is missing
    "password": PASSWORD, "name": "mine", "text": "mine", "number": "12", "code": "123456", "sure": "yes",
}  # fmt: skip
# By the beginning of the path, longest first: what Ada has there. Filled by `held`.
OWN = {
    "/approvals/": None,
    "/help/": HelpRequest,
    "/desk/": HelpRequest,
    "/clients/": OidcClient,
    "/security/applications/": OidcClient,
    "/security/authenticators/": Authenticator,
    "/security/browsers/": TrustedBrowser,
    "/security/outside/": OutsideLink,
    "/security/passkeys/": Passkey,
    "/security/routers/": RouterUndo,
    "/security/phones/": Phone,
    "/security/sessions/": Session,
    "/security/telegram/": TelegramChat,
    "/security/tokens/": ApiToken,
}
ELSEWHERE = {"serial_number": SERIAL, "claim_id": "claim1", "file_id": "file1", "report_id": "report1"}


def names_in(path):
    return [found[1] for found in NAMED.finditer(path)]


def guarded():
    """The rows of an account whose address names something of somebody."""
    for row in ROUTES:
        if row.who in (ACCOUNT, STAFF, REGISTRAR) and set(names_in(row.path)) - OPEN:
            yield row


@pytest.fixture
async def rig(tmp_path):
    async with Rig(tmp_path) as rig:
        yield rig


async def held(rig, ada):
    """A row of every kind. Returns the id of what the beginning of a path names."""
    await rig.own_router(SERIAL, ada)
    now, mine = rig.clock(), (await rig.parts.administration.find(EMAIL)).id
    about = {"account_id": mine, "created_at": now, "used_at": now}
    key = {"credential_hash": "1" * 64, "credential_id": b"1", "public_key": b"1", "sign_count": 0}
    client = dict.fromkeys(("secret_hash", "redirect_uris", "after_logout_uris", "logout_uri"), "")
    message = {"request_id": "request1", "account_id": mine, "by_support": False, "text": "x"}
    file = {"request_id": "request1", "message_id": 1, "account_id": mine}
    report = {"command_id": "c1", "serial_number": SERIAL, "state": "ready", "text": "", "tries": 1}
    rows = (
        (Authenticator, {**about, "id": "own1", "name": "x", "secret": b"x", "last_step": 0}),
        (Phone, {**about, "id": "own2", "number": "+32470123456"}),
        (Passkey, {**about, **key, "id": "own3", "name": "x", "synced": False}),
        (TelegramChat, {**about, "id": "own4", "chat": "1", "name": "x"}),
        (OutsideLink, {**about, "id": "own5", "provider": "x", "subject": "x", "email": EMAIL}),
        (RouterUndo, {"id": "own8", "account_id": mine, "serial_number": SERIAL, "undo_id": "1",
                      "state": "open", "tries": 0, "ends_at": now + 1e6}),
        (ApiToken, {"id": "own6", "account_id": mine, "name": "x", "token_hash": "2" * 64, "scope": "",
                    "created_at": now, "expires_at": now + 1e6}),
        (OidcClient, {**client, "id": "own7", "name": "x", "scope": "openid", "ours": False,
                      "created_at": now}),
        (OidcConsent, {"account_id": mine, "client_id": "own7", "scope": "openid", "given_at": now,
                       "used_at": now}),
        (Claim, {"id": "claim1", "account_id": mine, "number": "123456", "state": "asked",
                 "created_at": now, "expires_at": now + 1e6}),
        (HelpRequest, {"id": "request1", "account_id": mine, "subject": "x", "state": "waiting",
                       "opened_at": now, "changed_at": now}),
        (HelpMessage, {**message, "id": 1, "written_at": now}),
        (HelpFile, {**file, "id": "file1", "name": "x.txt", "size": 1, "content": b"x"}),
        (HelpReport, {**file, **report, "id": "report1", "asked_at": now, "ends_at": now + 1e6,
                      "file_id": "file1"}),
    )  # fmt: skip
    async with rig.parts.database.write() as session:
        for table, values in rows:
            await session.execute(insert(table).values(**values))
    async with rig.parts.database.read() as session:
        return {
            begin: await session.scalar(select(table.id).where(*_of(table, mine)).limit(1))
            for begin, table in OWN.items()
            if table is not None
        }


def _of(table, account_id):
    return [table.account_id == account_id] if hasattr(table, "account_id") else []


def _value(values, found):
    return values[found[1]]


async def everything(rig, account_id):
    """All that the account has, but for what only says that it was there."""
    kept = {}
    async with rig.parts.database.read() as session:
        for table in Base.metadata.sorted_tables:
            if "account_id" in table.c and table.name != Event.__tablename__:
                found = await session.execute(select(table).where(table.c.account_id == account_id))
                kept[table.name] = sorted(map(repr, found))
    return kept


async def test_nothing_of_another_account_is_there_at_any_address_with_an_id(rig):
    ada, bob = rig.browser(), rig.browser()
    await ada.join()
    await rig.browser().sign_in()  # a new browser asks, and so there is something to agree to
    asks = approval_on(await ada.get("/terms")).rsplit("/", 1)[-1]
    ids = {**await held(rig, ada), "/approvals/": asks}
    account_id = (await rig.parts.administration.find(EMAIL)).id
    await rig.parts.sessions.flush()
    before = await everything(rig, account_id)
    await bob.join("bob@example.org")
    csrf = (await bob.get("/security")).csrf
    walked = 0
    for row in guarded():
        begin = next((begin for begin in OWN if row.path.startswith(begin)), "")
        values = {**ELSEWHERE, **({"id": ids[begin]} if begin else {})}
        path = NAMED.sub(partial(_value, values), row.path)
        if row.method == "GET":
            page = await bob.get(path)
        else:
            page = await bob.post_raw(path, {"csrf": csrf, **FIELDS})
        assert page.status == 404, (row.method, path, page.status, page.url)
        walked += 1
    assert walked > 40
    assert await everything(rig, account_id) == before
    assert (await ada.get("/routers")).path == "/routers"


def test_every_address_that_names_something_is_walked():
    for row in guarded():
        for name in names_in(row.path):
            known = name in ELSEWHERE or (name == "id" and any(row.path.startswith(each) for each in OWN))
            assert known or name in OPEN, row.path
