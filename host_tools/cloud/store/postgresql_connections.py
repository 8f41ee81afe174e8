"""PostgreSQL's connections as asyncpg makes them: each closes by itself when its server has gone.

The event loop hears of a server that restarts or dies, for it closes its connections. So whoever takes one
from the pool asks nobody (SQLAlchemy's pre-ping are three questions before each transaction): what is closed
is replaced. A network that swallows everything is noticed by what stays unacknowledged.
"""

from __future__ import annotations

import socket
from typing import Any

from sqlalchemy.exc import DisconnectionError, OperationalError

CONNECT_TIMEOUT_S = 5
UNACKNOWLEDGED_MS = 10_000  # TCP_USER_TIMEOUT (RFC 5482)
KEEP_ALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}  # of who only waits


async def connect(*arguments: Any, **options: Any) -> Any:
    """What an engine takes as `async_creator_fn`. Raises OperationalError where nobody answers."""
    import asyncpg  # type: ignore[import-untyped]  # only where there is the extra "postgresql"

    try:
        connection = await asyncpg.connect(*arguments, timeout=CONNECT_TIMEOUT_S, **options)
    except (OSError, TimeoutError) as error:
        why = error if str(error) else TimeoutError("nobody answers")
        raise OperationalError("connect", None, why, connection_invalidated=True) from error
    _notice_silence(connection)
    return connection


def check_open(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Of the pool's event "checkout": it takes another one then."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError("its server has gone")


def _notice_silence(connection: Any) -> None:
    line = connection._transport.get_extra_info("socket")  # asyncpg has no option for it
    if line is None or line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    for option, value in KEEP_ALIVE.items():
        line.setsockopt(socket.IPPROTO_TCP, option, value)
