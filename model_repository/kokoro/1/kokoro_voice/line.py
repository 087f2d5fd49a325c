"""Makes one stream of sentences: pauses between them, their marks counted from its start, and the wanted speed."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from kokoro_voice.acoustic import RATE, Sound
from kokoro_voice.marks import marks_of
from kokoro_voice.phonemes import Sentence
from kokoro_voice.silence import trim
from lectern_triton.voice_backend.protocol import Chunk, Mark, Samples
from lectern_triton.voice_backend.stretch import Stretcher

FIRST_PIECE: Final = int(0.1 * RATE)  # samples: little, so that a listener hears it at once
SLOWEST: Final = 0.9
FASTEST: Final = 1.1
"""Speeds that the model itself is asked for; beyond them its speech is stretched without changing the pitch.

It can be asked for more, but its durations are whole frames, most phonemes have two or three of them, and at 1.5 more
than half of the words are lost on a listener, who follows what is stretched as well as before.
"""


def model_speed(speed: float) -> float:
    """Return the speed to ask the model for."""
    return min(max(speed, SLOWEST), FASTEST)


class Line:
    """The stream of one segment."""

    def __init__(self, speed: float) -> None:
        self._speed = model_speed(speed)
        self._factor = self._speed / speed
        self._stretcher = Stretcher(self._factor, RATE) if self._factor != 1 else None
        self._made = 0  # samples, before they are stretched
        self._given = 0  # samples
        self._marks: list[Mark] = []  # of words whose end was not given yet, in given samples

    def speak(self, sentence: Sentence, sound: Sound) -> Iterator[Chunk]:
        samples, cut = trim(sound, self._speed)
        base = self._made
        for first, last, start, end in marks_of(sentence, sound.frames, samples, cut):
            self._marks.append((self._out(base + first), self._out(base + last), start, end))
        yield from self._give(samples)

    def pause(self, seconds: float) -> Iterator[Chunk]:
        """Be silent; the speed does not change how long."""
        if seconds:
            yield from self._give(np.zeros(round(seconds * RATE / self._factor), np.int16))

    def end(self) -> Chunk:
        """Return what is left; its audio may be empty."""
        samples = self._stretched(self._stretcher.flush()) if self._stretcher else np.zeros(0, np.int16)
        self._given += samples.size
        marks, self._marks = self._marks, []
        return Chunk(samples, tuple((min(a, self._given), min(b, self._given), c, d) for a, b, c, d in marks))

    def _out(self, position: int) -> int:
        return round(position * self._factor)

    def _give(self, samples: Samples) -> Iterator[Chunk]:
        self._made += samples.size
        if self._stretcher is not None:
            samples = self._stretched(self._stretcher.feed(samples.tobytes()))
        first = FIRST_PIECE if self._given == 0 else samples.size
        for part in (samples[:first], samples[first:]):
            if part.size:
                self._given += part.size
                known = sum(last <= self._given for _, last, _, _ in self._marks)
                marks, self._marks = self._marks[:known], self._marks[known:]
                yield Chunk(part, tuple(marks))

    @staticmethod
    def _stretched(pcm: bytes) -> Samples:
        return np.frombuffer(pcm, np.int16)
