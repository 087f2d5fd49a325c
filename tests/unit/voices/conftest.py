"""Fixtures of the tests of voices."""

from collections.abc import AsyncIterator, Iterator

import pytest

from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.sandbox.sandbox import Sandbox
from orchestrator.voices.custom.recording_validation import validate_upload


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def threads() -> Iterator[PriorityThreads]:
    made = PriorityThreads(1)
    yield made
    made.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(validate_upload, at_once=1) as made:
        yield made
