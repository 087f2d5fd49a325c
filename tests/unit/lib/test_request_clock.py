"""How long a client may take, in virtual time."""

import asyncio
from typing import Any

import pytest

from orchestrator.lib.request_clock import RequestClock
from orchestrator.lib.settings import ServerSettings
from tests.virtual_time import BACKEND

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    return BACKEND


class Ends:
    """The times at which clients ran out of time."""

    def __init__(self, **limits: float) -> None:
        loop = asyncio.get_running_loop()
        self.at: list[float] = []
        self.note = lambda: self.at.append(loop.time())
        self.clock = RequestClock(loop, ServerSettings(**limits), self.note)  # type: ignore[arg-type]


async def test_each_part_of_a_request_has_its_time() -> None:
    ends = Ends(request_seconds=20)
    ends.clock.wait_for(0, "beginning")
    await asyncio.sleep(15)
    ends.clock.wait_for(1, "head")
    await asyncio.sleep(15)
    ends.clock.wait_for(1, "head")  # another byte of it
    await asyncio.sleep(10)
    assert ends.at == [35]


async def test_a_body_may_take_as_long_as_its_rate_allows() -> None:
    ends = Ends(request_seconds=20, min_body_rate=1_000)
    ends.clock.wait_for(1, "body")
    for _ in range(100):
        await asyncio.sleep(1)
        ends.clock.body += 1_000
    assert ends.at == []
    await asyncio.sleep(100)
    assert ends.at == [120]


async def test_a_complete_request_has_no_clock() -> None:
    ends = Ends(request_seconds=20)
    ends.clock.wait_for(1, "body")
    ends.clock.stop()
    await asyncio.sleep(100)
    assert ends.at == []


async def test_a_reader_who_goes_on_reading_has_all_the_time() -> None:
    ends = Ends(stalled_seconds=300)
    for _ in range(10):
        ends.clock.wait_for_reader(ends.note)
        await asyncio.sleep(299)
        ends.clock.reader_is_back()
        await asyncio.sleep(299)
    assert ends.at == []
    ends.clock.wait_for_reader(ends.note)
    begun = asyncio.get_running_loop().time()
    await asyncio.sleep(1_000)
    assert ends.at == [begun + 300]
