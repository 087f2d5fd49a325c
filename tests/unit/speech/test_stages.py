"""What becomes of a synthesis, as its listeners see it."""

import asyncio

import pytest

from orchestrator.lib.errors.problems import ModelFailed
from orchestrator.speech.synthesis.shared_synthesis import Stage, Subscription
from tests.unit.speech.syntheses import subscribe, synthesis

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def all_stages(listening: Subscription) -> list[Stage]:
    async with asyncio.timeout(60):
        return [stage async for stage in listening.stages()]


async def test_a_listener_sees_every_stage_they_wait_for() -> None:
    making = synthesis()
    seen = asyncio.create_task(all_stages(subscribe(making)))
    stages: list[Stage] = ["waiting", "making", "cached"]
    for stage in stages:
        await asyncio.sleep(0)
        making.reach(stage)
    assert await seen == ["begun", *stages]


async def test_who_comes_late_sees_the_stage_it_is_in() -> None:
    making = synthesis()
    making.reach("making")
    seen = asyncio.create_task(all_stages(subscribe(making)))
    await asyncio.sleep(0)
    making.reach("uncached")
    assert await seen == ["making", "uncached"]
    assert await all_stages(subscribe(making)) == ["uncached"]


async def test_the_last_stage_is_the_last() -> None:
    making = synthesis()
    making.reach("cached")
    making.reach("uncached")
    assert await all_stages(subscribe(making)) == ["cached"]


async def test_a_failure_reaches_who_waits_for_a_stage() -> None:
    making = synthesis()
    seen = asyncio.create_task(all_stages(subscribe(making)))
    await asyncio.sleep(0)
    making.end(ModelFailed("no voice"))
    making.reach("uncached")
    with pytest.raises(ModelFailed, match="no voice"):
        await seen


async def test_audio_that_has_ended_is_not_kept_yet() -> None:
    making = synthesis()
    making.reach("making")
    seen = asyncio.create_task(all_stages(subscribe(making)))
    making.end()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not seen.done()
    making.reach("cached")
    assert await seen == ["making", "cached"]
