"""API keys against a real database."""

import pytest

from orchestrator.accounts.authentication import KeyCache
from orchestrator.accounts.service import add_local_key, digest, ensure_local_account, new_key, requester_for
from orchestrator.accounts.tables import ApiKey
from orchestrator.lib import database
from orchestrator.lib.errors.problems import NotFound, Unauthenticated
from orchestrator.lib.ids import new_id
from tests.stack import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("connected")]


async def revoke(key: str) -> None:
    await database.run("UPDATE api_key SET revoked_at = now() WHERE digest = {}", digest(key))


async def test_the_local_account_is_made_once() -> None:
    assert await ensure_local_account() is None


async def test_another_key_belongs_to_the_same_account(stack: Stack) -> None:
    cache = KeyCache(0)
    first, other = [await cache.requester_of(key) for key in (stack.api_key, await add_local_key("test"))]
    assert (other.account, other.plan) == (first.account, first.plan)
    assert other.key != first.key


async def test_a_job_works_for_an_account_without_a_key(stack: Stack) -> None:
    asked = await KeyCache(0).requester_of(stack.api_key)
    job = await requester_for(asked.account)
    assert (job.account, job.plan, job.key, job.lane) == (asked.account, asked.plan, None, "batch")
    with pytest.raises(NotFound):
        await requester_for(new_id())


async def test_no_key_is_stored_in_the_clear(stack: Stack) -> None:
    for row in await database.run("SELECT * FROM api_key"):
        assert stack.api_key not in str(row)
    assert await ApiKey.exists().where(ApiKey.digest == digest(stack.api_key))


async def test_a_revoked_key_is_refused_once_it_is_not_cached() -> None:
    key = await add_local_key("soon revoked")
    cached, uncached = KeyCache(3600), KeyCache(0)
    requester = await cached.requester_of(key)
    await revoke(key)
    assert await cached.requester_of(key) == requester
    with pytest.raises(Unauthenticated):
        await uncached.requester_of(key)


async def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        await KeyCache(3600).requester_of(new_key())
