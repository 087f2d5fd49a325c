"""Fixtures of the tests of voices."""

from collections.abc import Iterator

import pytest

from orchestrator.lib.priority_threads import PriorityThreads


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def threads() -> Iterator[PriorityThreads]:
    made = PriorityThreads(1)
    yield made
    made.close()
