"""Brings a database to the current schema. Any number of processes may try at once: one works, the others wait."""

import contextlib
import sys

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards

from orchestrator.lib.database import pool
from orchestrator.migrations import procrastinate_schema
from orchestrator.settings import DatabaseSettings

_LOCK = 0x1EC7E2  # any number, the same for every Lectern process


async def migrate(settings: DatabaseSettings) -> None:
    """Raises `RuntimeError` if a migration fails; those before it stay applied."""
    # The lock lives as long as this connection, so a process that dies releases it.
    lock = await asyncpg.connect(settings.url.reveal(), timeout=10)
    try:
        await lock.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=600)
        await procrastinate_schema.migrate(lock)
        async with pool(settings):
            with contextlib.redirect_stdout(sys.stderr):  # Piccolo prints its progress
                result = await run_forwards("lectern")
        if not result.success:
            raise RuntimeError(f"a migration failed: {result.message}")
    finally:
        await lock.close()
