"""One segment being made, and all who listen to it while it is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Final, Literal, Self

from lectern.triton import Chunk
from orchestrator.speech.admission.controller import Requester, Ticket

# What becomes of it: it is looked for, it waits in line at the model or for another process that makes it, it has its
# place at the model, and in the end its audio is in the store or is not.
Stage = Literal["begun", "waiting", "making", "kept", "unkept"]
LAST_STAGES: Final = ("kept", "unkept")


class SharedSynthesis:
    """Keeps every piece, so that a listener who comes late still hears the segment from its start.

    The pieces of one segment are at most some twenty seconds of audio, so keeping them is cheap, and a slow
    listener holds nobody back.
    """

    def __init__(self, key: str, way: Ticket, on_abandoned: Callable[["SharedSynthesis"], None]) -> None:
        self.key = key
        self.way = way
        self.made = False  # by a model, as against found in the store
        self.stop: Callable[[], object] = lambda: None  # set by the owner of the task that makes the pieces
        self._on_abandoned = on_abandoned
        self._pieces: list[Chunk] = []
        self._stage: Stage = "begun"
        self._ended = False
        self._error: BaseException | None = None
        self._news = asyncio.Event()
        self._listeners = 0

    @property
    def pieces(self) -> list[Chunk]:
        return self._pieces

    def add(self, piece: Chunk) -> None:
        """Empty pieces, by which a model says that it is still there, are of no interest to listeners."""
        if piece.audio.size or piece.marks:
            self._pieces.append(piece)
            self._tell()

    def end(self, error: BaseException | None = None) -> None:
        if not self._ended:
            self._ended, self._error = True, error
            self._tell()

    def reach(self, stage: Stage) -> None:
        """The last stage stays what it is."""
        if self._stage not in LAST_STAGES:
            self._stage = stage
            self._tell()

    @property
    def seconds(self) -> float:
        """Of the audio that has come so far."""
        return sum(len(piece.audio) / piece.sample_rate for piece in self._pieces)

    @property
    def ended(self) -> bool:
        return self._ended

    def listen(self, requester: Requester, *, joined: bool = False) -> "Subscription":
        """Counts from now on, also before the first piece is read: a segment made ahead must not be abandoned."""
        return Subscription(self, requester, joined=joined)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _read(self) -> AsyncIterator[Chunk]:
        sent = 0
        while True:
            while sent < len(self._pieces):
                sent += 1
                yield self._pieces[sent - 1]
            if self._ended:
                if self._error is not None:
                    raise self._error
                return
            await self._news.wait()

    async def _stages(self) -> AsyncIterator[Stage]:
        told: Stage | None = None
        while True:
            if self._error is not None:
                raise self._error
            if self._stage != told:
                told = self._stage
                yield told
            elif told in LAST_STAGES:
                return
            else:
                await self._news.wait()

    def _join(self) -> None:
        self._listeners += 1

    def _leave(self) -> None:
        self._listeners -= 1
        if self._listeners == 0 and not self._ended:
            self._on_abandoned(self)


class Subscription:
    """One listener's hold on a synthesis. The last to let go before its end stops it."""

    def __init__(self, synthesis: SharedSynthesis, requester: Requester, *, joined: bool) -> None:
        self._synthesis = synthesis
        self._requester = requester
        self._joined = joined
        self._open = True
        synthesis._join()  # noqa: SLF001 - the other half of one idea

    def pieces(self) -> AsyncIterator[Chunk]:
        """From the first one. Raises what made the synthesis fail."""
        if not self._synthesis.ended:
            self._synthesis.way.promote(self._requester, needed=True)  # until now it was made ahead
        return self._synthesis._read()  # noqa: SLF001

    @property
    def made(self) -> bool:
        """Whether a model has worked for this listener; who joins another's synthesis costs it nothing."""
        return self._synthesis.made and not self._joined

    def stages(self) -> AsyncIterator[Stage]:
        """From the one it is in to the last. Raises what made the synthesis fail."""
        return self._synthesis._stages()  # noqa: SLF001

    @property
    def seconds(self) -> float:
        return self._synthesis.seconds

    def leave(self) -> None:
        if self._open:
            self._open = False
            self._synthesis._leave()  # noqa: SLF001

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
