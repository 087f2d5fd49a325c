"""One segment being made, and all who listen to it while it is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from lectern.triton import Piece


class Synthesis:
    """Keeps every piece, so that a listener who comes late still hears the segment from its start.

    The pieces of one segment are at most some twenty seconds of audio, so keeping them is cheap, and a slow
    listener holds nobody back.
    """

    def __init__(self, key: str, on_abandoned: Callable[["Synthesis"], None]) -> None:
        self.key = key
        self.stop: Callable[[], object] = lambda: None  # set by the owner of the task that makes the pieces
        self._on_abandoned = on_abandoned
        self._pieces: list[Piece] = []
        self._ended = False
        self._error: BaseException | None = None
        self._news = asyncio.Event()
        self._listeners = 0

    @property
    def pieces(self) -> list[Piece]:
        return self._pieces

    def add(self, piece: Piece) -> None:
        """Empty pieces, by which a model says that it is still there, are of no interest to listeners."""
        if piece.audio.size or piece.marks:
            self._pieces.append(piece)
            self._tell()

    def end(self, error: BaseException | None = None) -> None:
        if not self._ended:
            self._ended, self._error = True, error
            self._tell()

    @property
    def ended(self) -> bool:
        return self._ended

    def listen(self) -> "Listening":
        """Counts from now on, also before the first piece is read: a segment made ahead must not be abandoned."""
        return Listening(self)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _read(self) -> AsyncIterator[Piece]:
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

    def _join(self) -> None:
        self._listeners += 1

    def _leave(self) -> None:
        self._listeners -= 1
        if self._listeners == 0 and not self._ended:
            self._on_abandoned(self)


class Listening:
    """One listener's hold on a synthesis. The last to let go before its end stops it."""

    def __init__(self, synthesis: Synthesis) -> None:
        self._synthesis = synthesis
        self._open = True
        synthesis._join()  # noqa: SLF001 - the other half of one idea

    def pieces(self) -> AsyncIterator[Piece]:
        """From the first one. Raises what made the synthesis fail."""
        return self._synthesis._read()  # noqa: SLF001

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
