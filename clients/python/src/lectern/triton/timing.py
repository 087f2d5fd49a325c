"""Word marks in seconds, in the terms of REST's events."""

from lectern.triton.types import Chunk, TimedChunk
from lectern.types import Word


def timed(chunk: Chunk, text: str) -> TimedChunk:
    """`text` is what was sent: marks point into it."""
    words = [
        Word(
            word=text[mark.text_start : mark.text_end],
            start=round(mark.first_sample / chunk.sample_rate, 4),
            end=round(mark.last_sample / chunk.sample_rate, 4),
            text_start=mark.text_start,
            text_end=mark.text_end,
        )
        for mark in chunk.marks
    ]
    return TimedChunk(chunk.audio, chunk.sample_rate, words)
