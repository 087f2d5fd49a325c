"""Kokoro as a voice of the speech contract: one way from a segment through sentences to chunks of audio."""

import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, Final

from kokoro_voice.acoustic_client import Sound, synthesize
from kokoro_voice.audio_checks import check_words
from kokoro_voice.audio_stream import AudioStream
from kokoro_voice.g2p_client import Sentence, read_sentences
from kokoro_voice.model_card import model_card, read_installed
from kokoro_voice.priority_executor import PriorityExecutor
from kokoro_voice.style_tables import StyleTables
from kokoro_voice.voice_parameters import VoiceParameters, default_voice, parse_parameters
from lectern_contract import LANES
from lectern_triton.voice_backend.markup import without_markup
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Segment, Settings

GLANCE: Final = 0.02  # seconds between two looks at whether the segment is still wanted

Pending = tuple[Sentence, Future[Sound] | None]
"""A sentence and its sound to come; None if there is nothing in it to say."""


class Voice:
    """Speaks segments. Synthesizes sentences a few ahead of playback, of all segments the most urgent first."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.folder.parent
        self._styles = StyleTables(folder / "voices")
        places = _number(settings.parameters, "places", os.cpu_count() or 1)
        self._card = model_card(read_installed(folder), self._styles.names, default_voice(self._styles.names), places)
        self._models = settings.models
        self.concurrency = _number(settings.parameters, "concurrency", 64)
        self._lookahead = _number(settings.parameters, "lookahead", 4)
        self._executor = PriorityExecutor[Sound](
            _number(settings.parameters, "in_flight", 4), _number(settings.parameters, "in_flight_phonemes", 160)
        )

    def card(self) -> Mapping[str, Any]:
        return self._card

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        parameters = parse_parameters(segment.voice, self._styles.names)
        stream = AudioStream(parameters.pauses)
        spoken: list[Sentence] = []
        for sentence, sound in self._sounds(segment, parameters, stop):
            spoken.append(sentence)
            yield from stream.add(sentence, sound)
        if not stop.is_set():
            _check_all_spoken(segment, spoken)
            yield stream.end()

    def close(self) -> None:
        self._executor.close()

    def _sounds(
        self, segment: Segment, parameters: VoiceParameters, stop: threading.Event
    ) -> Iterator[tuple[Sentence, Sound | None]]:
        """Yields each sentence with its sound, None if there is nothing in it to say; ends early when told to stop."""
        language = _language(parameters.language, segment.language)
        coming = read_sentences(self._models, segment, language, parameters.normalization)
        ahead: deque[Pending] = deque()
        numbers = count()
        try:
            while not stop.is_set():
                # Reads a sentence only while no sound is ready: a ready sound must not wait for phonemes.
                if len(ahead) < self._lookahead and not (ahead and _is_ready(ahead[0])):
                    sentence = next(coming, None)
                    if sentence is not None:
                        ahead.append((sentence, self._submit(sentence, segment, parameters, next(numbers))))
                        continue
                if not ahead:
                    return
                sentence, future = ahead[0]
                if future is None:
                    sound = None
                else:
                    with suppress(TimeoutError):
                        future.result(GLANCE)
                    if not future.done():
                        continue
                    sound = future.result()
                ahead.popleft()
                yield sentence, sound
        finally:
            for _, future in ahead:
                if future is not None:
                    future.cancel()

    def _submit(
        self, sentence: Sentence, segment: Segment, parameters: VoiceParameters, number: int
    ) -> Future[Sound] | None:
        """Queues the synthesis: live before batch, then by the sentence's number in its segment."""
        if not sentence.ids:
            return None
        style = self._styles.row(parameters.weights, len(sentence.ids))
        call = partial(synthesize, self._models, sentence.ids, style)
        return self._executor.submit((LANES.index(segment.lane), number), len(sentence.ids), call)


def _check_all_spoken(segment: Segment, spoken: list[Sentence]) -> None:
    """Raises BadRequest if Kokoro can say nothing of the text, and Implausible if it left out words."""
    if not any(sentence.ids or sentence.pause for sentence in spoken):
        raise BadRequest(
            f"Kokoro knows no sound of this text, as of letters that it cannot read: {segment.text[:40]!r}"
        )
    text = without_markup(segment.text) if segment.markup else segment.text
    check_words(text, [word for sentence in spoken for word in sentence.words])


def _is_ready(pending: Pending) -> bool:
    return pending[1] is None or pending[1].done()


def _language(own: str, wanted: str | None) -> str:
    """Returns the language of the request, unless the voice's own is the same or only more exact."""
    if wanted is None or own.lower() == wanted.lower() or own.lower().startswith(f"{wanted.lower()}-"):
        return own
    return wanted


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    number = int(parameters.get(name, default))
    if number < 1:
        raise ValueError(f"the parameter {name} is {number}: it must be at least 1")
    return number
