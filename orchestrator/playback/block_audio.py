"""The audio of a document's blocks: planned for one listener, looked up in the cache, made ahead."""

from collections.abc import Mapping
from typing import Final
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

_BLOCK_AUDIO_PARAMETERS: Final = ("voice", "model", "speed", "language", "pauses", "response_format", "lane")


class PlannedBlock(msgspec.Struct, frozen=True):
    segment: Segment
    cached_url: str
    block_url: str  # makes the audio anew if it is not in the cache

    def url(self, stage: Stage) -> str:
        """Returns where the audio is after the last stage of its synthesis."""
        # The cache may have refused the audio, which must not keep the listener from hearing it.
        return self.cached_url if stage == "cached" else self.block_url


class BlockAudio:
    """The audio of one document's blocks, in one voicing."""

    def __init__(
        self,
        speech: SpeechService,
        requester: Requester,
        document: UUID,
        voicing: ResolvedVoicing,
        sound: Sound,
        query: Mapping[str, str],
    ) -> None:
        """``query`` has the parameters of the listener's request, from which voicing and sound were made."""
        self._speech = speech
        self._requester = requester
        self._document = document
        self._voicing = voicing
        self._sound = sound
        self._query = urlencode({name: query[name] for name in _BLOCK_AUDIO_PARAMETERS if name in query})

    async def plan(self, block: UUID) -> PlannedBlock:
        """Raises `NotFound` if the document was deleted meanwhile."""
        text = await documents.spoken_text(self._requester, self._document, block)
        segment = make_segment(SegmentText(text.spoken, Origin(text=text.spoken), ends=text.ends), self._voicing)
        block_url = f"/api/v1/documents/{self._document}/blocks/{block}/audio"
        return PlannedBlock(
            segment=segment,
            cached_url=AudioName(segment.key, self._sound, segment.rendition).path,
            block_url=f"{block_url}?{self._query}" if self._query else block_url,
        )

    async def cached_seconds(self, block: PlannedBlock) -> float | None:
        """Returns the duration of the cached audio, or None if it is not in the cache."""
        return await self._speech.cached_seconds(block.segment)

    async def deliver(self, block: PlannedBlock, seconds: float) -> None:
        """Counts a cached block that the listener is told of."""
        await self._speech.deliver(block.segment, self._requester, seconds)

    def make_ahead(self, block: PlannedBlock, *, admitted: bool) -> Subscription:
        """Starts the synthesis and returns at once.

        Raises `Busy`, but not if the listener is ``admitted`` already by another synthesis in progress.
        """
        return self._speech.synthesize_ahead(block.segment, self._requester, admitted=admitted)
