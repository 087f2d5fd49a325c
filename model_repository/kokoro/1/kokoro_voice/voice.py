"""Kokoro as a voice of the speech contract."""

import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, Final

from kokoro_voice.acoustic import Sound, sound_of
from kokoro_voice.card import card_of, installed
from kokoro_voice.choice import Choice, choose, default_voice
from kokoro_voice.dispatch import Dispatch
from kokoro_voice.line import Line, model_speed
from kokoro_voice.pace import check_pace, check_words
from kokoro_voice.phonemes import Sentence, Word, sentences
from kokoro_voice.styles import Styles
from lectern_contract import LANES
from lectern_triton.voice_backend.markup import without_markup
from lectern_triton.voice_backend.protocol import BadRequest, Chunk, Segment, Settings

GLANCE: Final = 0.02  # seconds between two looks at whether anybody still listens

Made = tuple[Sentence, Future[Sound] | None]


class Voice:
    """Cuts segments into sentences and has them made, a few ahead of the listener, in the order that hears best."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.folder.parent
        self._styles = Styles(folder / "voices")
        places = _number(settings.parameters, "places", os.cpu_count() or 1)
        self._card = card_of(installed(folder), self._styles.names, default_voice(self._styles.names), places)
        self._models = settings.models
        self.concurrency = _number(settings.parameters, "concurrency", 64)
        self._lookahead = _number(settings.parameters, "lookahead", 4)
        self._dispatch = Dispatch[Sound](
            _number(settings.parameters, "in_flight", 4), _number(settings.parameters, "in_flight_signs", 160)
        )

    def card(self) -> Mapping[str, Any]:
        return self._card

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        choice = choose(segment.voice, self._styles.names)
        line = Line(segment.speed)
        words: list[Word] = []
        heard = False
        for sentence, sound in self._sounds(segment, choice, stop):
            words += sentence.words
            heard |= sound is not None or sentence.pause > 0
            if sound is not None:
                check_pace(sound.frames, model_speed(segment.speed))
                yield from line.speak(sentence, sound)
            yield from line.pause(sentence.pause)
        if not stop.is_set():
            if not heard:
                raise BadRequest(
                    f"Kokoro knows no sound of this text, as of letters that it cannot read: {segment.text[:40]!r}"
                )
            check_words(without_markup(segment.text) if segment.markup else segment.text, words)
            yield line.end()

    def close(self) -> None:
        self._dispatch.close()

    def _sounds(
        self, segment: Segment, choice: Choice, stop: threading.Event
    ) -> Iterator[tuple[Sentence, Sound | None]]:
        """Yield each sentence with its sound, None if there is nothing in it to say; ends early when told to stop."""
        language = _language(choice, segment.language)
        coming = sentences(self._models, segment, language, choice.normalization)
        ahead: deque[Made] = deque()
        numbers = count()
        try:
            while not stop.is_set():
                # The next phonemes are only looked for while the next sound is not ready: it must not wait for them.
                if len(ahead) < self._lookahead and not (ahead and _is_ready(ahead[0])):
                    sentence = next(coming, None)
                    if sentence is not None:
                        ahead.append((sentence, self._order(sentence, segment, choice, next(numbers))))
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

    def _order(self, sentence: Sentence, segment: Segment, choice: Choice, number: int) -> Future[Sound] | None:
        """Have a sentence made. What is heard first goes first: live before batch, and then the earlier in its text."""
        if not sentence.ids:
            return None
        style = self._styles.row(choice.weights, len(sentence.ids))
        call = partial(sound_of, self._models, sentence.ids, style, model_speed(segment.speed))
        return self._dispatch.submit((LANES.index(segment.lane), number), len(sentence.ids), call)


def _is_ready(made: Made) -> bool:
    return made[1] is None or made[1].done()


def _language(choice: Choice, wanted: str | None) -> str:
    """The language of a request overrides the voice's, unless the voice's is only more exact."""
    own = choice.language
    if wanted is None or own.lower() == wanted.lower() or own.lower().startswith(f"{wanted.lower()}-"):
        return own
    return wanted


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    number = int(parameters.get(name, default))
    if number < 1:
        raise ValueError(f"the parameter {name} is {number}: it must be at least 1")
    return number
