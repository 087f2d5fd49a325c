"""API keys against a real database."""

import pytest

from orchestrator.accounts import keys
from orchestrator.accounts.key_memory import KeyMemory
from orchestrator.accounts.service import add_local_key, ensure_local_account
from orchestrator.accounts.tables import ApiKey
from orchestrator.lib import database
from orchestrator.lib.errors.problems import Unauthenticated
from tests.stack import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("connected")]


async def revoke(key: str) -> None:
    await database.run("UPDATE api_key SET revoked_at = now() WHERE digest = {}", keys.digest(key))


async def test_the_local_account_is_made_once() -> None:
    assert await ensure_local_account() is None


async def test_a_further_key_belongs_to_the_same_account(stack: Stack) -> None:
    memory = KeyMemory(0)
    assert await memory.account_of(await add_local_key("test")) == await memory.account_of(stack.api_key)


async def test_no_key_is_kept_in_the_clear(stack: Stack) -> None:
    for row in await database.run("SELECT * FROM api_key"):
        assert stack.api_key not in str(row)
    assert await ApiKey.exists().where(ApiKey.digest == keys.digest(stack.api_key))


async def test_a_revoked_key_is_refused_once_it_is_forgotten() -> None:
    key = await add_local_key("soon revoked")
    trusting, strict = KeyMemory(3600), KeyMemory(0)
    account = await trusting.account_of(key)
    await revoke(key)
    assert await trusting.account_of(key) == account
    with pytest.raises(Unauthenticated):
        await strict.account_of(key)


async def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        await KeyMemory(3600).account_of(keys.new_key())
