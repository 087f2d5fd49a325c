"""Turns the sound of sentences into one stream: pauses without doubled silence, word marks, and the speed asked for."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from kokoro_voice.acoustic_client import FRAME, RATE, Sound, model_speed
from kokoro_voice.g2p_client import Sentence
from kokoro_voice.word_marks import loud_samples, word_marks
from lectern_triton.voice_backend.time_stretch import Stretcher
from lectern_triton.voice_backend.voice import Chunk, Mark, Samples

FIRST_CHUNK: Final = int(0.1 * RATE)  # samples: little, so that the first audio comes at once
LEAD: Final = int(0.04 * RATE)  # samples of silence kept in front of the first sound
PAUSE: Final = int(0.45 * RATE)  # samples of silence kept behind the last sound, at speed 1
FADE: Final = int(0.004 * RATE)  # samples, where something was cut

_RISE: Final = (np.arange(1, FADE + 1, dtype=np.float32) / (FADE + 1)).astype(np.float32)


class AudioStream:
    """The audio of one segment: takes sentences in order, gives chunks whose marks count from the segment's start."""

    def __init__(self, speed: float) -> None:
        self._speed = model_speed(speed)
        self._factor = self._speed / speed
        self._stretcher = Stretcher(self._factor, RATE) if self._factor != 1 else None
        self._made = 0  # samples, before they are stretched
        self._given = 0  # samples
        self._marks: list[Mark] = []  # in given samples, of words whose end was not given yet

    def add(self, sentence: Sentence, sound: Sound | None) -> Iterator[Chunk]:
        """Yields chunks of a sentence and of the pause after it; `sound` is None if there is nothing to say."""
        if sound is not None:
            samples, cut = trim(sound, self._speed)
            base = self._made
            for first, last, start, end in word_marks(sentence, sound.frames, samples, cut):
                self._marks.append(
                    (self._stretched_position(base + first), self._stretched_position(base + last), start, end)
                )
            yield from self._give(samples)
        if sentence.pause:  # the speed does not change how long it is
            yield from self._give(np.zeros(round(sentence.pause * RATE / self._factor), np.int16))

    def end(self) -> Chunk:
        """Returns the rest; its audio may be empty."""
        samples = self._stretched(self._stretcher.flush()) if self._stretcher else np.zeros(0, np.int16)
        self._given += samples.size
        marks, self._marks = self._marks, []
        return Chunk(samples, tuple((min(a, self._given), min(b, self._given), c, d) for a, b, c, d in marks))

    def _stretched_position(self, position: int) -> int:
        return round(position * self._factor)

    def _give(self, samples: Samples) -> Iterator[Chunk]:
        self._made += samples.size
        if self._stretcher is not None:
            samples = self._stretched(self._stretcher.feed(samples.tobytes()))
        first = FIRST_CHUNK if self._given == 0 else samples.size
        for chunk in (samples[:first], samples[first:]):
            if chunk.size:
                self._given += chunk.size
                known = sum(last <= self._given for _, last, _, _ in self._marks)
                marks, self._marks = self._marks[:known], self._marks[known:]
                yield Chunk(chunk, tuple(marks))

    @staticmethod
    def _stretched(pcm: bytes) -> Samples:
        return np.frombuffer(pcm, np.int16)


def trim(sound: Sound, speed: float) -> tuple[Samples, int]:
    """Returns the sentence without most of the silence around it, and how many samples were cut in front of it.

    Phonemes are never cut, even if they are silent.
    """
    samples = sound.samples
    loud = loud_samples(samples)
    first_phoneme = int(sound.frames[0]) * FRAME
    last_sign = samples.size - int(sound.frames[-1]) * FRAME
    start = max(0, min(int(loud[0]), first_phoneme) - LEAD)
    end = min(samples.size, max(int(loud[-1]) + 1 + int(PAUSE / speed), min(last_sign, start + FADE)))
    return _faded(samples[start:end], start > 0, end < samples.size), start


def _faded(samples: Samples, at_start: bool, at_end: bool) -> Samples:  # noqa: FBT001
    faded = samples.copy()
    width = min(FADE, faded.size)
    if at_start:
        faded[:width] = (faded[:width] * _RISE[:width]).astype(np.int16)
    if at_end:
        faded[faded.size - width :] = (faded[faded.size - width :] * _RISE[:width][::-1]).astype(np.int16)
    return faded
