"""How segments are made through the gate: first ones at once or not at all, later ones with patience."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from lectern import triton
from lectern.triton import Chunk
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.controller import AdmissionController
from orchestrator.speech.planner.segments import Segment
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis import synthesizer as module
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from tests.unit.admission.simulation import MODEL, Encoder, batch, live, settle

pytestmark = pytest.mark.anyio


class Triton:
    """Refuses as often as it is told to, and speaks only what it has been allowed to."""

    def __init__(self) -> None:
        self.refusals = 0
        self.asked: list[tuple[str, str]] = []
        self.allowed = asyncio.Semaphore(0)

    async def speak(
        self, model: str, text: str, *, lane: str, deadline: float, **_: Any
    ) -> AsyncGenerator[Chunk, None]:
        assert 0 < deadline <= 100
        self.asked.append((text, lane))
        if self.refusals:
            self.refusals -= 1
            raise triton.Busy(model=model)
        await self.allowed.acquire()
        yield Chunk(np.ones(10, np.int16), 24_000, [])


class Nowhere:
    """A store that is empty, and leases that are free."""

    async def read(self, _: str, *, leased: bool = False) -> None:  # noqa: ARG002
        return None

    async def write(self, *_: Any) -> None:
        pass

    @asynccontextmanager
    async def hold(self, _: str, *, on_wait: object) -> AsyncIterator[bool]:  # noqa: ARG002
        yield False


class Making:
    def __init__(self, slots: int) -> None:
        self.triton = Triton()
        self.gate = AdmissionController(AdmissionSettings(), deadline=100, slots=lambda _: slots, encoder=Encoder())
        nowhere: Any = Nowhere()
        speaking: Any = self.triton
        self.synthesizer = Synthesizer(speaking, nowhere, nowhere, self.gate, on_audio=lambda _: None)


@pytest.fixture
async def making(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Making]:
    monkeypatch.setattr(module, "_BUSY_PAUSES", (0.0,))
    making = Making(slots=1)
    yield making
    await making.synthesizer.close()


async def first_of(listening: Subscription) -> Chunk:
    return await anext(listening.pieces())


def segment(text: str) -> Segment:
    return Segment(key=text, text=text, model=MODEL, voice={}, language="en", speed=1.0)


async def test_a_busy_model_is_said_at_once_to_whoever_has_heard_nothing(making: Making) -> None:
    making.triton.refusals = 1
    one = segment("one")
    way = making.gate.admit(MODEL, live(), one.estimated_seconds)
    with making.synthesizer.listen(one, live(), way) as listening, pytest.raises(Busy) as caught:
        await anext(listening.pieces())
    assert caught.value.retry_after
    assert len(making.triton.asked) == 1


async def test_a_response_that_has_begun_asks_a_busy_model_again(making: Making) -> None:
    making.triton.refusals = 3
    making.triton.allowed.release()
    with making.synthesizer.listen(segment("two"), live()) as listening:
        assert (await anext(listening.pieces())).audio.size
    assert len(making.triton.asked) == 4


async def test_a_segment_that_a_listener_comes_to_goes_before_others_made_ahead(making: Making) -> None:
    with (
        making.synthesizer.listen(segment("busy"), live("zoe")),
        making.synthesizer.listen(segment("others"), live("bob")),
        making.synthesizer.listen(segment("mine"), live("ann")) as mine,
    ):
        coming = asyncio.create_task(first_of(mine))
        await settle()
        for _ in range(3):
            making.triton.allowed.release()
        await coming
    assert [text for text, _ in making.triton.asked][:2] == ["busy", "mine"]


async def test_a_live_listener_takes_a_batch_segment_into_the_live_lane(making: Making) -> None:
    busy, wanted = segment("busy"), segment("wanted")
    with (
        making.synthesizer.listen(busy, batch()),
        making.synthesizer.listen(wanted, batch()),
        making.synthesizer.listen(wanted, live("bob")) as listening,
    ):
        making.triton.allowed.release()
        making.triton.allowed.release()
        await anext(listening.pieces())
    assert ("wanted", "live") in making.triton.asked


async def test_who_leaves_while_the_segment_waits_leaves_nothing_behind(making: Making) -> None:
    with making.synthesizer.listen(segment("busy"), live()):
        await settle()
        one = segment("one")
        with making.synthesizer.listen(one, live(), making.gate.expect(MODEL, live(), one.estimated_seconds)):
            await settle()
        never = segment("never")
        making.synthesizer.listen(never, live()).leave()  # before its task has taken a step
        await settle()
        line = making.gate._line(MODEL)
        assert line.demand("live") == []
    assert [text for text, _ in making.triton.asked] == ["busy"]
