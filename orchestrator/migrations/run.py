"""Brings a database to the current schema. Any number of processes may try at once: one works, the others wait."""

import contextlib
import re
import sys
from pathlib import Path
from typing import Final

import asyncpg

from orchestrator.lib.database import pool
from orchestrator.lib.settings import DatabaseSettings
from orchestrator.migrations import procrastinate_schema

_LOCK = 0x1EC7E2  # any number, the same for every Lectern process
_APP: Final = "lectern"
_ID: Final = re.compile(r'^ID = "(.+)"$', re.MULTILINE)  # as Piccolo writes it, and looks for it


async def migrate(settings: DatabaseSettings) -> None:
    """Raises `RuntimeError` if a migration fails (those before it stay applied) or none leads from this database."""
    # The lock lives as long as this connection, so a process that dies releases it.
    lock = await asyncpg.connect(settings.url.reveal(), timeout=10)
    try:
        await lock.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=600)
        await procrastinate_schema.migrate(lock)
        known, done = migrations(), await _done(lock)
        if not known <= done:
            if done - known:
                raise RuntimeError(
                    "no migration leads from this database to the current schema: an unreleased version made it."
                    " Use a new database; with `make up`, `make purge` deletes the old one"
                )
            async with pool(settings):
                await _go_forwards()
    finally:
        await lock.close()


def migrations() -> set[str]:
    """Returns the ids of all migrations. They are read, as importing one takes most of what Piccolo consists of."""
    files = (Path(__file__).parent / "versions").glob("*.py")
    return {found[1] for file in files if (found := _ID.search(file.read_text(encoding="utf-8")))}


async def _done(connection: asyncpg.Connection) -> set[str]:
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return set()
    return {row["name"] for row in await connection.fetch("SELECT name FROM migration WHERE app_name = $1", _APP)}


async def _go_forwards() -> None:
    from piccolo.apps.migrations.commands.forwards import run_forwards  # noqa: PLC0415 - half of this process

    with contextlib.redirect_stdout(sys.stderr):  # Piccolo prints its progress
        result = await run_forwards(_APP)
    if not result.success:
        raise RuntimeError(f"a migration failed: {result.message}")
