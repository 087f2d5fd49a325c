"""One open playback: what its listener is told, and the ways to say where they are."""

from uuid import UUID

from orchestrator.playback.outbox import Outbox
from orchestrator.playback.schemas import Beginning, BlocksMessage, PlaybackMessage
from orchestrator.playback.score import Score
from orchestrator.playback.session import Session


class Playback:
    def __init__(self, document: UUID, score: Score, session: Session, outbox: Outbox, window: float) -> None:
        self._document = document
        self._score = score
        self._session = session
        self._window = window
        self.outbox = outbox

    def begin(self, beginning: Beginning | None) -> None:
        """At the first block, if not elsewhere. Raises `NotFound`."""
        place, seconds = self._score.locate(beginning.block, beginning.seconds) if beginning else (0, 0.0)
        begin = Beginning(self._score.blocks[place].id, seconds) if place < len(self._score) else None
        first, *others = self._score.parts()
        self.outbox.put(PlaybackMessage(self._document, self._window, begin, len(self._score), first))
        for part in others:
            self.outbox.put(BlocksMessage(part))
        self._session.move(place, seconds)

    def move(self, block: UUID, seconds: float) -> None:
        """Raises `NotFound`."""
        self._session.move(*self._score.locate(block, seconds))

    def retry(self, block: UUID) -> None:
        """Raises `NotFound`."""
        self._session.retry(self._score.place(block))

    def stop(self) -> None:
        self._session.stop()
