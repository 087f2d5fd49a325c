"""Opens playbacks of documents."""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Literal
from uuid import UUID

import msgspec

from orchestrator.accounts.requester import Requester
from orchestrator.documents import service as documents
from orchestrator.lib.errors.problems import bad_field
from orchestrator.playback import positions
from orchestrator.playback.open_playbacks import Listener, OpenPlaybacks
from orchestrator.playback.outbox import Outbox
from orchestrator.playback.playback import Playback
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import Beginning
from orchestrator.playback.session import Session
from orchestrator.playback.settings import PlaybackSettings
from orchestrator.playback.sources import DocumentSource
from orchestrator.speech.audio_options import AudioOptions
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.service import SpeechService


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener asks for. ``query`` is what the audio options were made from."""

    audio_options: AudioOptions
    query: Mapping[str, str]
    window: float | None = None  # None: the server's own choice
    begin: Beginning | None = None  # None: where they were before, else at the first block
    name: str | None = None  # of the playback, chosen by the client


class Player:
    def __init__(
        self,
        planner: Planner,
        speech: SpeechService,
        listeners: OpenPlaybacks,
        settings: PlaybackSettings,
        *,
        at_once: int,
    ) -> None:
        self._planner = planner
        self._speech = speech
        self._listeners = listeners
        self._settings = settings
        self._at_once = at_once

    @asynccontextmanager
    async def opened(
        self, account: UUID, document: UUID, wish: Wish, transport: Literal["socket", "events"]
    ) -> AsyncIterator[Playback]:
        """Whatever it has asked for is let go of at the end; that waits for nothing, as who was cancelled may not.

        Raises `TooMany`, `Busy`, `NotFound`, `NotReady` or `BadRequest`.
        """
        window = self._window(wish.window)
        options = wish.audio_options
        requester = Requester(account, options.lane, listener=document)
        voicing = await self._planner.resolve(options.voicing, requester)
        with ExitStack() as stack:
            stack.enter_context(self._listeners.counted(account, transport))
            playlist = Playlist(await documents.block_summaries(account, document), voicing.speed)
            begin = wish.begin or await self._stored(account, document)
            source = DocumentSource(self._speech, requester, document, voicing, options.sound, wish.query)
            outbox = Outbox()
            session = Session(playlist, source, outbox.put, window=window, at_once=self._at_once)
            stack.callback(self._speech.forget_listener, requester)
            stack.callback(session.close)
            playback = Playback(document, playlist, session, outbox, window)
            playback.begin(begin)
            if transport == "events":  # whose listener cannot say on the same connection where they are
                listener = Listener(account, document, wish.name, playback.move)
                stack.enter_context(self._listeners.reachable(listener))
            yield playback

    def _window(self, asked: float | None) -> float:
        if asked is None:
            return self._settings.window
        if not 0 < asked <= self._settings.max_window:
            message = f"must be more than 0 and at most {self._settings.max_window:g} seconds"
            raise bad_field("window", message, where="query")
        return asked

    @staticmethod
    async def _stored(account: UUID, document: UUID) -> Beginning | None:
        position = await positions.stored(account, document)
        return Beginning(position.block, position.seconds) if position else None
