"""Turns the sound of sentences into one stream: pauses without doubled silence, and word marks."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from kokoro_voice.acoustic_client import FRAME, RATE, Sound
from kokoro_voice.g2p_client import Sentence
from kokoro_voice.word_marks import loud_samples, word_marks
from lectern_triton.voice_backend.voice import Chunk, Mark, Samples

FIRST_CHUNK: Final = int(0.1 * RATE)  # samples: little, so that the first audio comes at once
LEAD: Final = int(0.04 * RATE)  # samples of silence kept in front of the first sound
PAUSE: Final = int(0.45 * RATE)  # samples of silence kept behind the last sound
FADE: Final = int(0.004 * RATE)  # samples, where something was cut

_RISE: Final = (np.arange(1, FADE + 1, dtype=np.float32) / (FADE + 1)).astype(np.float32)


class AudioStream:
    """The audio of one segment: takes sentences in order, gives chunks whose marks count from the segment's start."""

    def __init__(self) -> None:
        self._given = 0  # samples
        self._marks: list[Mark] = []  # of words whose end was not given yet

    def add(self, sentence: Sentence, sound: Sound | None) -> Iterator[Chunk]:
        """Yields chunks of a sentence and of the pause after it; `sound` is None if there is nothing to say."""
        if sound is not None:
            samples, cut = trim(sound)
            base = self._given
            for first, last, start, end in word_marks(sentence, sound.frames, samples, cut):
                self._marks.append((base + first, base + last, start, end))
            yield from self._give(samples)
        if sentence.pause:
            yield from self._give(np.zeros(round(sentence.pause * RATE), np.int16))

    def end(self) -> Chunk:
        """Returns the rest of the marks, without audio."""
        marks, self._marks = self._marks, []
        return Chunk(
            np.zeros(0, np.int16), tuple((min(a, self._given), min(b, self._given), c, d) for a, b, c, d in marks)
        )

    def _give(self, samples: Samples) -> Iterator[Chunk]:
        first = FIRST_CHUNK if self._given == 0 else samples.size
        for chunk in (samples[:first], samples[first:]):
            if chunk.size:
                self._given += chunk.size
                known = sum(last <= self._given for _, last, _, _ in self._marks)
                marks, self._marks = self._marks[:known], self._marks[known:]
                yield Chunk(chunk, tuple(marks))


def trim(sound: Sound) -> tuple[Samples, int]:
    """Returns the sentence without most of the silence around it, and how many samples were cut in front of it.

    Phonemes are never cut, even if they are silent.
    """
    samples = sound.samples
    loud = loud_samples(samples)
    first_phoneme = int(sound.frames[0]) * FRAME
    last_sign = samples.size - int(sound.frames[-1]) * FRAME
    start = max(0, min(int(loud[0]), first_phoneme) - LEAD)
    end = min(samples.size, max(int(loud[-1]) + 1 + PAUSE, min(last_sign, start + FADE)))
    return _faded(samples[start:end], start > 0, end < samples.size), start


def _faded(samples: Samples, at_start: bool, at_end: bool) -> Samples:  # noqa: FBT001
    faded = samples.copy()
    width = min(FADE, faded.size)
    if at_start:
        faded[:width] = (faded[:width] * _RISE[:width]).astype(np.int16)
    if at_end:
        faded[faded.size - width :] = (faded[faded.size - width :] * _RISE[:width][::-1]).astype(np.int16)
    return faded
