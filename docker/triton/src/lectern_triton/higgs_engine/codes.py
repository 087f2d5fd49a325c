"""Audio as the models have it: a code of each of 8 codebooks for each frame, 25 frames a second."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CODEBOOKS: Final = 8
BEGIN: Final = 1024  # stands in a codebook's place before its first code
END: Final = 1025  # and after its last

Codes = NDArray[np.int16]
"""Of shape [frames, CODEBOOKS]: what the codec says and understands."""

Rows = NDArray[np.int64]
"""Of shape [rows, CODEBOOKS]: what the models say and understand. Each codebook is a row later than the one before."""

Row = tuple[int, ...]


def delayed(codes: Codes) -> Rows:
    """Put the codes of a whole recording, with begin and end, into rows: 9 more than there are frames."""
    frames = len(codes)
    rows = np.full((frames + CODEBOOKS + 1, CODEBOOKS), END, np.int64)
    for book in range(CODEBOOKS):
        rows[: book + 1, book] = BEGIN
        rows[book + 1 : book + 1 + frames, book] = codes[:, book]
    return rows


def undelayed(rows: Rows, first: int, last: int) -> Codes:
    """Take the frames from `first` up to `last` out of rows that begin with the row before all codes.

    Where a model put a begin or an end among the codes, the nearest code stands for it.
    """
    frames = [rows[first + book + 1 : last + book + 1, book] for book in range(CODEBOOKS)]
    return np.stack(frames, axis=1).clip(0, BEGIN - 1).astype(np.int16)


def frames_in(rows: int) -> int:
    """How many frames are complete in so many rows of which none is all end."""
    return max(0, rows - CODEBOOKS)
