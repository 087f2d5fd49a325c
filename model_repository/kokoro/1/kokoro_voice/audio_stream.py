"""Turns the sound of sentences into one stream, with the pauses that are asked for and the marks of the words."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from kokoro_voice.acoustic_client import FRAME, RATE, Sound
from kokoro_voice.g2p_client import Sentence
from kokoro_voice.pauses import EditedPositions, edited, edits_of, find_pauses, loud_samples
from kokoro_voice.word_marks import phoneme_starts, word_marks
from lectern_contract import PAUSES, SILENCE_BEFORE, SILENCE_BEHIND, Break
from lectern_triton.voice_backend.voice import Chunk, Mark, Samples

FIRST_CHUNK: Final = int(0.1 * RATE)  # samples: little, so that the first audio comes at once
LEAD: Final = int(SILENCE_BEFORE * RATE)  # samples of silence kept in front of the first sound
TAIL: Final = int(SILENCE_BEHIND * RATE)  # samples of silence kept behind the last sound


class AudioStream:
    """The audio of one segment: takes sentences in order, gives chunks whose marks count from the segment's start.

    It begins with the first sound and ends with the last one, unless the text asks for a pause there.
    """

    def __init__(self, pauses: Mapping[Break, float]) -> None:
        """`pauses`: seconds, from sound to sound. Without "clause", clauses inside a sentence keep the model's own."""
        self._behind = PAUSES | dict(pauses)
        self._inside = {kind: self._behind[kind] for kind in PAUSES if kind != "clause" or kind in pauses}
        self._pause = 0.0  # seconds from the last sound to the next
        self._is_asked = False  # whether the text asks for this pause
        self._silent = 0  # samples that the stream ends with
        self._given = 0  # samples

    def add(self, sentence: Sentence, sound: Sound | None) -> Iterator[Chunk]:
        """Yields a sentence, behind the pause in front of it; `sound` is None if there is nothing to say."""
        if sound is not None:
            samples, marks, lead, tail = speech(sentence, sound, self._inside)
            silence = max(0, round(self._pause * RATE) - self._silent - lead)
            yield from self._give(np.concatenate([np.zeros(silence, np.int16), samples]), silence, marks)
            self._silent = tail
            self._pause, self._is_asked = self._behind.get(sentence.end, 0.0) if sentence.end else 0.0, False
        if sentence.pause is not None:  # in the place of the sentence's own
            self._pause, self._is_asked = sentence.pause + (self._pause if self._is_asked else 0.0), True

    def end(self) -> Chunk:
        """Returns the pause at the end, if the text asks for one."""
        return Chunk(np.zeros(max(0, round(self._pause * RATE) - self._silent) if self._is_asked else 0, np.int16))

    def _give(self, samples: Samples, silence: int, marks: list[Mark]) -> Iterator[Chunk]:
        """Yields samples, whose marks count from behind the silence."""
        begin = self._given + silence
        waiting = [(begin + first, begin + last, start, end) for first, last, start, end in marks]
        first = FIRST_CHUNK if self._given == 0 else samples.size
        for chunk in (samples[:first], samples[first:]):
            if chunk.size:
                self._given += chunk.size
                known = sum(last <= self._given for _, last, _, _ in waiting)
                yield Chunk(chunk, tuple(waiting[:known]))
                waiting = waiting[known:]


def speech(sentence: Sentence, sound: Sound, pauses: Mapping[Break, float]) -> tuple[Samples, list[Mark], int, int]:
    """Returns a sentence from its first sound to its last one, with these pauses inside it in seconds.

    Also its marks, and the samples of silence in front and behind. A phoneme is never cut, even if it is silent.
    """
    loud = loud_samples(sound.samples)
    starts = phoneme_starts(sound.frames)
    first = max(0, min(int(loud[0]), int(sound.frames[0]) * FRAME) - LEAD)
    last = min(sound.samples.size, int(loud[-1]) + 1 + TAIL)
    found = find_pauses(sentence, starts, sound.samples, loud, pauses)
    edits = edits_of(found, pauses)
    moved = EditedPositions(first, edits)
    marks = [
        (moved(begin), moved(end - 1) + 1, text_start, text_end)  # an end is exclusive
        for begin, end, text_start, text_end in word_marks(sentence, starts, loud, last, found)
    ]
    return edited(sound.samples, first, last, edits), marks, int(loud[0]) - first, last - int(loud[-1]) - 1
