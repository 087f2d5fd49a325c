"""The connections to Postgres. Piccolo finds `DB` here by PICCOLO_CONF, so no table needs to name it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

os.environ["PICCOLO_CONF"] = "orchestrator.lib.database"  # before Piccolo looks for it

import asyncpg
from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine
from piccolo.querystring import QueryString

from orchestrator.lib.settings import DatabaseSettings


class _Engine(PostgresEngine):
    """Piccolo's engine connects while it is constructed, that is, at import; this one waits for `pool`."""

    async def check_version(self) -> None: ...

    async def prep_database(self) -> None: ...


DB: Final = _Engine(config={}, extensions=())
APP_REGISTRY: Final = AppRegistry(apps=["orchestrator.migrations.piccolo_app"])

_OUTAGES: Final = (
    TimeoutError,  # by the limits that `pool` sets
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.OperatorInterventionError,  # shutting down, starting up, crashed
    asyncpg.TooManyConnectionsError,
)


@asynccontextmanager
async def pool(settings: DatabaseSettings) -> AsyncIterator[PostgresEngine]:
    """Opens the connections. Every wait is bounded: for a connection by 5 s, for a statement by 30 s."""
    DB.config = {"dsn": settings.url.reveal()}
    await DB.start_connection_pool(
        min_size=1,
        max_size=settings.pool_size,
        timeout=5,
        command_timeout=30,
        max_inactive_connection_lifetime=60,
        reset=_skip_reset,
    )
    try:
        yield DB
    finally:
        await _close()


async def _skip_reset(connection: asyncpg.Connection) -> None:
    """No statement here changes a session, so no query to reset it is needed; every second query was one."""


async def _close() -> None:
    try:
        await asyncio.wait_for(DB.close_connection_pool(), timeout=5)
    except TimeoutError:
        # A connection is still in use or its server hangs; both end with the process.
        if DB.pool is not None:
            DB.pool.terminate()
            DB.pool = None


async def run(sql: str, *values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever asyncpg binds
    """Runs a statement beyond Piccolo's query builder, in the transaction in progress if there is one.

    ``{}`` stands for a value. Returns the rows.
    """
    return [dict(row) for row in await DB.run_querystring(QueryString(sql, *values))]


def is_outage(error: BaseException) -> bool:
    """Returns whether the database could not be reached; false if it refused a statement."""
    return isinstance(error, _OUTAGES) or (isinstance(error, OSError) and "connect" in type(error).__name__.lower())
