import asyncio
from collections.abc import Callable

import pytest

from orchestrator.guard.reports import ModelReport, Reports
from tests.virtual_time import BACKEND

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    return BACKEND


@pytest.fixture
async def reports() -> Reports:
    return Reports(asyncio.get_running_loop().time)


def spoke(model: str = "espeak", ago: float = 0.0) -> ModelReport:
    return ModelReport(model=model, state="speaks", spoke_seconds_ago=ago)


async def test_a_model_is_ready_for_a_while_after_it_spoke(reports: Reports) -> None:
    reports.put(spoke(ago=2))
    for seconds, ready in ((0, True), (12, True), (2, False)):
        await asyncio.sleep(seconds)
        found = reports.get("espeak")
        assert found is not None
        assert found.ready is ready, seconds


async def test_a_busy_model_stays_ready_for_longer(reports: Reports) -> None:
    reports.put(ModelReport(model="espeak", state="busy", spoke_seconds_ago=1))
    await asyncio.sleep(50)
    assert reports.all()["espeak"].ready
    await asyncio.sleep(20)
    assert not reports.all()["espeak"].ready


async def test_what_a_listener_heard_counts_as_a_probe(reports: Reports) -> None:
    reports.put(ModelReport(model="espeak", state="busy"))
    assert not reports.all()["espeak"].ready
    reports.heard("espeak")
    await asyncio.sleep(1)
    found = reports.all()["espeak"]
    assert found.ready
    assert found.spoke_seconds_ago == 1


async def test_what_is_late_is_expected_to_take_as_long_again(reports: Reports) -> None:
    reports.put(ModelReport(model="higgs", state="loading", back_in=60))
    for seconds, left in ((20, 40), (40, 0), (30, 30)):
        await asyncio.sleep(seconds)
        assert reports.back_in("higgs") == left
    assert reports.back_in("espeak") is None


@pytest.mark.parametrize(
    "tell",
    [lambda reports: reports.put(spoke()), lambda reports: reports.heard("espeak")],
    ids=["by a probe", "by a listener"],
)
async def test_who_waits_for_a_model_is_told_when_it_speaks(reports: Reports, tell: Callable[[Reports], None]) -> None:
    reports.put(spoke())
    await asyncio.sleep(1)
    since = reports.now()
    waiting = asyncio.create_task(reports.wait_urgently(lambda: reports.spoke_since("espeak", since), 60))
    await asyncio.sleep(1)
    assert reports.urgent
    assert not waiting.done()
    tell(reports)
    await waiting
    assert reports.now() == since + 1
    assert not reports.urgent


async def test_nobody_waits_for_longer_than_they_may(reports: Reports) -> None:
    await reports.wait_urgently(lambda: False, 15)
    assert reports.now() == 15
