"""How long a busy model is asked again, and what comes to it first."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, closing
from typing import Any

import numpy as np
import pytest

from lectern import triton
from lectern.triton import Chunk
from orchestrator.accounts.requester import Requester
from orchestrator.guard.reports import Reports
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.admission_controller import AdmissionController, Ticket
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis import synthesizer as module
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from tests.unit.admission.simulation import MODEL, Encoder, batch, live, settle
from tests.unit.speech.syntheses import ListMeter

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


class Speaking:
    def __init__(self, slots: int) -> None:
        self.triton = Triton()
        self.meter = ListMeter()
        self.controller = AdmissionController(
            AdmissionSettings(), deadline=100, slots=lambda _: slots, encoder=Encoder()
        )
        nowhere: Any = Nowhere()
        model: Any = self.triton
        self.synthesizer = Synthesizer(model, nowhere, nowhere, self.controller, self.meter, Reports())

    def listen(
        self, segment: Segment, requester: Requester, ticket: Ticket | None = None
    ) -> AbstractContextManager[Subscription]:
        return closing(self.synthesizer.listen(segment, requester, ticket, metered=requester))


@pytest.fixture
async def speaking(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Speaking]:
    monkeypatch.setattr(module, "_BUSY_PAUSES", (0.0, 0.0))
    speaking = Speaking(slots=1)
    yield speaking
    await speaking.synthesizer.close()


async def first_of(listening: Subscription) -> Chunk:
    return await anext(listening.chunks())


def segment(text: str) -> Segment:
    return Segment(key=text, text=text, model=MODEL, voice={}, language="en", speed=1.0)


async def test_a_busy_model_is_asked_again_for_as_long_as_was_promised(speaking: Speaking) -> None:
    speaking.triton.refusals = 3
    speaking.triton.allowed.release()
    one = segment("one")
    ticket = speaking.controller.admit(MODEL, live(), one.estimated_seconds)
    with speaking.listen(one, live(), ticket) as listening:
        assert (await anext(listening.chunks())).audio.size
    assert len(speaking.triton.asked) == 4


async def test_after_that_it_is_said_to_whoever_has_heard_nothing(speaking: Speaking) -> None:
    speaking.triton.refusals = 1_000
    one = segment("one")
    ticket = speaking.controller.admit(MODEL, live(), one.estimated_seconds)
    with speaking.listen(one, live(), ticket) as listening:
        coming = asyncio.create_task(first_of(listening))
        await settle()
        ticket.segment.until = 0
        with pytest.raises(Busy) as caught:
            await coming
    assert caught.value.retry_after


async def test_a_response_that_has_begun_asks_a_busy_model_again(speaking: Speaking) -> None:
    speaking.triton.refusals = 3
    speaking.triton.allowed.release()
    with speaking.listen(segment("two"), live()) as listening:
        assert (await anext(listening.chunks())).audio.size
    assert len(speaking.triton.asked) == 4


async def test_a_segment_that_a_listener_comes_to_goes_before_what_others_ask_for(speaking: Speaking) -> None:
    with (
        speaking.listen(segment("busy"), live("zoe")),
        speaking.listen(segment("others"), live("bob")),
        speaking.listen(segment("mine"), live("ann", "one")) as mine,
    ):
        coming = asyncio.create_task(first_of(mine))
        await settle()
        for _ in range(3):
            speaking.triton.allowed.release()
        await coming
    assert [text for text, _ in speaking.triton.asked][:2] == ["busy", "mine"]


async def test_a_live_listener_takes_a_batch_segment_into_the_live_lane(speaking: Speaking) -> None:
    busy, wanted = segment("busy"), segment("wanted")
    with (
        speaking.listen(busy, batch()),
        speaking.listen(wanted, batch()),
        speaking.listen(wanted, live("bob")) as listening,
    ):
        speaking.triton.allowed.release()
        speaking.triton.allowed.release()
        await anext(listening.chunks())
    assert ("wanted", "live") in speaking.triton.asked


async def test_who_leaves_while_the_segment_waits_leaves_nothing_behind(speaking: Speaking) -> None:
    with speaking.listen(segment("busy"), live()):
        await settle()
        one = segment("one")
        with speaking.listen(one, live(), speaking.controller.expect(MODEL, live(), one.estimated_seconds)):
            await settle()
        never = segment("never")
        speaking.synthesizer.listen(never, live(), metered=None).close()  # before its task has taken a step
        await settle()
        queue = speaking.controller._model_queue(MODEL)
        assert queue.demand("live") == []
    assert [text for text, _ in speaking.triton.asked] == ["busy"]
