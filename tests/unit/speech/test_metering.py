"""Every second that a model makes is settled with one requester; what is joined or cached is told apart."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np
import pytest

from lectern.triton import Chunk
from orchestrator.guard.reports import Reports
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.cache.segment_file import CachedAudio
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from tests.unit.admission.simulation import MODEL, Encoder, live, settle
from tests.unit.speech.syntheses import ListMeter

pytestmark = pytest.mark.anyio
RATE = 100
ANN, BOB = live("ann"), live("bob")
SEGMENT = Segment(key="key", text="text", model=MODEL, voice={}, language="en", speed=1.0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class World:
    """A model that makes a second of audio whenever it is let, a store of one process, and leases."""

    def __init__(self) -> None:
        self.seconds = asyncio.Semaphore(0)
        self.length = 3
        self.stored: dict[str, CachedAudio] = {}
        self.made_elsewhere = False
        self.meter = ListMeter()
        admission = AdmissionController(AdmissionSettings(), deadline=100, slots=lambda _: 2, encoder=Encoder())
        world: Any = self
        self.synthesizer = Synthesizer(world, world, world, admission, self.meter, Reports())

    async def speak(self, *_: Any, **__: Any) -> AsyncGenerator[Chunk, None]:
        for _second in range(self.length):
            await self.seconds.acquire()
            yield Chunk(np.ones(RATE, np.int16), RATE, [])

    async def read(self, key: str, *, leased: bool = False) -> CachedAudio | None:  # noqa: ARG002
        return self.stored.get(key)

    async def write(self, key: str, audio: CachedAudio) -> None:
        self.stored[key] = audio

    @asynccontextmanager
    async def hold(self, key: str, *, on_wait: object) -> AsyncIterator[bool]:  # noqa: ARG002
        if self.made_elsewhere:
            self.stored[key] = CachedAudio(np.ones(2 * RATE, np.int16), RATE, [])
        yield self.made_elsewhere

    def make(self, seconds: int) -> None:
        for _ in range(seconds):
            self.seconds.release()

    @property
    def settled(self) -> list[tuple[str, str, float, float]]:
        names = {ANN: "ann", BOB: "bob"}
        return [(names[one.requester], one.source, one.seconds, one.made_seconds) for one in self.meter.settled]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.synthesizer.close()


async def hear(subscription: Subscription) -> None:
    async for _ in subscription.chunks():
        pass
    subscription.close()


async def test_who_has_a_segment_made_pays_and_who_joins_or_comes_later_does_not(world: World) -> None:
    made, joined = (
        world.synthesizer.listen(SEGMENT, ANN, metered=ANN),
        world.synthesizer.listen(SEGMENT, BOB, metered=BOB),
    )
    world.make(3)
    await hear(made)
    await hear(joined)
    await settle()
    await hear(world.synthesizer.listen(SEGMENT, BOB, metered=BOB))
    assert world.settled == [("ann", "made", 3.0, 3.0), ("bob", "joined", 3.0, 0.0), ("bob", "cached", 3.0, 0.0)]


async def test_what_is_heard_is_counted_at_its_tempo_and_what_is_made_as_the_model_made_it(world: World) -> None:
    fast = msgspec.structs.replace(SEGMENT, tempo=2.0, pause=0.5)
    made, joined = (
        world.synthesizer.listen(fast, ANN, metered=ANN),
        world.synthesizer.listen(SEGMENT, BOB, metered=BOB),
    )
    world.make(3)
    await hear(made)
    await hear(joined)
    await settle()
    await hear(world.synthesizer.listen(msgspec.structs.replace(SEGMENT, tempo=0.5), BOB, metered=BOB))
    assert world.settled == [("ann", "made", 2.0, 3.0), ("bob", "joined", 3.0, 0.0), ("bob", "cached", 6.0, 0.0)]


async def test_who_leaves_in_the_middle_pays_what_was_made_until_then(world: World) -> None:
    subscription = world.synthesizer.listen(SEGMENT, ANN, metered=ANN)
    world.make(2)
    chunks = subscription.chunks()
    await anext(chunks)
    await anext(chunks)
    subscription.close()
    subscription.close()
    world.make(1)
    await settle()
    assert world.settled == [("ann", "made", 2.0, 2.0)]


async def test_who_stays_when_the_first_one_leaves_pays_the_rest(world: World) -> None:
    first, second = (
        world.synthesizer.listen(SEGMENT, ANN, metered=ANN),
        world.synthesizer.listen(SEGMENT, BOB, metered=BOB),
    )
    world.make(1)
    await anext(first.chunks())
    first.close()
    world.make(2)
    await hear(second)
    assert world.settled == [("ann", "made", 1.0, 1.0), ("bob", "joined", 3.0, 2.0)]
    assert sum(one.made_seconds for one in world.meter.settled) == world.length


async def test_what_is_made_ahead_and_never_heard_is_paid_as_far_as_it_was_made(world: World) -> None:
    subscription = world.synthesizer.listen(SEGMENT, ANN, metered=ANN)
    world.make(1)
    await settle()
    subscription.close()
    assert world.settled == [("ann", "made", 1.0, 1.0)]


async def test_what_is_cached_and_never_heard_is_not_used(world: World) -> None:
    world.stored["key"] = CachedAudio(np.ones(RATE, np.int16), RATE, [])
    subscription = world.synthesizer.listen(SEGMENT, ANN, metered=ANN)
    await settle()
    subscription.close()
    assert world.settled == [("ann", "cached", 0.0, 0.0)]


async def test_who_is_only_told_where_to_hear_it_has_heard_it(world: World) -> None:
    world.make(3)
    subscription = world.synthesizer.listen(SEGMENT, ANN, metered=ANN)
    assert [stage async for stage in subscription.stages()][-1] == "cached"
    subscription.close()
    world.synthesizer.deliver(SEGMENT, BOB, 3.0)
    assert world.settled == [("ann", "made", 3.0, 3.0), ("bob", "cached", 3.0, 0.0)]


async def test_what_another_process_makes_meanwhile_is_joined(world: World) -> None:
    world.made_elsewhere = True
    await hear(world.synthesizer.listen(SEGMENT, ANN, metered=ANN))
    assert world.settled == [("ann", "joined", 2.0, 0.0)]


async def test_what_a_response_reads_twice_is_counted_once(world: World) -> None:
    world.make(3)
    await hear(world.synthesizer.listen(SEGMENT, ANN, metered=ANN))
    await settle()
    await hear(world.synthesizer.listen(SEGMENT, ANN, metered=None))
    assert world.settled == [("ann", "made", 3.0, 3.0)]
