"""One synthesis in flight and the requests that share it. Each has a subscription; the last to close it stops it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

from lectern.triton import Chunk
from orchestrator.accounts.requester import Requester
from orchestrator.billing.meter import Hold, Source
from orchestrator.speech.admission.admission_controller import Ticket
from orchestrator.speech.cache.segment_file import Length
from orchestrator.speech.rendition import AS_MADE, Rendition

# begun: looked for in the cache. waiting: for a slot at the model, or for another process that synthesizes it.
# making: it has its slot. Then its audio is cached or, as the store took nothing, is not.
Stage = Literal["begun", "waiting", "making", "cached", "uncached"]
LAST_STAGES: Final = ("cached", "uncached")


class SharedSynthesis:
    """Keeps all chunks, so that a request that joins late hears the segment from its start.

    A segment is at most some twenty seconds of audio: to keep it is cheap, and a slow reader holds nobody back.
    """

    def __init__(self, key: str, ticket: Ticket, on_abandoned: Callable[["SharedSynthesis"], None]) -> None:
        self.key = key
        self.ticket = ticket
        self.made = False  # by a model, not read from the cache
        self.awaited = False  # another process made it meanwhile
        self.stop: Callable[[], object] = lambda: None  # set by the owner of the task that adds the chunks
        self.chunks: list[Chunk] = []
        self._on_abandoned = on_abandoned
        self._stage: Stage = "begun"
        self._ended = False
        self._error: BaseException | None = None
        self._changed = asyncio.Event()
        self._subscriptions: list[Subscription] = []  # the first one pays for what a model makes

    def add(self, chunk: Chunk) -> None:
        """Leaves out empty chunks, by which a model only says that it is alive."""
        if chunk.audio.size or chunk.marks:
            self.chunks.append(chunk)
            if self.made and self._subscriptions:
                self._subscriptions[0].made_seconds += len(chunk.audio) / chunk.sample_rate
            self._notify()

    def end(self, error: BaseException | None = None) -> None:
        if not self._ended:
            self._ended, self._error = True, error
            self._notify()

    def reach(self, stage: Stage) -> None:
        """The last stage stays what it is."""
        if self._stage not in LAST_STAGES:
            self._stage = stage
            self._notify()

    @property
    def length(self) -> Length | None:
        """That of the chunks so far."""
        if not self.chunks:
            return None
        return Length(sum(len(chunk.audio) for chunk in self.chunks), self.chunks[0].sample_rate)

    @property
    def ended(self) -> bool:
        return self._ended

    def subscribe(
        self, requester: Requester, hold: Hold, rendition: Rendition = AS_MADE, *, joined: bool = False
    ) -> "Subscription":
        """Counts at once, before a chunk is read: a segment that is made ahead must not be abandoned."""
        subscription = Subscription(self, requester, hold, rendition, joined=joined)
        self._subscriptions.append(subscription)
        return subscription

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _read(self) -> AsyncIterator[Chunk]:
        index = 0
        while True:
            while index < len(self.chunks):
                index += 1
                yield self.chunks[index - 1]
            if self._ended:
                if self._error is not None:
                    raise self._error
                return
            await self._changed.wait()

    async def _stages(self) -> AsyncIterator[Stage]:
        latest: Stage | None = None
        while True:
            if self._error is not None:
                raise self._error
            if self._stage != latest:
                latest = self._stage
                yield latest
            elif latest in LAST_STAGES:
                return
            else:
                await self._changed.wait()

    def _leave(self, subscription: "Subscription") -> None:
        self._subscriptions.remove(subscription)
        if not self._subscriptions and not self._ended:
            self._on_abandoned(self)


class Subscription:
    """One request's hold on a synthesis, until `close`, which settles what was used of it."""

    def __init__(
        self, synthesis: SharedSynthesis, requester: Requester, hold: Hold, rendition: Rendition, *, joined: bool
    ) -> None:
        self.made_seconds = 0.0
        """Seconds that a model made for this requester: who joined another pays nothing until that one leaves."""
        self._synthesis = synthesis
        self._requester = requester
        self._hold = hold
        self._rendition = rendition
        self._joined = joined
        self._heard = False
        self._open = True

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Yields all chunks from the first one, as the model makes them. Raises what made the synthesis fail."""
        if not self._synthesis.ended:
            self._synthesis.ticket.promote(
                self._requester, self._rendition.tempo, needed=True
            )  # until now it was made ahead
        async for chunk in self._synthesis._read():  # noqa: SLF001
            self._heard = True
            yield chunk

    async def stages(self) -> AsyncIterator[Stage]:
        """Yields the stages from the present one to the last. Raises what made the synthesis fail."""
        async for stage in self._synthesis._stages():  # noqa: SLF001
            self._heard = self._heard or stage in LAST_STAGES  # its listener is told where to hear it
            yield stage

    @property
    def seconds(self) -> float:
        """Duration of what is heard of the chunks so far."""
        made = self._synthesis.length
        return 0.0 if made is None else self._rendition.length(made).seconds

    @property
    def source(self) -> Source:
        if self._synthesis.made:
            return "joined" if self._joined else "made"
        return "joined" if self._synthesis.awaited else "cached"

    def close(self) -> None:
        if self._open:
            self._open = False
            self._synthesis._leave(self)  # noqa: SLF001 - the other half of one idea
            seconds = self.seconds if self._heard or self.made_seconds else 0.0
            self._hold.settle(self.source, seconds=seconds, made_seconds=self.made_seconds)
