"""Speech, as the rest of Lectern asks for it: a voice and a manner, then segments, then audio or the times of words."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from lectern.voicing import Skip
from orchestrator.billing.prices import Prices
from orchestrator.lib.errors import BadRequest, ModelFailed, NotFound, Problem
from orchestrator.lib.ids import new_id
from orchestrator.settings import SpeechSettings
from orchestrator.speech.audio.formats import Sound
from orchestrator.speech.captions import CaptionFormat, captions
from orchestrator.speech.events import Watched, events
from orchestrator.speech.kept.variants import Variants
from orchestrator.speech.leveling import leveled
from orchestrator.speech.making.gate import Asker, Gate, Pass
from orchestrator.speech.making.pieces import pieces_of
from orchestrator.speech.making.synthesis import Listening
from orchestrator.speech.making.synthesizer import Synthesizer
from orchestrator.speech.manner import Manner, manner
from orchestrator.speech.passage import Passage, Utterance, cut
from orchestrator.speech.plan import Segment, Words, plan
from orchestrator.speech.stream import Pieces, declared_samples, kept_seconds, stream
from orchestrator.speech.threads import EncoderThreads
from orchestrator.speech.timeline import Origin
from orchestrator.speech.usage import Tally, usage_headers
from orchestrator.speech.wordless import WORDLESS, silence
from orchestrator.voices.catalog import Catalog, Voice
from orchestrator.voices.openai_names import OPENAI_MODELS, OPENAI_VOICES
from orchestrator.voices.own.finding import OwnVoices

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
        own_voices: OwnVoices,
        synthesizer: Synthesizer,
        gate: Gate,
        variants: Variants,
        threads: EncoderThreads,
        prices: Prices,
        settings: SpeechSettings,
    ) -> None:
        self._catalog = catalog
        self._own_voices = own_voices
        self._synthesizer = synthesizer
        self._gate = gate
        self._variants = variants
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

    async def plan_utterances(self, utterances: Sequence[Utterance]) -> Passage:
        """If there is no word in any of them, a short silence stands for all."""
        cuts = await self._threads.run(cut, utterances, self._settings.first_seconds)
        segments = [segment for one, said in zip(utterances, cuts, strict=True) for segment in plan(said, one.manner)]
        characters = sum(len(one.text) for one in utterances)
        if not segments:
            return Passage([WORDLESS], [Origin(text="")], characters)
        origins = [one.origin for one, said in zip(utterances, cuts, strict=True) for _ in said]
        return Passage(segments, origins, characters)

    def plan_blocks(self, blocks: Iterable[tuple[Words, Origin]], chosen: Manner) -> Passage:
        """For blocks, which are cut already. Raises `NotFound` if none is read aloud."""
        voiced = [(words, origin) for words, origin in blocks if words.text]
        if not voiced:
            raise NotFound(_NOTHING)
        segments = plan([words for words, _ in voiced], chosen)
        return Passage(segments, [origin for _, origin in voiced], sum(len(words.text) for words, _ in voiced))

    async def stream(
        self,
        passage: Passage,
        sound: Sound,
        asker: Asker,
        *,
        loudness: float | None = None,
        skip: Skip | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Raises `Busy` before the first byte if a model has too much to do. ``loudness``: LUFS of the whole."""
        total = await declared_samples(passage.segments, sound, self._variants)
        pieces = self._pieces(passage.segments, asker, loudness, skip=skip)
        async with aclosing(stream(pieces, sound, self._threads, total_samples=total)) as audio:
            async for data in audio:
                yield data

    def events(
        self, passage: Passage, sound: Sound, asker: Asker, *, timestamps: bool, loudness: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The same as server-sent events."""
        tally = Tally(passage.characters, self._prices)
        watched = Watched(self._pieces(passage.segments, asker, loudness, tally), passage.timeline())
        audio = stream(watched.pieces(), sound, self._threads)
        return events(audio, watched, tally, timestamps=timestamps)

    def captions(
        self, passage: Passage, caption_format: CaptionFormat, asker: Asker, *, skip: Skip | None = None
    ) -> AsyncGenerator[bytes, None]:
        """When each word is heard; makes what is not kept yet."""
        pieces = self._pieces(passage.segments, asker, skip=skip)
        return captions(pieces, passage.timeline(), caption_format)

    async def make(self, segment: Segment, asker: Asker) -> float:
        """Makes the segment's audio if need be; returns its seconds once it is complete."""
        seconds = 0.0
        async with aclosing(self._pieces([segment], asker)) as pieces:
            async for _, piece in pieces:
                seconds += len(piece.audio) / piece.sample_rate
        return seconds

    async def usage_headers(self, passage: Passage) -> dict[str, str]:
        """What the passage takes, as far as that is known before the first byte."""
        seconds = await self.kept_seconds(passage.segments)
        return usage_headers(passage.segments, passage.characters, seconds, self._prices)

    async def kept_seconds(self, segments: Sequence[Segment]) -> float | None:
        """The duration of the whole, if every segment is in the store."""
        return await kept_seconds(segments, self._variants)

    def make_ahead(self, segment: Segment, asker: Asker, *, admitted: bool) -> Listening:
        """Begins to make it; returns at once. Raises `Busy`, but not if its listener is ``admitted`` already."""
        free = admitted or self._synthesizer.makes(segment)
        way = None if free else self._gate.admit(segment.model, asker, segment.estimated_seconds)
        return self._synthesizer.listen(segment, asker, way)

    def _pieces(
        self,
        segments: Sequence[Segment],
        asker: Asker,
        loudness: float | None = None,
        tally: Tally | None = None,
        skip: Skip | None = None,
    ) -> Pieces:
        if segments[0] is WORDLESS:
            return silence(tally)
        # Who reads a document by many requests comes again by themselves, and had better know at once.
        waits = asker.listener is None and self._gate.lets_wait
        if asker.listener is None and len(segments) > self._settings.segments_ahead + 1:
            # It is a while until all of this is heard.
            asker = msgspec.structs.replace(asker, listener=new_id())
        pieces = self._admitted(segments, asker, tally, skip, waits=waits)
        if loudness is None:
            return pieces
        return leveled(pieces, partial(self._heard, segments, asker, skip=skip), loudness, self._threads)

    async def _admitted(
        self, segments: Sequence[Segment], asker: Asker, tally: Tally | None, skip: Skip | None, *, waits: bool
    ) -> Pieces:
        admitted = await self._admit(segments, asker, waits=waits)
        async with aclosing(self._heard(segments, asker, tally, admitted, skip)) as pieces:
            async for place, piece in pieces:
                yield place, piece

    async def _admit(self, segments: Sequence[Segment], asker: Asker, *, waits: bool) -> Pass | None:
        """What is kept or being made is always admitted, as it costs no model any time. Raises `Busy`."""
        first = segments[0]
        if self._synthesizer.makes(first):
            return None
        model, work = first.model, first.estimated_seconds
        admitted = self._gate.admit_without_waiting(model, asker, work, in_turn=waits)
        if admitted is not None or await self._are_kept(segments[: self._settings.segments_ahead + 1]):
            return admitted
        if waits:
            return await self._gate.admit_in_turn(model, asker, work)
        return self._gate.admit(model, asker, work)

    def _heard(
        self,
        segments: Sequence[Segment],
        asker: Asker,
        tally: Tally | None = None,
        admitted: Pass | None = None,
        skip: Skip | None = None,
    ) -> Pieces:
        """``admitted``: what the gate let the first segment in with."""
        ways = iter([admitted])

        def listen(segment: Segment) -> Listening:
            return self._synthesizer.listen(segment, asker, next(ways, None))

        ahead = self._settings.segments_ahead
        return pieces_of(segments, listen, ahead=ahead, bookkeeper=tally, skips=_SKIPS[skip])

    async def _are_kept(self, segments: Sequence[Segment]) -> bool:
        for segment in segments:
            if await self._variants.length(segment.key) is None:
                return False
        return True
