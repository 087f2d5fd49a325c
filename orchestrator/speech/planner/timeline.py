"""When each word of a text is heard, in seconds from the start of all its audio, in the words of that text."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lectern.triton import Chunk
from orchestrator.speech.planner.segments import Segment
from orchestrator.text.spans import Span, slice_spans


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a segment's words come from: the text that its spans lead to, and what that is a part of."""

    text: str
    start: int = 0  # the part of the text that is said
    end: int | None = None  # else that of the text
    block: UUID | None = None
    turn: int | None = None


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
    """Follows the pieces of a response. ``origins`` has one entry for each segment."""

    def __init__(self, segments: Sequence[Segment], origins: Sequence[Origin]) -> None:
        self._segments = segments
        self._origins = origins
        self._place = -1
        self._begin = 0.0  # of the segment that is heard, in seconds
        self.seconds = 0.0

    def hear(self, place: int, piece: Chunk) -> list[TimedWord]:
        """The words whose time became known with this piece."""
        if place != self._place:
            self._place, self._begin = place, self.seconds + self._segments[place].silence
        self.seconds += len(piece.audio) / piece.sample_rate
        return [self._word(piece.sample_rate, *mark) for mark in piece.marks]

    def _word(self, rate: int, first: int, last: int, start: int, end: int) -> TimedWord:
        origin = self._origins[self._place]
        text_start, text_end = shown_at(self._segments[self._place].spans, start, end)
        return TimedWord(
            word=origin.text[text_start:text_end],
            start=round(self._begin + first / rate, 4),
            end=round(self._begin + last / rate, 4),
            text_start=text_start,
            text_end=text_end,
            block=origin.block,
            turn=origin.turn,
        )

    def text(self, place: int) -> str:
        """What the offsets of a segment's words count in."""
        return self._origins[place].text

    def extent(self, place: int) -> tuple[int, int]:
        """The segment's part of its text, as a slice. Parts of one origin lie end to end and leave nothing out."""
        origin = self._origins[place]
        before, after = (
            0 <= other < len(self._origins) and self._origins[other] is origin for other in (place - 1, place + 1)
        )
        begin = self._shown_start(place) if before else origin.start
        end = self._shown_start(place + 1) if after else len(origin.text) if origin.end is None else origin.end
        return begin, max(begin, end)

    def _shown_start(self, place: int) -> int:
        spans = self._segments[place].spans
        return spans[0][2] if spans else 0


def shown_at(spans: Sequence[Span], start: int, end: int) -> tuple[int, int]:
    """Where the spoken range comes from. Without spans it stands where it is said."""
    pieces = slice_spans(list(spans), start, end, 0) if spans else []
    if not pieces:
        return start, end
    return pieces[0][2], pieces[-1][3]
