"""Speech, as the rest of Lectern asks for it: a voice, then segments, then audio."""

import math
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Final

from orchestrator.documents.text.blocks import cut_speech
from orchestrator.lib.errors import BadRequest, FieldError, NotFound
from orchestrator.lib.text_input import check_text
from orchestrator.settings import SpeechSettings
from orchestrator.speech.audio.formats import AudioFormat
from orchestrator.speech.plan import Segment, plan
from orchestrator.speech.stream import stream
from orchestrator.speech.synthesizer import Synthesizer
from orchestrator.speech.threads import EncoderThreads
from orchestrator.speech.variants import Variants
from orchestrator.voices.catalog import Catalog, Voice

_OPENAI_NAMES: Final = frozenset({"tts-1", "tts-1-hd"})


class Speech:
    def __init__(
        self,
        *,
        catalog: Catalog,
        synthesizer: Synthesizer,
        variants: Variants,
        threads: EncoderThreads,
        settings: SpeechSettings,
    ) -> None:
        self._catalog = catalog
        self._synthesizer = synthesizer
        self._variants = variants
        self._threads = threads
        self._settings = settings

    async def voice(self, name: str | None, model: str | None) -> Voice:
        """The default for what is left out. Raises `BadRequest`."""
        return await self._catalog.find(
            model=None if model in _OPENAI_NAMES else model,
            voice=name or self._settings.default_voice or None,
            default_model=self._settings.default_model,
        )

    async def plan_input(self, text: str, voice: Voice, speed: float) -> list[Segment]:
        """Raises `BadRequest` or `TooLarge`."""
        check_text(text, field="input", limit=self._settings.max_input)
        pieces = await self._threads.run(
            cut_speech, text, language=voice.language, first_seconds=self._settings.first_seconds
        )
        if not pieces:
            raise BadRequest(
                "'input' has nothing that can be spoken. Send some words.", errors=[FieldError("input", "no words")]
            )
        return plan([piece.spoken for piece in pieces], voice, _finite(speed))

    def plan_texts(self, texts: Iterable[str], voice: Voice, speed: float) -> list[Segment]:
        """For blocks, which are cut already. Raises `NotFound` if nothing in them is read aloud."""
        segments = plan([text for text in texts if text], voice, _finite(speed))
        if not segments:
            raise NotFound("Nothing in this is read aloud, so there is no audio of it.")
        return segments

    def stream(self, segments: Sequence[Segment], audio_format: AudioFormat) -> AsyncGenerator[bytes, None]:
        return stream(
            segments,
            audio_format,
            synthesizer=self._synthesizer,
            variants=self._variants,
            threads=self._threads,
            ahead=self._settings.segments_ahead,
        )

    async def kept(self, segment: Segment, audio_format: AudioFormat) -> bytes | None:
        """A whole file, if the segment's audio is in the store."""
        return await self._variants.encoded(segment.key, audio_format)

    async def make(self, segment: Segment) -> float:
        """Makes the segment's audio if need be; returns its seconds once it is complete."""
        samples = 0
        rate = 1
        with self._synthesizer.listen(segment) as listening:
            async for piece in listening.pieces():
                samples += len(piece.audio)
                rate = piece.sample_rate
        return samples / rate


def _finite(speed: float) -> float:
    if not math.isfinite(speed):
        raise BadRequest("'speed' must be a number.", errors=[FieldError("speed", "not a number")])
    return speed
