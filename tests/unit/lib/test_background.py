"""Background loops end with the process; one that ends before ends the process, and the log says why."""

import asyncio
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from orchestrator.lib.background import background_loops

pytestmark = pytest.mark.anyio
LIMIT = 60.0  # seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _fail() -> None:
    raise ValueError("a fault")


async def _end() -> None:
    pass


@pytest.mark.parametrize(("loop", "event"), [(_fail, "a background loop has failed"), (_end, "a background loop has")])
async def test_a_loop_that_ends_unasked_ends_the_process(loop: object, event: str) -> None:
    ended = asyncio.Event()
    with capture_logs() as said:
        async with asyncio.timeout(LIMIT), background_loops(ended.set) as background:
            background.run("renew", loop())  # type: ignore[operator]
            await ended.wait()
    (line,) = said
    assert line["event"].startswith(event)
    assert (line["log_level"], line["loop"]) == ("critical", "renew")


async def test_loops_are_cancelled_and_awaited_at_the_end_and_that_ends_no_process() -> None:
    cleaned = []

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("yes")

    def end() -> None:
        raise AssertionError("nothing ended unasked")

    async with background_loops(end) as background:
        background.run("wait", loop())
        await asyncio.sleep(0)
    assert cleaned == ["yes"]


async def test_work_that_ends_by_itself_ends_no_process() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    def end() -> None:
        raise AssertionError("this was to end")

    async with asyncio.timeout(LIMIT), background_loops(end) as background:
        background.run_once("load", work())
        await done.wait()
        await asyncio.sleep(0)


PROCESS = """
import asyncio
from orchestrator.lib.background import background_loops

async def fail() -> None:
    raise ValueError("the reason")

async def main() -> None:
    async with background_loops() as background:
        background.run("renew", fail())
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_process_ends_by_a_signal_with_the_reason_in_its_log() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == -15
    assert "the reason" in done.stdout + done.stderr
