"""Merges requests into one batch along their first dimension, and splits the outputs of the batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Tensors = Mapping[str, npt.NDArray[Any]]


def merge(feeds: Sequence[Tensors]) -> Tensors:
    if len(feeds) == 1:
        return feeds[0]
    return {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}


def split(made: Tensors, sizes: Sequence[int]) -> list[Tensors]:
    """Splits outputs into those of requests with these sizes. Raises ValueError if rows are missing."""
    for name, value in made.items():
        if value.ndim == 0 or len(value) != sum(sizes):
            raise ValueError(f"the output {name!r} has the shape {list(value.shape)} for a batch of {sum(sizes)}")
    ends = np.cumsum(sizes)
    return [
        {name: value[end - size : end] for name, value in made.items()} for size, end in zip(sizes, ends, strict=True)
    ]
