"""`gatelodge cloud serve` as a process whose PostgreSQL, log's system and carriers fail, and come back."""

import asyncio
import re
import signal

from sqlalchemy import text

from host_tools.cloud.store.database import Database
from tests.fakes.authority import Authority
from tests.host_tools import postgresql_rig
from tests.host_tools.cloud_rig import database_url
from tests.host_tools.postgresql_rig import as_role, server
from tests.host_tools.rsyslog_rig import rsyslog
from tests.host_tools.test_cloud_roles import migrate
from tests.host_tools.test_cloud_service import Cloud, cloud, sign_up, until

__all__ = ["cloud"]  # a fixture
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
