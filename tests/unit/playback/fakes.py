"""A source of audio that does as it is told, and a listener who writes down what they are told."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from orchestrator.documents.service import BlockSummary
from orchestrator.lib.errors.problems import Busy
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import BlockMessage
from orchestrator.playback.session import Session
from orchestrator.playback.sources import Audio
from orchestrator.speech.synthesis.shared_synthesis import Stage

SECONDS = 10.0  # that each block is thought to last


def block_id(number: int) -> UUID:
    return UUID(int=number)


def summaries(count: int, unread: Iterable[int] = ()) -> list[BlockSummary]:
    return [BlockSummary(block_id(n), n, SECONDS, n not in set(unread)) for n in range(count)]


class FakeSource:
    """``log`` has what was asked and left, in order, by the numbers of blocks."""

    def __init__(self) -> None:
        self.kept: set[int] = set()
        self.refusals: list[Exception] = []  # for whoever asks next
        self.log: list[tuple[str, int]] = []
        self.making: dict[int, FakeMaking] = {}
        self.admitted: list[bool] = []
        self.in_line_at_once = True
        self.news = asyncio.Event()

    async def find(self, block: UUID) -> "FakeCandidate":
        await asyncio.sleep(0)
        return FakeCandidate(self, block.int)

    async def will_ask(self, number: int) -> None:
        """Waits until this block is asked for, from now on."""
        before = self.asked().count(number)
        async with asyncio.timeout(20):
            while self.asked().count(number) == before:
                self.news.clear()
                await self.news.wait()

    def asked(self) -> list[int]:
        return [number for what, number in self.log if what == "ask"]


class FakeCandidate:
    def __init__(self, source: FakeSource, number: int) -> None:
        self._source = source
        self._number = number

    async def kept(self) -> Audio | None:
        await asyncio.sleep(0)
        return Audio(f"/kept/{self._number}", SECONDS) if self._number in self._source.kept else None

    def make(self, *, admitted: bool) -> "FakeMaking":
        self._source.admitted.append(admitted)
        if self._source.refusals:
            raise self._source.refusals.pop(0)
        self._source.log.append(("ask", self._number))
        self._source.news.set()
        self._source.making[self._number] = FakeMaking(self._source, self._number)
        return self._source.making[self._number]


class FakeMaking:
    def __init__(self, source: FakeSource, number: int) -> None:
        self._source = source
        self._number = number
        self._coming: asyncio.Queue[Stage | Exception] = asyncio.Queue()
        self._left = False
        self.seconds = SECONDS

    def reach(self, *stages: Stage | Exception) -> None:
        for stage in stages:
            self._coming.put_nowait(stage)

    async def stages(self) -> AsyncIterator[Stage]:
        yield "begun"
        if self._source.in_line_at_once:
            yield "waiting"
        while True:
            stage = await self._coming.get()
            if isinstance(stage, Exception):
                raise stage
            yield stage
            if stage in ("cached", "uncached"):
                return

    def audio(self, stage: Stage) -> Audio:
        return Audio(f"/{stage}/{self._number}", self.seconds)

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._source.log.append(("leave", self._number))


class Told:
    def __init__(self) -> None:
        self.messages: list[BlockMessage] = []

    def __call__(self, message: BlockMessage) -> None:
        self.messages.append(message)

    def states(self) -> list[tuple[int, str]]:
        return [(message.block.int, message.state) for message in self.messages]

    def of(self, number: int) -> list[str]:
        return [state for one, state in self.states() if one == number]


class Listener:
    """A session of ``count`` blocks of ten seconds, and all that stands around it."""

    def __init__(self, count: int = 20, *, window: float = 30.0, at_once: int = 2, unread: Iterable[int] = ()) -> None:
        self.source = FakeSource()
        self.told = Told()
        self.score = Playlist(summaries(count, unread))
        self.session = Session(self.score, self.source, self.told, window=window, at_once=at_once)

    async def move(self, place: int, seconds: float = 0.0) -> None:
        self.session.move(place, seconds)
        await settle()

    async def reach(self, number: int, *stages: Stage | Exception) -> None:
        self.source.making[number].reach(*stages)
        await settle()


async def settle() -> None:
    """Lets everything happen that waits for nothing outside the loop."""
    for _ in range(100):
        await asyncio.sleep(0)


def busy(retry_after: int | None = 1) -> Busy:
    return Busy(retry_after=retry_after)
