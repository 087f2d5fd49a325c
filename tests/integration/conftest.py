"""Tests of this folder that use the orchestrator's own code against the stack's database."""

from collections.abc import AsyncIterator

import pytest

from orchestrator.embedded.home import Home
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.lib.settings import DatabaseSettings
from tests.integration.servers import database_url
from tests.stack import Stack


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def connected(stack: Stack) -> AsyncIterator[None]:
    async with database.pool(DatabaseSettings(url=Secret(database_url(Home(stack.home))))):
        yield
