"""From a script to what its requester gets: audio, events, captions or usage. Admits it before any model works."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import msgspec

from lectern.voicing import Skip
from orchestrator.accounts.requester import Requester
from orchestrator.audio.formats import Sound
from orchestrator.billing.prices import Prices
from orchestrator.lib.errors.problems import BadRequest, ModelFailed, Problem
from orchestrator.lib.ids import new_id
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.admission.admission_controller import AdmissionController, Ticket
from orchestrator.speech.admission.listeners import ListeningPace
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.planner.script import WORDLESS, Script, Segment
from orchestrator.speech.response.audio_stream import PlayoutBuffer, audio_stream
from orchestrator.speech.response.cached_lengths import CachedLengths
from orchestrator.speech.response.captions import CaptionFormat, captions
from orchestrator.speech.response.events import TimedChunks, events
from orchestrator.speech.response.loudness import leveled
from orchestrator.speech.response.timeline import Timeline
from orchestrator.speech.response.usage import Tally, usage_headers
from orchestrator.speech.settings import SpeechSettings
from orchestrator.speech.synthesis.segment_stream import (
    SegmentChunks,
    stream_segments,
    stream_silence,
)
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from orchestrator.speech.synthesis.synthesizer import Synthesizer

_SKIPS: Final[dict[Skip | None, tuple[type[Problem], ...]]] = {
    None: (),
    "refused": (BadRequest,),
    "failed": (BadRequest, ModelFailed),
}
_LENGTH_IN_HEADER: Final = ("wav", "mp3", "flac")  # formats whose header declares the length of the whole


class SpeechService:
    """The streams raise `Busy` before their first item if a model has too much to do."""

    def __init__(
        self,
        *,
        synthesizer: Synthesizer,
        admission: AdmissionController,
        cache: AudioCache,
        threads: PriorityThreads,
        prices: Prices,
        settings: SpeechSettings,
    ) -> None:
        self._synthesizer = synthesizer
        self._admission = admission
        self._cache = cache
        self._threads = threads
        self._prices = prices
        self._settings = settings

    def audio(
        self,
        script: Script,
        sound: Sound,
        requester: Requester,
        *,
        loudness: float | None = None,
        skip: Skip | None = None,
        lengths: CachedLengths | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """``loudness``: LUFS of the whole. ``skip``: segments that are left out, see `Skip`."""
        lengths = lengths or self.lengths(script)
        buffer = PlayoutBuffer()
        chunks = self._chunks(script, requester, lengths, loudness, skip=skip, buffer=buffer)
        declarable = lengths.declarable if sound.audio_format in _LENGTH_IN_HEADER else None
        return audio_stream(chunks, sound, self._threads, buffer, declarable=declarable)

    def events(
        self,
        script: Script,
        sound: Sound,
        requester: Requester,
        *,
        timestamps: bool,
        loudness: float | None = None,
        lengths: CachedLengths | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The audio as server-sent events, with the words and the usage."""
        tally = Tally(script.characters, self._prices)
        buffer = PlayoutBuffer()
        chunks = self._chunks(script, requester, lengths or self.lengths(script), loudness, tally, buffer=buffer)
        timed = TimedChunks(chunks, Timeline(script))
        return events(audio_stream(timed.stream(), sound, self._threads, buffer), timed, tally, timestamps=timestamps)

    def captions(
        self,
        script: Script,
        caption_format: CaptionFormat,
        requester: Requester,
        *,
        skip: Skip | None = None,
        lengths: CachedLengths | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """When each word is heard."""
        chunks = self._chunks(script, requester, lengths or self.lengths(script), skip=skip, heard=False)
        return captions(chunks, Timeline(script), caption_format)

    async def synthesize(self, script: Script, requester: Requester) -> float:
        """Sees that all segments are in the cache; returns the seconds in which they are heard.

        Raises `Busy` and what makes one fail.
        """
        tally = Tally(script.characters, self._prices)
        chunks = self._chunks(script, requester, self.lengths(script), tally=tally, heard=False, as_made=True)
        async with aclosing(chunks):
            async for _ in chunks:
                pass
        return tally.seconds

    def synthesize_ahead(self, segment: Segment, requester: Requester, *, admitted: bool) -> Subscription:
        """Starts it and returns at once. Raises `Busy`, but not if its listener is ``admitted`` already."""
        free = admitted or self._synthesizer.is_in_flight(segment)
        ticket = None
        if not free:
            ticket = self._admission.admit(segment.model, requester, segment.estimated_seconds, tempo=segment.tempo)
        return self._synthesizer.listen(segment, requester, ticket, metered=requester)

    def forget_listener(self, requester: Requester) -> None:
        """The listener has left: others may have their room at once."""
        self._admission.forget_listener(requester)

    def lengths(self, script: Script) -> CachedLengths:
        """Asks the cache when it is first needed. Who hands it to several of these methods has it asked once."""
        return CachedLengths(script.segments, self._cache)

    async def deliver(self, segment: Segment, requester: Requester, seconds: float | None = None) -> None:
        """Counts cached audio that its listener gets as a whole file. ``seconds``: its duration, if known."""
        if seconds is None:
            length = await self._cache.length(segment.key)
            seconds = None if length is None else segment.rendition.length(length).seconds
        if seconds is not None:  # else it was evicted in this moment
            self._synthesizer.deliver(segment, requester, seconds)

    async def usage_headers(self, script: Script, lengths: CachedLengths) -> dict[str, str]:
        """What the script takes, as far as that is known before the first byte."""
        return usage_headers(script, await lengths.seconds(), self._prices)

    async def cached_seconds(self, segment: Segment) -> float | None:
        """How long it is heard, if it is cached."""
        length = (await self._cache.lookup([segment.key])).get(segment.key)
        return None if length is None else segment.rendition.length(length).seconds

    def _chunks(
        self,
        script: Script,
        requester: Requester,
        lengths: CachedLengths,
        loudness: float | None = None,
        tally: Tally | None = None,
        skip: Skip | None = None,
        *,
        heard: bool = True,
        as_made: bool = False,
        buffer: PlayoutBuffer | None = None,
    ) -> SegmentChunks:
        """``heard``: what is made may be listened to while it comes. ``as_made``: see `stream_segments`."""
        if script.is_wordless:
            if tally is not None:
                tally.add(WORDLESS, 0.0, 0.0)
            return stream_silence()
        segments = script.segments
        ahead = self._settings.segments_ahead
        metered = requester
        if not heard or loudness is not None:  # which is known once all of it is made
            requester = msgspec.structs.replace(requester, listener=None)
        elif requester.listener is None and len(segments) > ahead + 1:
            # It is a while until all of this is heard.
            requester = msgspec.structs.replace(requester, listener=new_id())
        response = self._admission.new_response()
        pace = ListeningPace()

        def subscribe(segment: Segment, ticket: Ticket | None, *, counted: bool = False) -> Subscription:
            ticket = ticket or self._admission.expect(
                segment.model,
                requester,
                segment.estimated_seconds,
                response,
                tempo=segment.tempo,
                unheard=pace.unheard,
            )
            return self._synthesizer.listen(segment, requester, ticket, metered=None if counted else metered)

        def on_heard(segment: Segment, subscription: Subscription) -> None:
            pace.take(subscription.seconds)
            if tally is not None:
                tally.add(segment, subscription.seconds, subscription.made_seconds)

        stream = partial(
            stream_segments,
            segments,
            threads=self._threads,
            ahead=ahead,
            as_made=as_made,
            skips=_SKIPS[skip],
        )
        slack = None if buffer is None else lambda: buffer.slack
        chunks = stream(
            subscribe,
            slack=slack if loudness is None else None,
            admit=partial(self._admit, segments, requester, lengths, response),
            on_heard=on_heard,
            on_end=self._synthesizer.flush_usage,
        )
        if loudness is None:
            return chunks if len(segments) == 1 else self._forgotten_at_end(chunks, requester)
        again = partial(stream, partial(subscribe, counted=True), slack=slack)
        return leveled(chunks, again, loudness, self._threads)

    async def _forgotten_at_end(self, chunks: SegmentChunks, requester: Requester) -> SegmentChunks:
        """Gives the room of its listener to others when the stream ends: nothing more has to be made for it."""
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        finally:
            self.forget_listener(requester)

    async def _admit(
        self, segments: Sequence[Segment], requester: Requester, lengths: CachedLengths, response: int
    ) -> Ticket | None:
        """Admits at once what is cached or in flight, as it costs no model any time. Raises `Busy`."""
        first, beginning = segments[0], segments[: self._settings.segments_ahead + 1]
        model, work, tempo = first.model, first.estimated_seconds, first.tempo
        if self._synthesizer.is_in_flight(first):
            return None
        if not self._admission.admits(model, requester, work, tempo) and await lengths.of(beginning) is not None:
            return None
        return self._admission.admit(model, requester, work, response, tempo=tempo)
