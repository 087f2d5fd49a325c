"""Audio that is made when a test says so, and a listener who writes down what they are told."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import cast
from uuid import UUID

from orchestrator.documents.service import BlockSummary
from orchestrator.lib.errors.problems import Busy
from orchestrator.playback.block_audio import BlockAudio, PlannedBlock
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import BlockMessage, ServerMessage
from orchestrator.playback.send_queue import SendQueue
from orchestrator.playback.session import PlaybackSession
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.synthesis.shared_synthesis import Stage, Subscription

SECONDS = 10.0  # how long each block is expected to last


def block_id(number: int) -> UUID:
    return UUID(int=number)


def summaries(count: int, unread: Iterable[int] = ()) -> list[BlockSummary]:
    return [BlockSummary(block_id(n), n, SECONDS, n not in set(unread)) for n in range(count)]


class FakeBlockAudio(BlockAudio):
    """Makes no audio. ``log`` has the syntheses that were asked for and left, in order, by the numbers of blocks."""

    def __init__(self) -> None:
        self.cached: set[int] = set()
        self.refusals: list[Exception] = []  # raised by the next calls, one each
        self.log: list[tuple[str, int]] = []
        self.syntheses: dict[int, FakeSynthesis] = {}
        self.admitted: list[bool] = []
        self.delivered: list[tuple[int, float]] = []  # cached blocks that the listener was told of
        self.queues_at_once = True
        self._asked_anew = asyncio.Event()

    async def plan(self, block: UUID) -> PlannedBlock:
        await asyncio.sleep(0)
        number = block.int
        segment = Segment(key=str(number), text="", model="", voice={}, language="", speed=1.0)
        return PlannedBlock(segment, f"/cached/{number}", f"/uncached/{number}")

    async def cached_seconds(self, block: PlannedBlock) -> float | None:
        await asyncio.sleep(0)
        return SECONDS if int(block.segment.key) in self.cached else None

    async def deliver(self, block: PlannedBlock, seconds: float) -> None:
        self.delivered.append((int(block.segment.key), seconds))

    def make_ahead(self, block: PlannedBlock, *, admitted: bool) -> Subscription:
        number = int(block.segment.key)
        self.admitted.append(admitted)
        if self.refusals:
            raise self.refusals.pop(0)
        self.log.append(("ask", number))
        self._asked_anew.set()
        self.syntheses[number] = FakeSynthesis(self, number)
        return cast("Subscription", self.syntheses[number])

    async def will_ask(self, number: int) -> None:
        """Waits until this block is asked for, from now on."""
        before = self.asked().count(number)
        async with asyncio.timeout(20):
            while self.asked().count(number) == before:
                self._asked_anew.clear()
                await self._asked_anew.wait()

    def asked(self) -> list[int]:
        return [number for what, number in self.log if what == "ask"]


class FakeSynthesis:
    """Stands for a `Subscription`; goes through the stages that a test tells it."""

    def __init__(self, audio: FakeBlockAudio, number: int) -> None:
        self._audio = audio
        self._number = number
        self._coming: asyncio.Queue[Stage | Exception] = asyncio.Queue()
        self._left = False
        self.seconds = SECONDS

    def reach(self, *stages: Stage | Exception) -> None:
        for stage in stages:
            self._coming.put_nowait(stage)

    async def stages(self) -> AsyncIterator[Stage]:
        yield "begun"
        if self._audio.queues_at_once:
            yield "waiting"
        while True:
            stage = await self._coming.get()
            if isinstance(stage, Exception):
                raise stage
            yield stage
            if stage in ("cached", "uncached"):
                return

    def close(self) -> None:
        if not self._left:
            self._left = True
            self._audio.log.append(("leave", self._number))


class Told(SendQueue):
    """Writes down what the listener is told."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[BlockMessage] = []

    def put(self, message: ServerMessage) -> None:
        assert isinstance(message, BlockMessage)
        self.messages.append(message)

    def states(self) -> list[tuple[int, str]]:
        return [(message.block.int, message.state) for message in self.messages]

    def of(self, number: int) -> list[str]:
        return [state for one, state in self.states() if one == number]


class Listener:
    """A session of ``count`` blocks of ten seconds, with one behind them that is not read aloud."""

    def __init__(self, count: int = 20, *, window: float = 30.0, max_syntheses: int = 2) -> None:
        self.audio = FakeBlockAudio()
        self.told = Told()
        playlist = Playlist(summaries(count + 1, unread=[count]))
        self.session = PlaybackSession(playlist, self.audio, self.told, window=window, max_syntheses=max_syntheses)

    async def move(self, number: int, seconds: float = 0.0) -> None:
        self.session.move(block_id(number), seconds)
        await settle()

    async def reach(self, number: int, *stages: Stage | Exception) -> None:
        self.audio.syntheses[number].reach(*stages)
        await settle()


async def settle() -> None:
    """Runs everything that waits for nothing outside the event loop."""
    for _ in range(100):
        await asyncio.sleep(0)


def busy(retry_after: int | None = 1) -> Busy:
    return Busy(retry_after=retry_after)
