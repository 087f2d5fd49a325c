"""Captions, one segment after another, so that they leave while speech is made."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Literal

from lectern.captions import WRITERS, TextRange
from orchestrator.speech.response.timeline import TimedWord, Timeline
from orchestrator.speech.synthesis.segment_stream import SegmentChunks

CaptionFormat = Literal["json", "srt", "vtt"]
CONTENT_TYPES: Final[dict[CaptionFormat, str]] = {
    "json": "application/json",
    "srt": "application/x-subrip",
    "vtt": "text/vtt; charset=utf-8",
}


async def captions(
    chunks: SegmentChunks, timeline: Timeline, caption_format: CaptionFormat
) -> AsyncGenerator[bytes, None]:
    """Yields what is known after each segment. Raises what made a segment fail."""
    writer = WRITERS[caption_format]()
    words: list[TimedWord] = []
    current: int | None = None  # as any segment may be left out, also the first

    def written() -> bytes:
        if current is None:
            return b""
        return writer.segment(words, TextRange(timeline.text(current), timeline.extent(current))).encode()

    async with aclosing(chunks):
        async for index, chunk in chunks:
            if index != current:
                if current is not None:
                    yield written()
                words, current = [], index
            words.extend(timeline.add(index, chunk))
    yield written() + writer.finish(timeline.seconds).encode()
