"""A request that loses its model waits for it, if it is expected back in time; all requests go by the same rule."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import numpy as np
import pytest

from lectern import triton
from lectern.triton import Chunk
from orchestrator.guard.reports import ModelReport, Reports
from orchestrator.lib.errors.problems import ModelFailed, Unavailable
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from tests.unit.admission.simulation import MODEL, Encoder, live
from tests.unit.speech.syntheses import ListMeter
from tests.unit.speech.test_synthesizer import Nowhere
from tests.virtual_time import BACKEND

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    return BACKEND


class Stage:
    """A model that fails by `error` until it is set to None, and what the guard says of it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.reports = Reports(loop.time)
        self.error: triton.TritonError | None = triton.NotFound(model=MODEL)
        self.asked = 0
        world: Any = self
        nowhere: Any = Nowhere()
        admission = AdmissionController(
            AdmissionSettings(), deadline=100, slots=lambda _: 8, encoder=Encoder(), clock=loop.time
        )
        self.synthesizer = Synthesizer(world, nowhere, nowhere, admission, ListMeter(), self.reports)

    async def speak(self, *_: Any, **__: Any) -> AsyncGenerator[Chunk, None]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        yield Chunk(np.ones(10, np.int16), 24_000, [])

    def loading(self, back_in: float) -> None:
        self.reports.put(ModelReport(model=MODEL, state="loading", back_in=back_in))

    def speaks(self) -> None:
        self.error = None
        self.reports.put(ModelReport(model=MODEL, state="speaks", spoke_seconds_ago=0))

    async def ask(self, text: str) -> float:
        """Returns the seconds until the first sound."""
        began = asyncio.get_running_loop().time()
        segment = Segment(key=text, text=text, model=MODEL, voice={}, language="en", speed=1.0)
        ticket = self.synthesizer._admission.admit(MODEL, live(text), segment.estimated_seconds)
        listening = self.synthesizer.listen(segment, live(text), ticket, metered=None)
        try:
            await anext(listening.chunks())
        finally:
            listening.close()
        return asyncio.get_running_loop().time() - began


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.synthesizer.close()


async def test_early_and_late_requests_wait_for_a_model_that_is_back_soon(stage: Stage) -> None:
    stage.loading(back_in=9)
    early = asyncio.create_task(stage.ask("early"))
    await asyncio.sleep(7)
    late = asyncio.create_task(stage.ask("late"))
    await asyncio.sleep(2)
    stage.speaks()
    assert await early == pytest.approx(9)
    assert await late == pytest.approx(2)


async def test_nobody_waits_for_a_model_that_is_not_back_in_time(stage: Stage) -> None:
    stage.loading(back_in=60)
    began = stage.reports.now()
    for seconds, retry_after in ((0, 60), (20, 40)):
        await asyncio.sleep(seconds)
        with pytest.raises(Unavailable, match="Retry-After") as caught:
            await stage.ask(f"after {seconds}")
        assert caught.value.retry_after == retry_after
    assert stage.reports.now() - began == 20, "they were told at once"
    await asyncio.sleep(30)
    last = asyncio.create_task(stage.ask("ten seconds before the end"))
    await asyncio.sleep(8)
    stage.speaks()
    assert await last == pytest.approx(8)


async def test_who_waits_is_told_when_it_takes_longer_than_expected(stage: Stage) -> None:
    stage.reports.put(ModelReport(model=MODEL, state="speaks", spoke_seconds_ago=1))
    asking = asyncio.create_task(stage.ask("lost before the guard knows it"))
    await asyncio.sleep(3)
    assert not asking.done()
    stage.loading(back_in=90)
    with pytest.raises(Unavailable) as caught:
        await asking
    assert caught.value.retry_after == 90
    assert stage.reports.now() == 3


async def test_a_model_of_which_nobody_knows_anything_is_waited_for_a_while(stage: Stage) -> None:
    with pytest.raises(Unavailable) as caught:
        await stage.ask("where is it")
    assert caught.value.retry_after
    assert stage.reports.now() == AdmissionSettings().admission_wait


async def test_that_it_spoke_before_the_loss_says_nothing(stage: Stage) -> None:
    stage.reports.put(ModelReport(model=MODEL, state="speaks", spoke_seconds_ago=0))
    await asyncio.sleep(1)
    asking = asyncio.create_task(stage.ask("lost"))
    await asyncio.sleep(1)
    stage.reports.put(ModelReport(model=MODEL, state="speaks", spoke_seconds_ago=1.5))
    await asyncio.sleep(1)
    assert stage.asked == 1
    stage.speaks()
    assert await asking == pytest.approx(2)
    assert stage.asked == 2


async def test_a_model_that_fails_by_itself_is_asked_once_more_at_once(stage: Stage) -> None:
    stage.error = triton.ModelFailure("this voice fails", model=MODEL)
    with pytest.raises(ModelFailed):
        await stage.ask("broken")
    assert stage.asked == 2
    assert stage.reports.now() == 0
