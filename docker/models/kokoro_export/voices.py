"""Voices: the published tables, or random ones of the same names, as raw little-endian float32 of 510 x 256."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

ROWS: Final = 510
COLUMNS: Final = 256
LOCK: Final = Path(__file__).with_name("weights.lock.toml")

Table = npt.NDArray[np.float32]


class NotAVoice(Exception):  # noqa: N818 - it names a state of affairs
    """The file holds something else."""


def published_names() -> list[str]:
    return [Path(name).stem for name in tomllib.loads(LOCK.read_text())["sha256"] if name.startswith("voices/")]


def read_published(file: Path) -> Table:
    """Read a voice as it is published. Raises NotAVoice; no code in the file is run."""
    table = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(table, torch.Tensor) or table.shape != (ROWS, 1, COLUMNS) or not torch.isfinite(table).all():
        raise NotAVoice(f"{file} is no voice: a finite tensor of {ROWS} x 1 x {COLUMNS} is one")
    return table.squeeze(1).to(torch.float32).numpy()


def write(voices: Mapping[str, Table], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in voices.items():
        (folder / f"{name}.bin").write_bytes(table.astype("<f4").tobytes())
