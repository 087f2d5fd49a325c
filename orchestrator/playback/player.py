"""Opens playbacks of documents, limits how many are open, and finds the open ones that a position update moves."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Literal
from uuid import UUID

import msgspec
import structlog

from orchestrator.accounts.requester import Requester
from orchestrator.documents import service as documents
from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy, NotFound, TooMany, bad_field
from orchestrator.playback import positions
from orchestrator.playback.block_audio import BlockAudio
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import Position
from orchestrator.playback.send_queue import SendQueue
from orchestrator.playback.session import PlaybackSession
from orchestrator.playback.settings import PlaybackSettings
from orchestrator.speech.audio_options import AudioOptions
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.service import SpeechService

Transport = Literal["socket", "events"]

log = structlog.stdlib.get_logger("lectern.playback")


class PlaybackOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``query`` has the parameters of the request, from which the audio options were made."""

    audio_options: AudioOptions
    query: Mapping[str, str]
    window: float | None = None  # seconds; None: the server's default
    begin: Position | None = None  # None: the stored position, else the first block
    name: str | None = None  # of the playback, chosen by the client


class OpenPlayback(msgspec.Struct, frozen=True, eq=False):
    """A playback whose position comes by separate requests. ``move`` takes a block and the seconds into it."""

    account: UUID
    document: UUID
    name: str | None
    move: Callable[[UUID, float], None]


class OpenPlaybacks:
    """The playbacks that are open in this process."""

    def __init__(self, settings: PlaybackSettings) -> None:
        self._settings = settings
        self._registered: set[OpenPlayback] = set()
        self._by_account: Counter[UUID] = Counter()

    @contextmanager
    def counted(self, account: UUID, transport: Transport) -> Iterator[None]:
        """Counts one playback more while the block runs. Raises `TooMany` or `Busy` if that is one too many."""
        if self._by_account[account] >= self._settings.per_account:
            raise TooMany(
                f"{self._settings.per_account} playbacks are open for this account, and no more are accepted."
                " Close one of them."
            )
        if self._by_account.total() >= self._settings.per_process:
            raise Busy("This server has as many listeners as it can take. Try again later.", retry_after=10)
        gauge = metrics.PLAYBACKS.labels(transport)
        self._by_account[account] += 1
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._by_account[account] -= 1
            if not self._by_account[account]:
                del self._by_account[account]

    @contextmanager
    def registered(self, playback: OpenPlayback) -> Iterator[None]:
        """Lets position updates reach the playback while the block runs."""
        self._registered.add(playback)
        try:
            yield
        finally:
            self._registered.discard(playback)

    def move(self, account: UUID, document: UUID, block: UUID, seconds: float, *, name: str | None = None) -> None:
        """Moves this account's registered playbacks of the document: all of them, or those with this name."""
        for playback in list(self._registered):
            if (playback.account, playback.document) == (account, document) and name in (None, playback.name):
                try:
                    playback.move(block, seconds)
                except NotFound:  # it was opened before this block was made
                    log.warning("a playback does not have this block", document=str(document), block=str(block))


class Player:
    def __init__(
        self,
        planner: Planner,
        speech: SpeechService,
        open_playbacks: OpenPlaybacks,
        settings: PlaybackSettings,
        *,
        max_syntheses: int,
    ) -> None:
        """``max_syntheses`` is how many one playback runs at a time."""
        self._planner = planner
        self._speech = speech
        self._open_playbacks = open_playbacks
        self._settings = settings
        self._max_syntheses = max_syntheses

    @asynccontextmanager
    async def opened(
        self, requester: Requester, document: UUID, options: PlaybackOptions, transport: Transport
    ) -> AsyncIterator[PlaybackSession]:
        """Opens a playback and closes it at the end, which waits for nothing: a cancelled task may not wait.

        Raises `TooMany`, `Busy`, `NotFound`, `NotReady` or `BadRequest`.
        """
        window = self._window(options.window)
        requester = requester.listening_to(document, options.audio_options.lane)
        voicing = await self._planner.resolve(options.audio_options.voicing, requester)
        with ExitStack() as stack:
            stack.enter_context(self._open_playbacks.counted(requester.account, transport))
            playlist = Playlist(await documents.block_summaries(requester, document), voicing.speed * voicing.tempo)
            begin = options.begin or await _stored_position(requester, document)
            audio = BlockAudio(self._speech, requester, document, voicing, options.audio_options.sound, options.query)
            session = PlaybackSession(playlist, audio, SendQueue(), window=window, max_syntheses=self._max_syntheses)
            stack.callback(self._speech.forget_listener, requester)
            stack.callback(session.close)
            session.begin(document, begin)
            if transport == "events":  # the position of a socket comes over the socket itself
                playback = OpenPlayback(requester.account, document, options.name, session.move)
                stack.enter_context(self._open_playbacks.registered(playback))
            yield session

    def _window(self, requested: float | None) -> float:
        if requested is None:
            return self._settings.window
        if not 0 < requested <= self._settings.max_window:
            message = f"must be more than 0 and at most {self._settings.max_window:g} seconds"
            raise bad_field("window", message, where="query")
        return requested


async def _stored_position(requester: Requester, document: UUID) -> Position | None:
    stored = await positions.stored(requester, document)
    return Position(stored.block, stored.seconds) if stored else None
