"""Procrastinate over Piccolo's connections, so that a job can be enqueued in the transaction of its caller."""
# ruff: noqa: ANN401 - Procrastinate binds whatever it needs

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from procrastinate.connector import BaseAsyncConnector, Notify
from procrastinate.exceptions import AppNotOpen, NoResult, UniqueViolation

from orchestrator.lib.database import DB, is_outage

_PROBE: Final = 10.0  # seconds between checks of the connection that listens
_TIMEOUT: Final = 5.0  # seconds for any answer on it
_PAUSE: Final = 1.0  # seconds before it is opened again

# Text that is concatenated, as in `%(seconds)s || ' SECOND'`, is text to Postgres, whatever it says.
_PARAMETER: Final = re.compile(r"%\((\w+)\)s(\s*\|\|)?")
_JSON: Final = frozenset(("args", "stats"))

log = structlog.stdlib.get_logger("lectern.jobs")


class AsyncpgConnector(BaseAsyncConnector):
    """`database.pool` opens and closes the connections."""

    async def open_async(self, pool: object = None) -> None: ...

    async def close_async(self) -> None: ...

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        await self.execute_query_all_async(query, **arguments)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        return _first(await self.execute_query_all_async(query, **arguments))

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        if DB.pool is None:
            raise AppNotOpen
        async with DB.pool.acquire() as connection:
            return await _fetch(connection, query, arguments)

    async def execute_query_one_async_with_connection(
        self, connection: asyncpg.Connection, query: str, **arguments: Any
    ) -> dict[str, Any]:
        return _first(await _fetch(connection, query, arguments))

    async def execute_query_all_async_with_connection(
        self, connection: asyncpg.Connection, query: str, **arguments: Any
    ) -> list[dict[str, Any]]:
        return await _fetch(connection, query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Runs until cancelled. Without its connection, the worker finds the same by asking every second or two."""
        names = list(channels)
        while True:
            try:
                await _listen(on_notification, names)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("nobody tells of new jobs", error=repr(error))
            await asyncio.sleep(_PAUSE)


async def _fetch(connection: Any, query: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    statement, values = _with_numbers(query, arguments)
    try:
        rows = await connection.fetch(statement, *values)
    except asyncpg.UniqueViolationError as error:  # Procrastinate knows which one is its lock
        raise UniqueViolation(constraint_name=error.constraint_name, queueing_lock=None) from error
    return [{name: _decoded(name, value) for name, value in row.items()} for row in rows]


def _with_numbers(query: str, arguments: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Returns the statement with `$1` for each `%(name)s`, and the values in that order."""
    numbers: dict[tuple[str, bool], int] = {}

    def number(found: re.Match[str]) -> str:
        place = numbers.setdefault((found[1], bool(found[2])), len(numbers) + 1)
        return f"${place}{found[2] or ''}"

    statement = _PARAMETER.sub(number, query)
    return statement, [str(arguments[name]) if text else _encoded(arguments[name]) for name, text in numbers]


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list | tuple):
        return [_encoded(one) for one in value] if isinstance(value, list) else tuple(_encoded(one) for one in value)
    return value


def _decoded(name: str, value: Any) -> Any:
    return msgspec.json.decode(value) if name in _JSON and isinstance(value, str) else value


def _first(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        raise NoResult
    return rows[0]


async def _listen(on_notification: Notify, channels: list[str]) -> None:
    """Returns when the connection is lost."""
    connection = await asyncpg.connect(DB.config["dsn"], timeout=_TIMEOUT, command_timeout=_TIMEOUT)
    told: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
    try:
        connection.add_termination_listener(lambda _: told.put_nowait(None))
        for channel in channels:
            await connection.add_listener(channel, lambda _, __, name, payload: told.put_nowait((name, str(payload))))
        while True:
            try:
                message = await asyncio.wait_for(told.get(), _PROBE)
            except TimeoutError:
                await connection.execute("SELECT 1")
                continue
            if message is None:
                return
            await on_notification(channel=message[0], payload=message[1])
    finally:
        connection.terminate()  # nothing is left to do on it
