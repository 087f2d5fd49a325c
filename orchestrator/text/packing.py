"""Decides, in one pass, where long parts are cut and which fragments join a neighbour.

A shortest path over phrases: every group of phrases has a cost, every cut inside a part and every join of two parts
too, and the cheapest way through the text wins. The costs only have to keep an order, which stands beside them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from orchestrator.text.estimate import CHARACTERS_PER_SECOND
from orchestrator.text.phrases import Break, Phrase

MIN_SECONDS = 10.0
MAX_SECONDS = 20.0
MIN_WORDS = 5

# A group longer than MAX_SECONDS is not considered at all.
FRAGMENT = 200.0  # a group of fewer than MIN_WORDS: worse than any join or cut
CUT = {
    Break.PART: 0.0,
    Break.SENTENCE: 3.0,
    Break.CLAUSE: 7.0,  # a sentence is broken at a clause only to save a group from being very short ...
    Break.WORD: 30.0,  # ... and at a word only where there is no clause within reach
    Break.CHARACTER: 60.0,
}
SHORT = 10.0  # a group of 0 seconds; falls to nothing at MIN_SECONDS. Less than any join of parts, so structure wins
LATE = 6.0  # a first group twice as long as asked for: worth a cut at a clause, not at a word
JOINER_SECONDS = 1 / CHARACTERS_PER_SECOND  # the space between two parts of one group


def pack(
    phrases: Sequence[Phrase], join_cost: Callable[[int, int], float], *, first_seconds: float | None = None
) -> list[int]:
    """Return the index after the last phrase of each group, in order.

    ``join_cost(a, b)`` is the price of one group holding the end of part ``a`` and the beginning of part ``b``.
    """
    joins = [0.0, *(join_cost(a.part, b.part) if a.part != b.part else 0.0 for a, b in pairwise(phrases))]
    best, previous = [0.0], [0]
    for end in range(1, len(phrases) + 1):
        cheapest, origin = float("inf"), end - 1
        seconds = words = joined = 0.0
        for start in range(end - 1, -1, -1):
            phrase = phrases[start]
            seconds += phrase.seconds + (JOINER_SECONDS if phrase.kind is Break.PART else 0.0)
            if start < end - 1 and (seconds > MAX_SECONDS or joined > FRAGMENT):
                break
            words += phrase.words
            cost = best[start] + joined + _cost(seconds, words, first_seconds if start == 0 else None)
            if cost < cheapest:
                cheapest, origin = cost, start
            joined += joins[start]
        best.append(cheapest + CUT[phrases[end - 1].kind])
        previous.append(origin)
    return _way_back(previous)


def _cost(seconds: float, words: float, first_seconds: float | None) -> float:
    balance = (seconds / MAX_SECONDS) ** 2  # squares are least when groups are of equal length
    if first_seconds is not None:
        return balance + LATE * max(0.0, seconds / first_seconds - 1)
    short = SHORT * max(0.0, 1 - seconds / MIN_SECONDS) ** 2
    return balance + short + (FRAGMENT if words < MIN_WORDS else 0.0)


def _way_back(previous: list[int]) -> list[int]:
    ends = []
    end = len(previous) - 1
    while end > 0:
        ends.append(end)
        end = previous[end]
    return ends[::-1]
