"""From the spoken text of each part to groups of slices: what each block or segment will hold."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from orchestrator.text.packing import pack
from orchestrator.text.phrases import Phrase, cut_phrases


class Slice(NamedTuple):
    """Spoken text ``[start, end)`` of part ``part``, without white space at its ends."""

    part: int
    start: int
    end: int


def group_slices(
    spoken: Sequence[str],
    starts: Iterable[list[int]],
    *,
    join_cost: Callable[[int, int], float],
    first_seconds: float | None = None,
) -> Iterator[list[Slice]]:
    """Yield the slices of each group, in order; together they hold every word of every part once.

    ``starts`` are the sentence starts of each part; ``join_cost`` and ``first_seconds`` are those of `pack`.
    """
    phrases = [
        phrase
        for part, (text, at) in enumerate(zip(spoken, starts, strict=True))
        for phrase in cut_phrases(text, at, part)
    ]
    begin = 0
    for end in pack(phrases, join_cost, first_seconds=first_seconds):
        yield _slices(spoken, phrases[begin:end])
        begin = end


def _slices(spoken: Sequence[str], phrases: list[Phrase]) -> list[Slice]:
    slices: list[Slice] = []
    for phrase in phrases:
        start = phrase.start
        if slices and slices[-1].part == phrase.part:
            start = slices.pop().start
        slices.append(Slice(phrase.part, start, phrase.end))
    return [Slice(part, start, start + len(spoken[part][start:end].rstrip())) for part, start, end in slices]
