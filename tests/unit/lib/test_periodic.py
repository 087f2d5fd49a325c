"""Periodic work goes on after a run that fails."""

import asyncio
from collections import deque

import pytest
import structlog
from structlog.testing import capture_logs

from orchestrator.lib.object_store import StoreFailed
from orchestrator.lib.periodic import run_periodically

pytestmark = pytest.mark.anyio
LIMIT = 60.0  # seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_failed_run_is_logged_by_its_cause_and_the_next_follows() -> None:
    failures = deque([ValueError("a fault"), StoreFailed("the disk is full"), ConnectionRefusedError("no database")])
    succeeded = asyncio.Event()

    async def work() -> None:
        if failures:
            raise failures.popleft()
        succeeded.set()

    with capture_logs() as said:
        log = structlog.stdlib.get_logger("test")
        task = asyncio.create_task(run_periodically(work, pause=0.001, complaint="not done", log=log))
        async with asyncio.timeout(LIMIT):
            await succeeded.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(one["event"], one["log_level"]) for one in said] == [
        ("not done", "error"),
        ("not done", "warning"),
        ("not done", "warning"),
    ]
