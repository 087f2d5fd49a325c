"""A separate database, for tests that count everything in it, and a worker for its jobs."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from orchestrator.embedded.home import Home
from tests.integration.servers import database_url, worker_process
from tests.stack import ROOT, Stack


@dataclass(frozen=True)
class OwnDatabase:
    url: str
    api_key: str
    stack: Stack

    def execute(self, statement: str) -> None:
        asyncio.run(_execute(self.url, statement))

    def fetch(self, statement: str) -> list[dict[str, Any]]:
        return asyncio.run(_fetch(self.url, statement))


@contextmanager
def worker(database: OwnDatabase, log: Path, **settings: str) -> Iterator[None]:
    """Runs the jobs of that database, over a store of its own."""
    store = log.with_name("worker-store").as_uri()
    with worker_process(database.stack, log, **{"DATABASE_URL": database.url, "STORE_URL": store, **settings}):
        yield


@contextmanager
def own_database(stack: Stack) -> Iterator[OwnDatabase]:
    """Makes a migrated database with an account on the stack's server."""
    stack_url = database_url(Home(stack.home))
    name = f"test_{uuid4().hex}"
    url = stack_url.rpartition("/")[0] + f"/{name}"
    asyncio.run(_execute(stack_url, f"CREATE DATABASE {name}"))
    try:
        output = subprocess.run(
            [sys.executable, "-m", "orchestrator", "setup"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        yield OwnDatabase(url, str(json.loads(output)["api_key"]), stack)
    finally:
        asyncio.run(_execute(stack_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _fetch(url: str, statement: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        return [dict(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
