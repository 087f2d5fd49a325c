"""Makes word marks from eSpeak NG's events: merged words ("of the") have one event, a number has several, and no event
tells where a word ends.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from espeak_voice.engine_messages import Event
from lectern_triton.voice_backend.voice import Mark
from lectern_triton.voice_backend.words import find_words, marks_by_length

LOUD: Final = 100  # of 32,768: quieter samples are the pause after a clause, which belongs to no word


class WordMarks:
    """Gives each word of one utterance exactly one mark, in order, a clause at a time."""

    def __init__(self, text: str) -> None:
        self._words = find_words(text)
        self._ends = [word.end for word in self._words]
        self._next = 0  # the first word without a mark
        self._begins: dict[int, tuple[bool, int]] = {}  # word -> is the event in the word itself, sample
        self._samples = 0  # so far
        self._loud = 0  # end of the last loud sample
        self._last = 0  # end of the last mark
        self._has_word_event = False

    def add(self, audio: npt.NDArray[np.int16], events: list[Event]) -> list[Mark]:
        """Takes the next samples with their events; returns the marks of the clauses that end in them."""
        marks: list[Mark] = []
        used = 0
        for event in events:
            if event.is_word:
                self._anchor(event)
            else:
                here = min(max(event.sample - self._samples, used), audio.size)
                self._find_loud(audio[used:here], self._samples + used)
                used = here
                marks += self._mark_words(bisect_right(self._ends, event.character))
        self._find_loud(audio[used:], self._samples + used)
        self._samples += audio.size
        return marks

    def finish(self) -> list[Mark]:
        """Returns the marks of all words that have none yet."""
        return self._mark_words(len(self._words))

    @property
    def has_word_event(self) -> bool:
        return self._has_word_event

    def _anchor(self, event: Event) -> None:
        self._has_word_event = True
        index = bisect_right(self._ends, event.character)  # an event on a quote belongs to the word behind it
        if index < self._next or index == len(self._words):
            return
        inside = event.character >= self._words[index].start
        known = self._begins.get(index)
        # The first event in a word is its begin; one in front of it counts only while there is none inside.
        if known is None or (inside and not known[0]):
            self._begins[index] = (inside, event.sample)

    def _find_loud(self, audio: npt.NDArray[np.int16], first: int) -> None:
        loud = np.flatnonzero((audio > LOUD) | (audio < -LOUD))
        if loud.size:
            self._loud = first + int(loud[-1]) + 1

    def _mark_words(self, until: int) -> list[Mark]:
        """Returns marks for the words from the first without one up to `until`."""
        words = range(self._next, until)
        if not words:
            return []
        loud_end = max(self._last, self._loud)
        begins: list[tuple[int, int]] = []  # words with a known begin
        for index in words:
            if index in self._begins:
                sample = min(max(self._begins.pop(index)[1], begins[-1][1] if begins else self._last), loud_end)
                begins.append((index, sample))
        if not begins or begins[0][0] != words.start:
            begins.insert(0, (words.start, self._last if begins else loud_end))
        marks = []
        for (index, sample), (after, end) in pairwise([*begins, (until, loud_end)]):
            marks += marks_by_length(self._words[index:after], sample, end)
        self._next = until
        self._last = loud_end
        return marks
