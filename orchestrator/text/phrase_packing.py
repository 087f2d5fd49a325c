"""Packs phrases into groups of 10 to 20 seconds: where long elements are cut, and which fragments share a group.

The packing is a shortest path over phrases. Every group of phrases has a cost, and so has every cut inside an element
and every combination of two elements. The cheapest way through the text wins. Only the order of the costs matters; the
comments beside them say why.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from orchestrator.text.elements import Element
from orchestrator.text.estimate import CHARACTERS_PER_SECOND
from orchestrator.text.phrases import Break, Phrase, cut_phrases

MIN_SECONDS = 10.0
MAX_SECONDS = 20.0
MIN_WORDS = 5

# A group longer than MAX_SECONDS is not considered at all.
FRAGMENT = 200.0  # a group of fewer than MIN_WORDS: worse than any combination or cut
CUT = {
    Break.ELEMENT: 0.0,
    Break.SENTENCE: 3.0,
    Break.CLAUSE: 7.0,  # a sentence is broken at a clause only to save a group from being very short ...
    Break.WORD: 30.0,  # ... and at a word only where there is no clause within reach
    Break.CHARACTER: 60.0,
}
SHORT = 10.0  # a group of 0 seconds; falls to nothing at MIN_SECONDS. Less than any combination, so structure wins
LATE = 6.0  # a first group twice as long as wanted: worth a cut at a clause, not at a word
SPACE_SECONDS = 1 / CHARACTERS_PER_SECOND  # the space between two elements of one group

# The costs of two neighbouring elements in one group. Each is above what a longer group gains and below the cost of a
# fragment: only a fragment is reason enough.
_AFTER_HEADING = 20.0
_SAME_LIST_OR_TABLE = 20.0
_SAME_ROLE = 25.0
_OTHER_ROLE = 35.0
_BEFORE_HEADING = 80.0  # a heading at the end of the section before it: only where nothing follows


class Slice(NamedTuple):
    """Spoken text ``[start, end)`` of the element at index ``element``, without white space at its ends."""

    element: int
    start: int
    end: int


def group_slices(
    spoken: Sequence[str],
    starts: Iterable[list[int]],
    *,
    cost_between: Callable[[int, int], float],
    first_seconds: float | None = None,
) -> Iterator[list[Slice]]:
    """Yields the slices of each group, in order; together they hold every word of every element once.

    ``spoken`` has the text of each element, ``starts`` its sentence starts. ``cost_between`` and ``first_seconds`` are
    those of `pack`.
    """
    phrases = [
        phrase
        for element, (text, at) in enumerate(zip(spoken, starts, strict=True))
        for phrase in cut_phrases(text, at, element)
    ]
    begin = 0
    for end in pack(phrases, cost_between, first_seconds=first_seconds):
        yield _slices(spoken, phrases[begin:end])
        begin = end


def combination_cost(before: Element, after: Element) -> float:
    """Returns the cost of one group holding the end of ``before`` and the beginning of ``after``."""
    if after.role == "heading":
        return _AFTER_HEADING if before.role == "heading" else _BEFORE_HEADING
    if before.role == "heading":
        return _AFTER_HEADING
    if before.role != after.role:
        return _OTHER_ROLE
    return _SAME_LIST_OR_TABLE if before.role in {"list_item", "table_row"} else _SAME_ROLE


def pack(
    phrases: Sequence[Phrase], cost_between: Callable[[int, int], float], *, first_seconds: float | None = None
) -> list[int]:
    """Returns the index after the last phrase of each group, in order.

    ``cost_between(a, b)`` is the cost of one group holding the end of element ``a`` and the beginning of element ``b``.
    ``first_seconds`` is the wanted length of the first group.
    """
    between = [
        0.0,
        *(cost_between(a.element, b.element) if a.element != b.element else 0.0 for a, b in pairwise(phrases)),
    ]
    best, previous = [0.0], [0]
    for end in range(1, len(phrases) + 1):
        cheapest, origin = float("inf"), end - 1
        seconds = words = combining = 0.0
        for start in range(end - 1, -1, -1):
            phrase = phrases[start]
            seconds += phrase.seconds + (SPACE_SECONDS if phrase.kind is Break.ELEMENT else 0.0)
            if start < end - 1 and (seconds > MAX_SECONDS or combining > FRAGMENT):
                break
            words += phrase.words
            cost = best[start] + combining + _cost(seconds, words, first_seconds if start == 0 else None)
            if cost < cheapest:
                cheapest, origin = cost, start
            combining += between[start]
        best.append(cheapest + CUT[phrases[end - 1].kind])
        previous.append(origin)
    return _path_to_end(previous)


def _cost(seconds: float, words: float, first_seconds: float | None) -> float:
    balance = (seconds / MAX_SECONDS) ** 2  # squares are least when groups are of equal length
    if first_seconds is not None:
        return balance + LATE * max(0.0, seconds / first_seconds - 1)
    short = SHORT * max(0.0, 1 - seconds / MIN_SECONDS) ** 2
    return balance + short + (FRAGMENT if words < MIN_WORDS else 0.0)


def _path_to_end(previous: list[int]) -> list[int]:
    ends = []
    end = len(previous) - 1
    while end > 0:
        ends.append(end)
        end = previous[end]
    return ends[::-1]


def _slices(spoken: Sequence[str], phrases: list[Phrase]) -> list[Slice]:
    slices: list[Slice] = []
    for phrase in phrases:
        start = phrase.start
        if slices and slices[-1].element == phrase.element:
            start = slices.pop().start
        slices.append(Slice(phrase.element, start, phrase.end))
    return [Slice(element, start, start + len(spoken[element][start:end].rstrip())) for element, start, end in slices]
