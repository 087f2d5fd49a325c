"""The style tables of the installed voices and of mixes: one row for each number of phonemes."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

ROWS: Final = 510  # a row for 1 to 510 phonemes
COLUMNS: Final = 256
MIXES_CACHED: Final = 64  # 0.5 MB each

Style = npt.NDArray[np.float32]


class NoVoices(Exception):  # noqa: N818 - it names a state of affairs
    """Nothing is installed to speak with."""


class StyleTables:
    """Reads a folder of NAME.bin, each 510 x 256 little-endian float32."""

    def __init__(self, folder: Path) -> None:
        """Raises NoVoices if the folder has none, and ValueError for a file that is no table."""
        tables = {}
        for file in sorted(folder.glob("*.bin")):
            values = np.fromfile(file, "<f4")
            if values.size != ROWS * COLUMNS or not np.isfinite(values).all():
                raise ValueError(f"{file} is not a voice: it must hold {ROWS} x {COLUMNS} finite float32 numbers")
            tables[file.stem] = values.reshape(ROWS, COLUMNS)
        if not tables:
            raise NoVoices(f"no voices are installed in {folder}: run `make kokoro`")
        self._tables: Mapping[str, Style] = tables
        self._mixed = lru_cache(MIXES_CACHED)(self._mix)

    @property
    def names(self) -> list[str]:
        return list(self._tables)

    def row(self, weights: Mapping[str, float], phonemes: int) -> Style:
        """Returns the style vector [256] of a mix of voices for a sentence of so many phonemes."""
        row: Style = self._mixed(tuple(sorted(weights.items())))[min(max(phonemes, 1), ROWS) - 1]
        return row

    def _mix(self, weights: tuple[tuple[str, float], ...]) -> Style:
        total = sum(weight for _, weight in weights)
        tables = (self._tables[name] * np.float32(weight / total) for name, weight in weights)
        mixed: Style = np.sum(list(tables), axis=0, dtype=np.float32)
        return mixed
