"""eSpeak NG's formant voices: no weights, about a hundred languages, hundreds of times faster than speech."""

import os
import threading
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from espeak_voice.languages import Languages, UnknownLanguage, VoiceFile, canonical, is_within
from espeak_voice.library import Library
from espeak_voice.marks import MarkMaker
from espeak_voice.messages import Utterance
from espeak_voice.pool import EnginePool, EngineRefused
from lectern_triton.voice_backend.protocol import BadRequest, Chunk, Segment, Settings

MOST_ENGINES: Final = 4

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """The parameters of this model's voices."""

    language: str = "en-us"  # one that the card lists
    variant: str | None = None  # another speaker, one that the card lists
    pitch: Percent = 50
    range: Percent = 50  # how far the pitch moves


class Voice:
    """A pool of engines, and the card of what they can speak."""

    def __init__(self, settings: Settings) -> None:
        self.concurrency = _engine_count(settings.parameters.get("engines", "auto"))
        library = Library()
        self._variants = library.variants()
        self._languages = Languages(library.voices())
        self._pool = EnginePool(self.concurrency)

    def card(self) -> Mapping[str, Any]:
        return {
            "sample_rate": self._pool.sample_rate,
            "speed": True,
            "lexicon": False,  # eSpeak NG takes its own phoneme names, and they do not cover the IPA
            "references": False,
            "places": 2 * self.concurrency,  # each engine finds its next segment waiting
            "default_voice": Choice().language,
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
        choice = self._choice(segment)
        variant = f"+{choice.variant}" if choice.variant else ""
        voice = f"{self._voice(choice, segment.language).identifier}{variant}"
        marks = MarkMaker(segment.text)
        held: list[Chunk] = []  # silence, until something is heard
        utterance = Utterance(segment.text, voice, segment.speed, choice.pitch, choice.range)
        try:
            for audio in self._pool.speak(utterance, stop):
                samples = np.frombuffer(audio.pcm, "<i2")
                held.append(Chunk(samples, tuple(marks.hear(samples, audio.events))))
                if marks.heard_a_word:
                    yield from held
                    held.clear()
        except EngineRefused as error:
            raise BadRequest(str(error)) from None
        if held and not stop.is_set():
            raise BadRequest("eSpeak NG makes no sound for any character of this text")
        yield Chunk(np.zeros(0, np.int16), tuple(marks.finish()))

    def close(self) -> None:
        self._pool.close()

    def _choice(self, segment: Segment) -> Choice:
        try:
            choice = msgspec.convert(segment.voice, Choice)
        except msgspec.ValidationError as error:
            known = ", ".join(Choice.__struct_fields__)
            raise BadRequest(f"voice: {error}; this model's parameters are {known}") from None
        if choice.variant is not None and choice.variant not in self._variants:
            raise BadRequest(f"unknown variant {choice.variant!r}: the model's card lists them")
        return choice

    def _voice(self, choice: Choice, language: str | None) -> VoiceFile:
        """The language of a request overrides that of the voice, unless the voice's is only more exact."""
        wanted = choice.language
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
