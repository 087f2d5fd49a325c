"""Speech, as the rest of Lectern asks for it: a voice and a manner, then segments, then audio or the times of words."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from lectern.voicing import Skip
from orchestrator.audio.formats import Sound
from orchestrator.billing.prices import Prices
from orchestrator.lib.errors.problems import BadRequest, ModelFailed, NotFound, Problem
from orchestrator.lib.ids import new_id
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.admission.controller import AdmissionController, Requester, Ticket
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.planner.script import Script, Utterance, cut
from orchestrator.speech.planner.segments import Segment, Words, plan
from orchestrator.speech.planner.timeline import Origin
from orchestrator.speech.planner.voicing import Manner, manner
from orchestrator.speech.respond.audio_stream import Pieces, declared_samples, kept_seconds, stream
from orchestrator.speech.respond.captions import CaptionFormat, captions
from orchestrator.speech.respond.events import Watched, events
from orchestrator.speech.respond.loudness import leveled
from orchestrator.speech.respond.usage import Tally, usage_headers
from orchestrator.speech.settings import SpeechSettings
from orchestrator.speech.synthesis.segment_stream import stream_segments
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from orchestrator.speech.synthesis.silence import WORDLESS, silence
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from orchestrator.voices.catalog import Catalog, Voice
from orchestrator.voices.custom.lookup import CustomVoiceLookup
from orchestrator.voices.openai_names import OPENAI_MODELS, OPENAI_VOICES

_SKIPS: Final[dict[Skip | None, tuple[type[Problem], ...]]] = {
    None: (),
    "refused": (BadRequest,),
    "failed": (BadRequest, ModelFailed),
}
_NOTHING: Final = "Nothing in this is read aloud, so there is no audio of it."


class Speech:
    def __init__(
        self,
        *,
        catalog: Catalog,
        custom_voices: CustomVoiceLookup,
        synthesizer: Synthesizer,
        gate: AdmissionController,
        audio_cache: AudioCache,
        threads: PriorityThreads,
        prices: Prices,
        settings: SpeechSettings,
    ) -> None:
        self._catalog = catalog
        self._own_voices = custom_voices
        self._synthesizer = synthesizer
        self._admission = gate
        self._cache = audio_cache
        self._threads = threads
        self._prices = prices
        self._settings = settings

    @property
    def limits(self) -> SpeechSettings:
        return self._settings

    async def manner(
        self,
        account: UUID,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float = 1.0,
        language: str | None = None,
        lexicon: Mapping[str, str] | None = None,
        normalization: Mapping[str, bool] | None = None,
        seed: int | None = None,
        instructions: str | None = None,
        markup: bool = False,
    ) -> Manner:
        """The default for what is left out. Raises `BadRequest`, `TooLarge`, `NotFound` or `Unavailable`."""
        return manner(
            await self._voice(account, voice, None if model in OPENAI_MODELS else model or None),
            self._settings,
            speed=speed,
            language=language,
            lexicon=lexicon,
            normalization=normalization,
            seed=seed,
            instructions=instructions,
            markup=markup,
        )

    async def _voice(self, account: UUID, voice: str | None, model: str | None) -> Voice:
        default_model, default_voice = self._settings.default_model, self._settings.default_voice
        if voice and not (model is None and voice in OPENAI_VOICES):
            own = await self._own_voices.find(account, voice, model=model)
            if own is not None:
                return own
        if voice and voice.lower() in OPENAI_VOICES:
            voice = await self._catalog.namesake(voice.lower(), model or default_model)
        if not voice and default_voice and (model is None or await self._catalog.has(model, default_voice)):
            voice = default_voice
        return await self._catalog.find(model=model, voice=voice or None, default_model=default_model)

    async def plan_utterances(self, utterances: Sequence[Utterance]) -> Script:
        """If there is no word in any of them, a short silence stands for all."""
        cuts = await self._threads.run(cut, utterances, self._settings.first_seconds)
        segments = [segment for one, said in zip(utterances, cuts, strict=True) for segment in plan(said, one.manner)]
        characters = sum(len(one.text) for one in utterances)
        if not segments:
            return Script([WORDLESS], [Origin(text="")], characters)
        origins = [one.origin for one, said in zip(utterances, cuts, strict=True) for _ in said]
        return Script(segments, origins, characters)

    def plan_blocks(self, blocks: Iterable[tuple[Words, Origin]], chosen: Manner) -> Script:
        """For blocks, which are cut already. Raises `NotFound` if none is read aloud."""
        voiced = [(words, origin) for words, origin in blocks if words.text]
        if not voiced:
            raise NotFound(_NOTHING)
        segments = plan([words for words, _ in voiced], chosen)
        return Script(segments, [origin for _, origin in voiced], sum(len(words.text) for words, _ in voiced))

    async def stream(
        self,
        script: Script,
        sound: Sound,
        requester: Requester,
        *,
        loudness: float | None = None,
        skip: Skip | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Raises `Busy` before the first byte if a model has too much to do. ``loudness``: LUFS of the whole."""
        total = await declared_samples(script.segments, sound, self._cache)
        pieces = self._pieces(script.segments, requester, loudness, skip=skip)
        async with aclosing(stream(pieces, sound, self._threads, total_samples=total)) as audio:
            async for data in audio:
                yield data

    def events(
        self, script: Script, sound: Sound, requester: Requester, *, timestamps: bool, loudness: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The same as server-sent events."""
        tally = Tally(script.characters, self._prices)
        watched = Watched(self._pieces(script.segments, requester, loudness, tally), script.timeline())
        audio = stream(watched.pieces(), sound, self._threads)
        return events(audio, watched, tally, timestamps=timestamps)

    def captions(
        self, script: Script, caption_format: CaptionFormat, requester: Requester, *, skip: Skip | None = None
    ) -> AsyncGenerator[bytes, None]:
        """When each word is heard; makes what is not kept yet."""
        pieces = self._pieces(script.segments, requester, skip=skip)
        return captions(pieces, script.timeline(), caption_format)

    async def make(self, segment: Segment, requester: Requester) -> float:
        """Makes the segment's audio if need be; returns its seconds once it is complete."""
        seconds = 0.0
        async with aclosing(self._pieces([segment], requester)) as pieces:
            async for _, piece in pieces:
                seconds += len(piece.audio) / piece.sample_rate
        return seconds

    async def usage_headers(self, script: Script) -> dict[str, str]:
        """What the script takes, as far as that is known before the first byte."""
        seconds = await self.kept_seconds(script.segments)
        return usage_headers(script.segments, script.characters, seconds, self._prices)

    async def kept_seconds(self, segments: Sequence[Segment]) -> float | None:
        """The duration of the whole, if every segment is in the store."""
        return await kept_seconds(segments, self._cache)

    def make_ahead(self, segment: Segment, requester: Requester, *, admitted: bool) -> Subscription:
        """Begins to make it; returns at once. Raises `Busy`, but not if its listener is ``admitted`` already."""
        free = admitted or self._synthesizer.makes(segment)
        way = None if free else self._admission.admit(segment.model, requester, segment.estimated_seconds)
        return self._synthesizer.listen(segment, requester, way)

    def _pieces(
        self,
        segments: Sequence[Segment],
        requester: Requester,
        loudness: float | None = None,
        tally: Tally | None = None,
        skip: Skip | None = None,
    ) -> Pieces:
        if segments[0] is WORDLESS:
            return silence(tally)
        # Who reads a document by many requests comes again by themselves, and had better know at once.
        waits = requester.listener is None and self._admission.lets_wait
        if requester.listener is None and len(segments) > self._settings.segments_ahead + 1:
            # It is a while until all of this is heard.
            requester = msgspec.structs.replace(requester, listener=new_id())
        pieces = self._admitted(segments, requester, tally, skip, waits=waits)
        if loudness is None:
            return pieces
        return leveled(pieces, partial(self._heard, segments, requester, skip=skip), loudness, self._threads)

    async def _admitted(
        self, segments: Sequence[Segment], requester: Requester, tally: Tally | None, skip: Skip | None, *, waits: bool
    ) -> Pieces:
        admitted = await self._admit(segments, requester, waits=waits)
        async with aclosing(self._heard(segments, requester, tally, admitted, skip)) as pieces:
            async for place, piece in pieces:
                yield place, piece

    async def _admit(self, segments: Sequence[Segment], requester: Requester, *, waits: bool) -> Ticket | None:
        """What is kept or being made is always admitted, as it costs no model any time. Raises `Busy`."""
        first = segments[0]
        if self._synthesizer.makes(first):
            return None
        model, work = first.model, first.estimated_seconds
        admitted = self._admission.admit_without_waiting(model, requester, work, in_turn=waits)
        if admitted is not None or await self._are_kept(segments[: self._settings.segments_ahead + 1]):
            return admitted
        if waits:
            return await self._admission.admit_in_turn(model, requester, work)
        return self._admission.admit(model, requester, work)

    def _heard(
        self,
        segments: Sequence[Segment],
        requester: Requester,
        tally: Tally | None = None,
        admitted: Ticket | None = None,
        skip: Skip | None = None,
    ) -> Pieces:
        """``admitted``: what the gate let the first segment in with."""
        ways = iter([admitted])

        def listen(segment: Segment) -> Subscription:
            return self._synthesizer.listen(segment, requester, next(ways, None))

        ahead = self._settings.segments_ahead
        return stream_segments(segments, listen, ahead=ahead, bookkeeper=tally, skips=_SKIPS[skip])

    async def _are_kept(self, segments: Sequence[Segment]) -> bool:
        for segment in segments:
            if await self._cache.length(segment.key) is None:
                return False
        return True
