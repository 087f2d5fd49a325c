"""Brings the job queue's own tables to the installed version of Procrastinate.

The package ships its whole schema, which cannot be applied twice, and one script for each later change.
Which scripts a database has seen is kept in ``procrastinate_schema``.
"""

from importlib.util import find_spec
from pathlib import Path

import asyncpg

_SEEN = (
    "CREATE TABLE IF NOT EXISTS procrastinate_schema (script text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
)


async def migrate(connection: asyncpg.Connection) -> list[str]:
    """Returns what was applied. The caller holds the migration lock."""
    scripts = _scripts()
    async with connection.transaction():
        await connection.execute(_SEEN)
        if await connection.fetchval("SELECT to_regclass('procrastinate_jobs')") is None:
            await connection.execute((_sql() / "schema.sql").read_text(encoding="utf-8"))
            await _remember(connection, scripts)
            return ["schema.sql"]
    seen = {row["script"] for row in await connection.fetch("SELECT script FROM procrastinate_schema")}
    missing = [script for script in scripts if script.name not in seen]
    for script in missing:
        async with connection.transaction():
            await connection.execute(script.read_text(encoding="utf-8"))
            await _remember(connection, [script])
    return [script.name for script in missing]


def _scripts() -> list[Path]:
    return sorted((_sql() / "migrations").glob("*.sql"))


def _sql() -> Path:
    """Found without importing the package, which takes longer than all that is done here."""
    package = find_spec("procrastinate")
    if package is None or package.origin is None:
        raise RuntimeError("Procrastinate is not installed")
    return Path(package.origin).parent / "sql"


async def _remember(connection: asyncpg.Connection, scripts: list[Path]) -> None:
    await connection.executemany(
        "INSERT INTO procrastinate_schema (script) VALUES ($1)", [(script.name,) for script in scripts]
    )
