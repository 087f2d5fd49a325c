"""Work that goes on for as long as a process serves, whatever one round of it brings."""

import asyncio
from collections import deque

import pytest
import structlog
from structlog.testing import capture_logs

from orchestrator.lib.periodic import run_periodically
from orchestrator.lib.store import StoreFailed

pytestmark = pytest.mark.anyio
LIMIT = 60.0  # seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_failures_are_told_by_whose_they_are_and_the_rounds_go_on() -> None:
    failures = deque([ValueError("a fault"), StoreFailed("the disk is full"), ConnectionRefusedError("no database")])
    succeeded = asyncio.Event()

    async def work() -> None:
        if failures:
            raise failures.popleft()
        succeeded.set()

    with capture_logs() as said:
        log = structlog.stdlib.get_logger("test")
        rounds = asyncio.create_task(run_periodically(work, pause=0.001, complaint="not done", log=log))
        async with asyncio.timeout(LIMIT):
            await succeeded.wait()
        rounds.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rounds
    assert [(one["event"], one["log_level"]) for one in said] == [
        ("not done", "error"),
        ("not done", "warning"),
        ("not done", "warning"),
    ]
