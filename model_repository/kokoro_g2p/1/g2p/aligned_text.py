"""Text that is rewritten for speaking, in which every character knows its place in the written text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from re import Match, Pattern

Span = tuple[int, int]
"""First and last character; the last is exclusive."""


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """A run of the text whose phonemes are given, by markup or by the lexicon."""

    start: int
    end: int
    phonemes: str


@dataclass(frozen=True, slots=True)
class AlignedText:
    """Immutable: each change returns a new one."""

    text: str
    origins: tuple[Span, ...]
    """The written characters that each character came from."""
    pronunciations: tuple[Pronunciation, ...] = ()
    """In order; no replacement touches them."""

    @classmethod
    def of(cls, text: str, offset: int = 0) -> "AlignedText":
        return cls(text, tuple((at, at + 1) for at in range(offset, offset + len(text))))

    def origin(self, start: int, end: int) -> Span:
        """Returns the written characters of a run; for an empty run those of the next character, or of the last."""
        start = min(start, len(self.origins) - 1)
        end = max(end, start + 1)
        return min(first for first, _ in self.origins[start:end]), max(last for _, last in self.origins[start:end])

    def replace(self, pattern: Pattern[str], speak: Callable[[Match[str]], str | None]) -> "AlignedText":
        """Replaces each match by what `speak` returns, unless that is None or the match touches a pronunciation."""
        parts: list[tuple[str, tuple[Span, ...]]] = []
        moved: list[tuple[int, int]] = []  # where a replacement ends, and by how much it moves what follows
        end = 0
        for found in pattern.finditer(self.text):
            if found.end() == found.start() or self._is_given(*found.span()):
                continue
            words = speak(found)
            if words is None or words == found[0]:
                continue
            parts.append((self.text[end : found.start()], self.origins[end : found.start()]))
            parts.append((words, (self.origin(*found.span()),) * len(words)))
            end = found.end()
            moved.append((end, len(words) - len(found[0])))
        if not moved:
            return self
        parts.append((self.text[end:], self.origins[end:]))
        pronunciations = tuple(
            Pronunciation(run.start + shift, run.end + shift, run.phonemes)
            for run in self.pronunciations
            for shift in [sum(by for at, by in moved if at <= run.start)]
        )
        return AlignedText(
            "".join(text for text, _ in parts), sum((origins for _, origins in parts), ()), pronunciations
        )

    def _is_given(self, start: int, end: int) -> bool:
        return any(run.start < end and start < run.end for run in self.pronunciations)


def _changes(one: str, other: str) -> list[tuple[str, int, int, int, int]]:
    codes = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return [(code, start, end, first, last - first) for code, start, end, first, last in codes]


def project(boundaries: Sequence[int], one: str, other: str) -> list[int]:
    """Returns where in `other` each position in `one` lies, in order; what is not in both is spread evenly."""
    places: list[int] = []
    codes = _changes(one, other)
    for position in boundaries:
        for _, start, end, first, count in codes:
            if position <= end and position < len(one):  # the end of one is the end of the other
                share = (position - start) / (end - start) if end > start else 1.0
                places.append(first + round(min(1.0, max(0.0, share)) * count))
                break
        else:
            places.append(len(other))
    for index in range(1, len(places)):
        places[index] = max(places[index], places[index - 1])
    return places


def locate(words: Sequence[str], text: str) -> list[Span]:
    """Returns where in the text a phonemizer's words are, in order; it may have left out signs between letters."""
    found: list[Span] = []
    at = 0
    for word in words:
        first = None
        for sign in word:
            place = text.find(sign, at)
            if place < 0 or any(skipped.isalnum() for skipped in text[at:place]):
                return _spread_evenly(words, text)  # the phonemizer wrote the words in another way
            first = place if first is None else first
            at = place + 1
        found.append((at if first is None else first, at))
    return _spread_evenly(words, text) if any(sign.isalnum() for sign in text[at:]) else found


def _spread_evenly(words: Sequence[str], text: str) -> list[Span]:
    ends = list(accumulate(len(word) for word in words))
    return list(pairwise([0, *project(ends, "".join(words), text)]))
