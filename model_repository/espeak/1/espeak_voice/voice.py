"""eSpeak NG's formant voices: no weights, about a hundred languages, hundreds of times faster than speech."""

import os
import threading
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from espeak_voice.engine_messages import Utterance
from espeak_voice.engine_pool import EnginePool, EngineRefused
from espeak_voice.languages import Languages, UnknownLanguage, VoiceFile, canonical, is_within
from espeak_voice.libespeak import Library
from espeak_voice.speaking_rate import FASTEST, SLOWEST
from espeak_voice.word_marks import WordMarks
from lectern_triton.voice_backend.trailing_silence import without_trailing_silence
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Segment, Settings

MOST_ENGINES: Final = 4

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class VoiceParameters(msgspec.Struct, forbid_unknown_fields=True):
    """The parameters of a voice in a request."""

    language: str = "en-us"  # one that the card lists
    variant: str | None = None  # another speaker, one that the card lists
    pitch: Percent = 50
    range: Percent = 50  # how far the pitch moves


class Voice:
    """Speaks segments with a pool of engines."""

    def __init__(self, settings: Settings) -> None:
        self.concurrency = _engine_count(settings.parameters.get("engines", "auto"))
        library = Library()
        self._variants = library.variants()
        self._languages = Languages(library.voices())
        self._pool = EnginePool(self.concurrency)

    def card(self) -> Mapping[str, Any]:
        return {
            "sample_rate": self._pool.sample_rate,
            "speeds": [SLOWEST, FASTEST],
            "lexicon": False,  # eSpeak NG takes its own phoneme names, and they do not cover the IPA
            "references": False,
            "places": 2 * self.concurrency,  # each engine finds its next segment waiting
            "default_voice": VoiceParameters().language,
            "variants": self._variants,
            "voices": [
                {
                    "name": name,
                    "language": canonical(voice.languages[0].tag),
                    "gender": voice.gender,
                    "description": f"eSpeak NG, {voice.name}",
                    "voice": {"language": name},
                }
                for name, voice in self._languages.by_name.items()
            ],
        }

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        return without_trailing_silence(self._speak(segment, stop), self._pool.sample_rate)

    def _speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        parameters = self._parameters(segment)
        variant = f"+{parameters.variant}" if parameters.variant else ""
        voice = f"{self._voice(parameters, segment.language).identifier}{variant}"
        marks = WordMarks(segment.text)
        held: list[Chunk] = []  # until the first word: a text without any is refused
        utterance = Utterance(segment.text, voice, segment.speed, parameters.pitch, parameters.range)
        try:
            for audio in self._pool.speak(utterance, stop):
                samples = np.frombuffer(audio.pcm, "<i2")
                held.append(Chunk(samples, tuple(marks.add(samples, audio.events))))
                if marks.has_word_event:
                    yield from held
                    held.clear()
        except EngineRefused as error:
            raise BadRequest(str(error)) from None
        if held and not stop.is_set():
            raise BadRequest("eSpeak NG makes no sound for any character of this text")
        yield Chunk(np.zeros(0, np.int16), tuple(marks.finish()))

    def close(self) -> None:
        self._pool.close()

    def _parameters(self, segment: Segment) -> VoiceParameters:
        try:
            parameters = msgspec.convert(segment.voice, VoiceParameters)
        except msgspec.ValidationError as error:
            known = ", ".join(VoiceParameters.__struct_fields__)
            raise BadRequest(f"voice: {error}; this model's parameters are {known}") from None
        if parameters.variant is not None and parameters.variant not in self._variants:
            raise BadRequest(f"unknown variant {parameters.variant!r}: the model's card lists them")
        return parameters

    def _voice(self, parameters: VoiceParameters, language: str | None) -> VoiceFile:
        """Returns the voice for the request's language, unless the voice's own is the same or only more exact."""
        wanted = parameters.language
        if language is not None and not is_within(wanted, language):
            wanted = language
        try:
            return self._languages.find(wanted)
        except UnknownLanguage:
            raise BadRequest(f"eSpeak NG does not speak {wanted!r}: the model's card lists the languages") from None


def _engine_count(wanted: str) -> int:
    if wanted == "auto":
        return min(MOST_ENGINES, os.cpu_count() or 1)
    count = int(wanted)
    if count < 1:
        raise ValueError(f"the parameter engines is {count}: it must be at least 1, or auto")
    return count
