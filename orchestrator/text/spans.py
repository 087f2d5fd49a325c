"""Spans: the map that leads every spoken character back to what is shown."""

from bisect import bisect_right
from operator import itemgetter
from typing import NamedTuple

Span = tuple[int, int, int, int]
"""``(spoken_start, spoken_end, shown_start, shown_end)``: equal lengths map one to one, others whole to whole."""


class Spoken(NamedTuple):
    """The spoken text of one element. Spans whose sides differ in length have at most one spoken character."""

    text: str
    spans: list[Span]


class SpokenBuilder:
    """Concatenates slices of spoken text, line ends between them, and moves their spans to fit."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._length = 0
        self._spans: list[Span] = []
        self._shown_end = 0

    def add(
        self, spoken: Spoken, start: int, end: int, shown: tuple[int, int], shown_shift: int, separator: str = "\n\n"
    ) -> int:
        """Adds ``spoken[start:end]``, which stands for the range ``shown``, and returns where it begins."""
        if self._texts:
            shown_end = self._shown_end
            for _ in separator:
                add_span(self._spans, (self._length, self._length + 1, shown_end, shown[0]))
                self._length, shown_end = self._length + 1, shown[0]
            self._texts.append(separator)
        begin = self._length
        for span in slice_spans(spoken.spans, start, end, begin - start, shown_shift):
            add_span(self._spans, span)
        self._texts.append(spoken.text[start:end])
        self._length += end - start
        self._shown_end = shown[1]
        return begin

    def build(self) -> Spoken:
        return Spoken("".join(self._texts), self._spans)


def next_word(text: str, position: int) -> int:
    """Returns the first position from here on that has no white space."""
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def shown_range(spoken: Spoken, start: int, end: int, shown: str) -> tuple[int, int]:
    """Returns the range of ``shown`` that spoken ``[start, end)`` stands for. Adjacent slices leave no letter out.

    White space at a cut is dropped. At the ends of the whole text it stays, as an empty table cell may stand there.
    """
    following = next_word(spoken.text, end)
    first = _shown_position(spoken.spans, start) if start > 0 else 0
    if following >= len(spoken.text):
        return first, len(shown)
    last = _shown_position(spoken.spans, following)
    return first, first + len(shown[first:last].rstrip())


def add_span(spans: list[Span], span: Span) -> None:
    """Appends a span, or lengthens the last one where both map one to one without a gap."""
    if spans:
        spoken_start, spoken_end, shown_start, shown_end = spans[-1]
        unbroken = (spoken_end, shown_end) == (span[0], span[2])
        if unbroken and spoken_end - spoken_start == shown_end - shown_start and span[1] - span[0] == span[3] - span[2]:
            spans[-1] = (spoken_start, span[1], shown_start, span[3])
            return
    spans.append(span)


def slice_spans(spans: list[Span], start: int, end: int, spoken_shift: int, shown_shift: int = 0) -> list[Span]:
    """Returns the spans of spoken ``[start, end)``, moved by the shifts."""
    sliced: list[Span] = []
    for index in range(bisect_right(spans, start, key=itemgetter(0)) - 1, len(spans)):
        spoken_start, spoken_end, shown_start, shown_end = spans[index]
        if spoken_start >= end:
            break
        if spoken_end - spoken_start == shown_end - shown_start:
            shown_start += max(0, start - spoken_start)
            shown_end -= max(0, spoken_end - end)
        sliced.append(
            (
                max(spoken_start, start) + spoken_shift,
                min(spoken_end, end) + spoken_shift,
                shown_start + shown_shift,
                shown_end + shown_shift,
            )
        )
    return sliced


def _shown_position(spans: list[Span], position: int) -> int:
    """Returns where the spoken character at ``position`` comes from."""
    spoken_start, spoken_end, shown_start, shown_end = spans[bisect_right(spans, position, key=itemgetter(0)) - 1]
    one_to_one = spoken_end - spoken_start == shown_end - shown_start
    return shown_start + (position - spoken_start if one_to_one else 0)
