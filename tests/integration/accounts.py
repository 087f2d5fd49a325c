"""Further accounts."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import asyncpg
import httpx

from orchestrator.accounts import service as accounts
from orchestrator.embedded.home import Home
from orchestrator.lib.ids import new_id
from tests.integration.servers import database_url
from tests.stack import Stack


@contextmanager
def other_account(stack: Stack, url: str | None = None) -> Iterator[httpx.Client]:
    """One of its own, and a client for it. The account and all that is its goes at the end."""
    account, key = new_id(), accounts.new_key()
    where = database_url(Home(stack.home))
    asyncio.run(
        _execute(
            where,
            ("INSERT INTO account (id, name, created_at) VALUES ($1, $2, now())", account, f"test {uuid4().hex}"),
            (
                "INSERT INTO api_key (id, account, name, digest, created_at) VALUES ($1, $2, 'test', $3, now())",
                new_id(), account, accounts.digest(key),
            ),
        )
    )  # fmt: skip
    headers = {"authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=url or stack.url, headers=headers, timeout=120, trust_env=False) as client:
            yield client
    finally:
        asyncio.run(_execute(where, ("DELETE FROM account WHERE id = $1", account)))


async def _execute(url: str, *statements: tuple[object, ...]) -> None:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        for statement, *values in statements:
            await connection.execute(str(statement), *values)
    finally:
        await connection.close()
