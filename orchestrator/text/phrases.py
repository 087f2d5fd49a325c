"""Cuts spoken text into phrases of about a second, which packing groups and never cuts."""

import re
from bisect import bisect_left
from enum import IntEnum
from typing import NamedTuple

from orchestrator.text.characters import CLAUSE_STOPS, CLOSING_BRACKETS, CLOSING_QUOTES, WIDE_CLAUSE_STOPS, safe_cut
from orchestrator.text.estimate import count_words, running_seconds

PHRASE_SECONDS = 1.0
# A text without a break for this long (a page of Han without a comma, a 5,000-letter word) is cut between characters.
UNBROKEN_SECONDS = 5.0


class Break(IntEnum):
    """The kind of break at the end of a phrase; a lower one is a better place to cut."""

    ELEMENT = 0
    SENTENCE = 1
    CLAUSE = 2
    WORD = 3
    CHARACTER = 4


class Phrase(NamedTuple):
    """Spoken text ``[start, end)`` of the element at index ``element``, with the space after it."""

    element: int
    start: int
    end: int
    seconds: float
    words: float
    kind: Break


_WIDE = re.escape(WIDE_CLAUSE_STOPS + CLOSING_BRACKETS)
_BREAKS = re.compile(rf" |[{WIDE_CLAUSE_STOPS}][{_WIDE}]*(?=\w)|(?<=\w)\u2014(?=\w)")  # \u2014: the em dash
_CLAUSE_ENDS = frozenset(CLAUSE_STOPS + WIDE_CLAUSE_STOPS + CLOSING_BRACKETS)


def cut_phrases(spoken: str, sentence_starts: list[int], element: int) -> list[Phrase]:
    seconds = running_seconds(spoken)
    breaks = [*_thin(_breaks(spoken, frozenset(sentence_starts)), seconds), (len(spoken), Break.ELEMENT)]
    phrases, start = [], 0
    for end, kind in breaks:
        for cut in _cuts_between_characters(spoken, seconds, start, end):
            phrases.append(_phrase(element, spoken, seconds, start, cut, Break.CHARACTER))
            start = cut
        phrases.append(_phrase(element, spoken, seconds, start, end, kind))
        start = end
    return phrases


def _phrase(element: int, spoken: str, seconds: list[float], start: int, end: int, kind: Break) -> Phrase:
    return Phrase(element, start, end, seconds[end] - seconds[start], count_words(spoken[start:end]), kind)


def _breaks(spoken: str, sentence_starts: frozenset[int]) -> list[tuple[int, Break]]:
    wide = [(start, Break.SENTENCE) for start in sentence_starts if spoken[start - 1] != " "]
    found = []
    for match in _BREAKS.finditer(spoken):
        end = match.end()
        if end in sentence_starts:
            kind = Break.SENTENCE
        elif match.group() != " " or _ends_clause(spoken, match.start()):
            kind = Break.CLAUSE
        else:
            kind = Break.WORD
        found.append((end, kind))
    return sorted(found + wide) if wide else found


def _ends_clause(spoken: str, space: int) -> bool:
    last = space - 1
    while last > 0 and spoken[last] in CLOSING_QUOTES:
        last -= 1
    return spoken[last] in _CLAUSE_ENDS or (spoken[last] == "-" and spoken[last - 1] == " ")


def _thin(breaks: list[tuple[int, Break]], seconds: list[float]) -> list[tuple[int, Break]]:
    """Keeps breaks at least `PHRASE_SECONDS` apart, the better one of two."""
    kept: list[tuple[int, Break]] = []
    last = 0.0
    for end, kind in breaks:
        if seconds[end] - last >= PHRASE_SECONDS:
            kept.append((end, kind))
        elif kept and kind < kept[-1][1]:
            kept[-1] = (end, kind)
        else:
            continue
        last = seconds[end]
    return kept


def _cuts_between_characters(spoken: str, seconds: list[float], start: int, end: int) -> list[int]:
    cuts: list[int] = []
    if seconds[end] - seconds[start] <= UNBROKEN_SECONDS:
        return cuts
    while seconds[end] - seconds[start] > 2 * PHRASE_SECONDS:
        start = safe_cut(spoken, bisect_left(seconds, seconds[start] + PHRASE_SECONDS, start + 1, end))
        cuts.append(start)
    return cuts
