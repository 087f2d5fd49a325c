"""The connections to Postgres. Piccolo finds `DB` here by PICCOLO_CONF, so no table needs to name it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Final

os.environ["PICCOLO_CONF"] = "orchestrator.lib.database"  # before Piccolo looks for it

import asyncpg
from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from orchestrator.lib.errors.problems import StorageFull
from orchestrator.lib.settings import DatabaseSettings


class _Transaction(PostgresTransaction):
    """Piccolo's own stays in the context if it cannot be rolled back, and each later statement of the task fails."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            return await super().__aexit__(kind, error, trace)
        finally:
            if self.engine.current_transaction.get() is self:
                self.engine.current_transaction.reset(self.context)
                with suppress(asyncpg.InterfaceError):  # the pool has it back already
                    self.connection.terminate()


class _Engine(PostgresEngine):
    """Piccolo's engine connects while it is constructed, that is, at import; this one waits for `pool`."""

    full_at = float("-inf")

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:  # noqa: FBT001, FBT002 - as the base has it
        return _Transaction(engine=self, allow_nested=allow_nested)

    async def check_version(self) -> None: ...

    async def prep_database(self) -> None: ...

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:  # noqa: ANN401, FBT001, FBT002
        """Remembers when a statement last found the disk full."""
        try:
            return await super().run_querystring(querystring, in_pool=in_pool)
        except asyncpg.DiskFullError:
            self.full_at = time.monotonic()
            raise


DB: Final = _Engine(config={}, extensions=())
DISK_FULL: Final = "The disk of the database is full. Try again when there is room."
APP_REGISTRY: Final = AppRegistry(apps=["orchestrator.migrations.piccolo_app"])

_FULL_SECONDS: Final = 30.0  # nobody tells that there is room again
_OUTAGES: Final = (
    TimeoutError,  # by the limits that `pool` sets
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # as a connection that breaks amid a statement may be reported
    asyncpg.exceptions.OperatorInterventionError,  # shutting down, starting up, crashed
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
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
    """Returns whether the database could not be reached, or has no room; false if it refused a statement."""
    return isinstance(error, _OUTAGES) or (isinstance(error, OSError) and "connect" in type(error).__name__.lower())


def is_full(error: BaseException) -> bool:
    """Returns whether the database's disk is full."""
    return isinstance(error, asyncpg.DiskFullError)


async def probe() -> None:
    """Raises `StorageFull` if a statement has found the disk full in the last half minute, else what a query raises."""
    await run("SELECT 1")
    if time.monotonic() - DB.full_at < _FULL_SECONDS:
        raise StorageFull(DISK_FULL)
