"""Where the audio of blocks comes from, as far as a session has to know."""

from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from orchestrator.accounts.requester import Requester
from orchestrator.audio.formats import Sound
from orchestrator.documents import service as documents
from orchestrator.speech.cache.names import AudioName
from orchestrator.speech.planner.script import Origin, Segment, SegmentText, make_segment
from orchestrator.speech.planner.voicing import ResolvedVoicing
from orchestrator.speech.service import SpeechService
from orchestrator.speech.synthesis.shared_synthesis import Stage, Subscription

_OF_BLOCK_AUDIO: Final = ("voice", "model", "speed", "language", "response_format", "lane")


class Audio(msgspec.Struct, frozen=True):
    url: str
    seconds: float


class Making(Protocol):
    """A block's audio on its way."""

    def stages(self) -> AsyncIterator[Stage]:
        """Raises what made it fail."""

    def audio(self, stage: Stage) -> Audio:
        """After the last stage."""

    def leave(self) -> None: ...


class Candidate(Protocol):
    """A block that is wanted."""

    async def kept(self) -> Audio | None: ...

    def make(self, *, admitted: bool) -> Making:
        """Returns at once. Raises `Busy`, but not if something is being made for the same listener already."""


class Source(Protocol):
    async def find(self, block: UUID) -> Candidate: ...


class DocumentSource:
    """The blocks of one document, in one voicing."""

    def __init__(
        self,
        speech: SpeechService,
        requester: Requester,
        document: UUID,
        voicing: ResolvedVoicing,
        sound: Sound,
        query: Mapping[str, str],
    ) -> None:
        """``query`` is what the listener asked for, from which voicing and sound were made."""
        self._speech = speech
        self._requester = requester
        self._document = document
        self._voicing = voicing
        self._sound = sound
        self._query = urlencode({name: query[name] for name in _OF_BLOCK_AUDIO if name in query})

    async def find(self, block: UUID) -> Candidate:
        """Raises `NotFound` if the document was deleted meanwhile."""
        spoken = await documents.spoken_text(self._requester.account, self._document, block)
        segment = make_segment(SegmentText(spoken, Origin(text=spoken)), self._voicing)
        own = f"/api/v1/documents/{self._document}/blocks/{block}/audio" + (f"?{self._query}" if self._query else "")
        return _Candidate(self._speech, segment, self._requester, AudioName(segment.key, self._sound).path, own)


class _Candidate(msgspec.Struct, frozen=True):
    speech: SpeechService
    segment: Segment
    requester: Requester
    cached_url: str
    own_url: str  # of the block, which makes its audio anew if it is not kept

    async def kept(self) -> Audio | None:
        seconds = await self.speech.cached_seconds([self.segment])
        return None if seconds is None else Audio(self.cached_url, seconds)

    def make(self, *, admitted: bool) -> Making:
        return _Making(self, self.speech.synthesize_ahead(self.segment, self.requester, admitted=admitted))


class _Making(msgspec.Struct, frozen=True):
    candidate: _Candidate
    ahead: Subscription

    def stages(self) -> AsyncIterator[Stage]:
        return self.ahead.stages()

    def audio(self, stage: Stage) -> Audio:
        # A store that takes nothing must not take the voice away.
        url = self.candidate.cached_url if stage == "cached" else self.candidate.own_url
        return Audio(url, self.ahead.seconds)

    def leave(self) -> None:
        self.ahead.close()
