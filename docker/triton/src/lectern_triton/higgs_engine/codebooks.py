"""Audio codes: a frame, of which a second has 25, has one code of each of 8 codebooks.

The models delay the codebooks: each is a row later than the one before.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CODEBOOKS: Final = 8
BEGIN: Final = 1024  # stands before the first code of a codebook
END: Final = 1025  # stands after the last

Codes = NDArray[np.int16]
"""Shape [frames, CODEBOOKS]: the codes that the codec makes and takes."""

Rows = NDArray[np.int64]
"""Shape [rows, CODEBOOKS]: the delayed codes that the models make and take."""

Row = tuple[int, ...]


def delayed(codes: Codes) -> Rows:
    """Delay the codes of a whole recording, with begin and end. There are 9 more rows than frames."""
    frames = len(codes)
    rows = np.full((frames + CODEBOOKS + 1, CODEBOOKS), END, np.int64)
    for book in range(CODEBOOKS):
        rows[: book + 1, book] = BEGIN
        rows[book + 1 : book + 1 + frames, book] = codes[:, book]
    return rows


def undelayed(rows: Rows, first: int, last: int) -> Codes:
    """Returns the frames from `first` up to `last` from rows that start with the row before all codes.

    Where a model put a begin or an end among the codes, the nearest code replaces it.
    """
    frames = [rows[first + book + 1 : last + book + 1, book] for book in range(CODEBOOKS)]
    return np.stack(frames, axis=1).clip(0, BEGIN - 1).astype(np.int16)


def frames_in(rows: int) -> int:
    """Returns how many frames are complete in `rows` rows, none of which is all ends."""
    return max(0, rows - CODEBOOKS)
