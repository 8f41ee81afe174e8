"""Whoever enters an e-mail waits for the same work, whether or not it has an account.

The statements and hashes between a question and its answer are counted; `make bench` measures their times.
"""

import asyncio

import pytest
from sqlalchemy import Engine, event

from host_tools.cloud.store.brief import NearTransaction
from tests.host_tools.cloud_rig import PERSON, Rig, database_url

KNOWN, UNKNOWN = "ada@example.org", "nobody@example.org"
QUESTIONS = (
    ("/sign-in", {"password": "a wrong password"}, 1),
    ("/forgotten", {}, 0),
    ("/sign-up", PERSON, 1),
)


class Work:
    """What requests do within a `with` block. Tasks that no request waits for have names of their own."""

    def __init__(self, rig, monkeypatch):
        self.statements, self.hashes = [], 0
        self._run = rig.parts.hasher._run
        monkeypatch.setattr(rig.parts.hasher, "_run", self._hash)

    async def _hash(self, *arguments):
        self.hashes += 1
        return await self._run(*arguments)

    def _note(self, _connection, _cursor, statement, *_):
        if asyncio.current_task().get_name().startswith("Task-"):
            self.statements.append(statement)

    def __enter__(self):
        event.listen(Engine, "before_cursor_execute", self._note)
        self._execute, noted = NearTransaction.execute, self._note

        def execute(transaction, statement, values=None):
            noted(None, None, str(statement))  # SQLAlchemy's engine knows nothing of it
            return self._execute(transaction, statement, values)

        NearTransaction.execute = execute
        return self

    def __exit__(self, *_):
        NearTransaction.execute = self._execute
        event.remove(Engine, "before_cursor_execute", self._note)


async def work_of(rig, monkeypatch, path, fields):
    """(statements, hashes) until the answer, which is not followed."""
    browser = rig.browser()
    csrf = (await browser.get(path)).csrf
    with Work(rig, monkeypatch) as work:
        await browser.post_raw(path, {"csrf": csrf, **fields}, allow_redirects=False)
    await rig.until(rig.parts.post.idle)
    return work.statements, work.hashes


@pytest.mark.parametrize("path, fields, hashes", QUESTIONS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_known_e_mail_makes_no_other_work_than_an_unknown_one(
    tmp_path, monkeypatch, kind, path, fields, hashes
):
    async with Rig(tmp_path, database_url=database_url(tmp_path, kind)) as rig:
        await rig.browser().join(KNOWN)
        # The address has been here, too: its first attempt would make a row of the throttle's.
        await work_of(rig, monkeypatch, path, {**fields, "email": "somebody@example.org"})
        await work_of(rig, monkeypatch, path, {**fields, "email": KNOWN})
        await work_of(rig, monkeypatch, path, {**fields, "email": UNKNOWN})
        known = await work_of(rig, monkeypatch, path, {**fields, "email": KNOWN})
        unknown = await work_of(rig, monkeypatch, path, {**fields, "email": UNKNOWN})
    assert known == unknown
    assert known[0] and known[1] == hashes


CODES = (("/sign-up", PERSON, "/confirm"), ("/forgotten", {}, "/forgotten/code"))


async def work_of_code(rig, monkeypatch, path, fields, code_page):
    """Of a wrong code, in a browser that entered an e-mail and was mailed one, or not."""
    browser = rig.browser()
    await browser.post(path, **fields)
    await rig.until(lambda: not any("send a reset" in task.get_name() for task in asyncio.all_tasks()))
    csrf = (await browser.get(code_page)).csrf
    with Work(rig, monkeypatch) as work:
        page = await browser.post_raw(code_page, {"csrf": csrf, "code": "000000"}, allow_redirects=False)
    return page.status, work.statements, work.hashes


@pytest.mark.parametrize("path, fields, code_page", CODES)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_code_for_a_known_e_mail_makes_no_other_work_than_for_an_unknown_one(
    tmp_path, monkeypatch, kind, path, fields, code_page
):
    async with Rig(tmp_path, database_url=database_url(tmp_path, kind)) as rig:
        await rig.browser().join(KNOWN)
        works = [
            await work_of_code(rig, monkeypatch, path, {**fields, "email": email}, code_page)
            for email in ("somebody@example.org", KNOWN, UNKNOWN)
        ]
    assert works[1] == works[2] and works[1][0] == 422 and works[1][1]
