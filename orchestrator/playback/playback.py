"""One open playback: what its listener is told, and the ways to say where they are."""

from uuid import UUID

from orchestrator.playback.outbox import Outbox
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import Beginning, BlocksMessage, PlaybackMessage
from orchestrator.playback.session import Session


class Playback:
    def __init__(self, document: UUID, playlist: Playlist, session: Session, outbox: Outbox, window: float) -> None:
        self._document = document
        self._playlist = playlist
        self._session = session
        self._window = window
        self.outbox = outbox

    def begin(self, beginning: Beginning | None) -> None:
        """At the first block, if not elsewhere. Raises `NotFound`."""
        place, seconds = self._playlist.locate(beginning.block, beginning.seconds) if beginning else (0, 0.0)
        begin = Beginning(self._playlist.blocks[place].id, seconds) if place < len(self._playlist) else None
        first, *others = self._playlist.parts()
        self.outbox.put(PlaybackMessage(self._document, self._window, begin, len(self._playlist), first))
        for part in others:
            self.outbox.put(BlocksMessage(part))
        self._session.move(place, seconds)

    def move(self, block: UUID, seconds: float) -> None:
        """Raises `NotFound`."""
        self._session.move(*self._playlist.locate(block, seconds))

    def retry(self, block: UUID) -> None:
        """Raises `NotFound`."""
        self._session.retry(self._playlist.place(block))

    def stop(self) -> None:
        self._session.stop()
