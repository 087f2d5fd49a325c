"""Our own sentences as tokens: what calibrates int8, and what every export is checked with."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from kokoro_export.upstream import architecture

FILE = Path(__file__).with_name("sentences.txt")  # a line is a sentence in Kokoro's phonemes


def tokens() -> list[npt.NDArray[np.int64]]:
    """Return each sentence's ids, with the sign 0 around them."""
    vocabulary = architecture()["vocab"]
    lines = FILE.read_text().splitlines()
    return [np.array([0, *(vocabulary[sign] for sign in line), 0], np.int64) for line in lines]
