"""Word marks in seconds, in the terms of REST's events."""

from lectern.triton.types import Piece, TimedPiece
from lectern.types import Word


def timed(piece: Piece, text: str) -> TimedPiece:
    """`text` is what was sent: marks point into it."""
    words = [
        Word(
            word=text[mark.text_start : mark.text_end],
            start=round(mark.first_sample / piece.sample_rate, 4),
            end=round(mark.last_sample / piece.sample_rate, 4),
            text_start=mark.text_start,
            text_end=mark.text_end,
        )
        for mark in piece.marks
    ]
    return TimedPiece(piece.audio, piece.sample_rate, words)
