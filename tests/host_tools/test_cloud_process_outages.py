"""`gatelodge cloud serve` as a process whose PostgreSQL, log's system and carriers fail, and come back."""

import asyncio
import re
import signal
import time

from sqlalchemy import text

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message
from tests.fakes.authority import Authority
from tests.host_tools import postgresql_rig
from tests.host_tools.cloud_rig import database_url
from tests.host_tools.postgresql_rig import as_role, server
from tests.host_tools.rsyslog_rig import rsyslog
from tests.host_tools.smtp_rig import mail_server
from tests.host_tools.test_cloud_roles import migrate
from tests.host_tools.test_cloud_service import Cloud, cloud, sign_up, until

__all__ = ["cloud"]  # a fixture
RECIPIENTS = {"mail": "ada@example.org", "sms": "+32460111111", "telegram": "7"}
STOPS_WITHIN_S = 12  # on a computer with much else to do; a carrier's own patience is longer


async def test_a_serving_role_outlives_its_database_and_the_logs_system(cloud: Cloud, tmp_path):
    cloud.data.mkdir(mode=0o700)
    owner = database_url(tmp_path, "postgresql")
    await migrate(cloud.data, owner, "--serving-role", postgresql_rig.ROLE)
    authority = Authority("Operator")
    authority.write(tmp_path, "log-ca")
    with rsyslog(authority) as system:
        options = ["--development", "--database", as_role(owner)]
        options += ["--log-to", f"syslog+tls://localhost:{system.port}", "--log-ca", f"{tmp_path}/log-ca.pem"]
        await cloud.start(*options)
        await cloud.browse()
        await sign_up(cloud)

        async def came(**wanted):
            return system.received(**wanted)

        await until(lambda: came(msgid="account_made"), "the event")
        await asyncio.to_thread(server().kill)
        try:
            async with cloud.browser.get(cloud.url + "/routers") as answer:
                assert answer.status == 503 and "cannot reach its records" in await answer.text()
        finally:
            await asyncio.to_thread(server().start)

        async def healthy():
            async with cloud.browser.get(cloud.url + "/health") as answer:
                return answer.status == 200

        await until(healthy, "the database")
        assert "My routers" in await cloud.get("/routers")
        await until(lambda: came(msgid="cloud.store", pri="27"), "the line about it")
        await asyncio.to_thread(system.stop)
        await until(lambda: told(cloud, "the log cannot be sent"), "the outage of the log")
        await cloud.post("/sign-out", form_page="/security")
        assert await ended(cloud) == 0
        assert re.search(r"[1-9]\d* lines of the log did not reach localhost", cloud.log())
        assert len(system.received(msgid="account_made")) == 1
    sent = int((cloud.data / "log.sent").read_text())
    [newest] = await rows(owner, "SELECT max(id) FROM events WHERE kind = 'signed_out'")
    assert sent < newest  # what happened meanwhile waits for the next start
    said = cloud.log()
    assert said.count("the database cannot be used") == said.count("the database answers again") == 1
    assert "Traceback" not in said


async def told(cloud, words):
    return words in cloud.log()


async def ended(cloud):
    """Its exit status after SIGTERM. The time that it promises is asserted by test_cloud_service.py."""
    cloud.process.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(cloud.process.wait(), STOPS_WITHIN_S)


async def rows(url, sql):
    database = Database(url)
    try:
        async with database.read() as session:
            return list(await session.scalars(text(sql)))
    finally:
        await database.close()


CARRIERS = """
[smtp]
host = "127.0.0.1"
port = {mail}
security = "none"
[telephony]
account = "AC1"
token_file = "telephony.token"
api = "http://127.0.0.1:{port}"
sms_from = "+32460000000"
[telegram]
bot = "gatelodge_test_bot"
token_file = "telegram.token"
api = "http://127.0.0.1:{port}"
"""


class Silent:
    """Takes requests, and answers none."""

    def __init__(self):
        self._came = []

    async def take(self, reader, writer):
        self._came.append(await reader.readuntil(b"\r\n"))
        await reader.read()  # until whoever asked has had enough
        writer.close()

    def count(self, path):
        return sum(path.encode() in line for line in self._came)

    async def has(self, *paths):
        return all(map(self.count, paths))


async def queue(url, *channels):
    """A message for each, before there is a process that sends."""
    database = Database(url)
    await database.migrate()
    texts = dict.fromkeys(("subject", "body", "extra", "about", "reference", "why"), "")
    async with database.write() as session:
        for channel in channels:
            message = Message(channel=channel, recipient=RECIPIENTS[channel], **texts)
            message.state, message.attempts = "queued", 0
            message.due_at = message.created_at = time.time()
            session.add(message)
    await database.close()


async def taken(inbox):
    return inbox.tried


def write_secret(path, content):
    path.write_text(content)
    path.chmod(0o600)


async def test_carriers_that_never_answer_hold_up_no_stop_and_get_nothing_twice(cloud: Cloud, tmp_path):
    """A mail server after the mail, and a carrier of texts and a bot's after the request."""
    cloud.data.mkdir(mode=0o700)
    url = f"sqlite+aiosqlite:///{cloud.data}/cloud.db"
    await queue(url, "mail", "sms", "telegram")
    silent = Silent()
    async with await asyncio.start_server(silent.take, "127.0.0.1", 0) as server_:
        port = server_.sockets[0].getsockname()[1]
        with mail_server() as inbox:
            inbox.silent = "DATA"
            (tmp_path / "delivery.toml").write_text(CARRIERS.format(mail=inbox.port, port=port))
            for name in ("telephony.token", "telegram.token"):
                write_secret(tmp_path / name, "12345:" + "a" * 35)
            await cloud.start("--delivery", str(tmp_path / "delivery.toml"))
            try:
                await until(lambda: silent.has("/Messages.json", "/sendMessage", "/getUpdates"), "requests")
                await until(lambda: taken(inbox), "the mail")
                assert await ended(cloud) == 0
            finally:
                inbox.silent = None
    assert inbox.tried == 1 and silent.count("/Messages.json") == silent.count("/sendMessage") == 1
    # Whoever starts next sends it again, but not before its lease is over: nobody knows whether it arrived.
    later = time.time() + 30
    assert await rows(url, f"SELECT count(*) FROM messages WHERE attempts = 1 AND due_at > {later}") == [3]
    assert "Traceback" not in cloud.log()
