"""When each word of a text is heard, in seconds from the start of all its audio, in the words of that text."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lectern.triton import Chunk
from orchestrator.speech.planner.script import Script
from orchestrator.text.spans import Span, slice_spans


class TimedWord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Offsets are characters of the origin's text; both ends as in a slice."""

    word: str
    start: float  # seconds
    end: float
    text_start: int
    text_end: int
    block: UUID | None = None
    turn: int | None = None


class Timeline:
    """Follows the chunks of a response, and times their words in the text of each segment's origin."""

    def __init__(self, script: Script) -> None:
        self._segments = script.segments
        self._origins = script.origins
        self._index = -1  # of the segment that is heard
        self._begin = 0.0  # of that segment's speech, in seconds
        self.seconds = 0.0

    def add(self, index: int, chunk: Chunk) -> list[TimedWord]:
        """Returns the words whose time became known with this chunk."""
        if index != self._index:
            self._index, self._begin = index, self.seconds + self._segments[index].silence
        self.seconds += len(chunk.audio) / chunk.sample_rate
        return [self._word(chunk.sample_rate, *mark) for mark in chunk.marks]

    def _word(self, rate: int, first: int, last: int, start: int, end: int) -> TimedWord:
        origin = self._origins[self._index]
        text_start, text_end = shown_at(self._segments[self._index].spans, start, end)
        return TimedWord(
            word=origin.text[text_start:text_end],
            start=round(self._begin + first / rate, 4),
            end=round(self._begin + last / rate, 4),
            text_start=text_start,
            text_end=text_end,
            block=origin.block,
            turn=origin.turn,
        )

    def text(self, index: int) -> str:
        """Returns the text that the offsets of a segment's words count in."""
        return self._origins[index].text

    def extent(self, index: int) -> tuple[int, int]:
        """Returns the segment's slice of its origin's text. The slices of one origin lie end to end."""
        origin = self._origins[index]
        before, after = (
            0 <= other < len(self._origins) and self._origins[other] is origin for other in (index - 1, index + 1)
        )
        begin = self._shown_start(index) if before else origin.start
        end = self._shown_start(index + 1) if after else len(origin.text) if origin.end is None else origin.end
        return begin, max(begin, end)

    def _shown_start(self, index: int) -> int:
        spans = self._segments[index].spans
        return spans[0][2] if spans else 0


def shown_at(spans: Sequence[Span], start: int, end: int) -> tuple[int, int]:
    """Returns where the spoken range comes from. Without spans that is the range itself."""
    shown = slice_spans(list(spans), start, end, 0) if spans else []
    if not shown:
        return start, end
    return shown[0][2], shown[-1][3]
