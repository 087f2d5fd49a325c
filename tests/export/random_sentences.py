"""Random sentences for the packed model: mixed lengths, speeds, voices, places in the noise."""

from typing import Any, NamedTuple

import numpy as np
import torch

from kokoro_export.random_weights import random_tokens, random_voice


class Case(NamedTuple):
    ids: Any  # [T]
    style: Any  # [256]
    speed: float
    offset: int


def cases(seed: int, count: int, longest: int = 40) -> list[Case]:
    chance = np.random.default_rng(seed)
    return [
        Case(
            random_tokens(length, seed * 100 + number)[0],
            torch.from_numpy(random_voice(str(chance.choice(["af_heart", "bf_emma", "zm_yunxi"])))[length]),
            float(chance.choice([0.5, 0.77, 1.0, 1.3, 2.0])),
            int(chance.integers(0, 65_536)),
        )
        for number, length in enumerate(chance.integers(4, longest + 1, count))
    ]


def batch(chosen: list[Case], dtype: Any = torch.float32) -> tuple[Any, ...]:
    lengths = torch.tensor([len(case.ids) for case in chosen])
    ids = torch.zeros(len(chosen), int(lengths.max()), dtype=torch.long)
    for row, case in zip(ids, chosen, strict=True):
        row[: len(case.ids)] = case.ids
    return (
        ids,
        lengths,
        torch.stack([case.style for case in chosen]).to(dtype),
        torch.tensor([case.speed for case in chosen], dtype=dtype),
        torch.tensor([case.offset for case in chosen]),
    )


def speak(packed: Any, chosen: list[Case]) -> list[tuple[Any, Any]]:
    """The waveform and the durations of each."""
    dtype = next(packed.parameters()).dtype
    with torch.no_grad():
        waveform, samples, durations = packed(*batch(chosen, dtype))
    return [(waveform[item, : samples[item]], durations[item, : len(case.ids)]) for item, case in enumerate(chosen)]


def furthest(one: list[tuple[Any, Any]], other: list[tuple[Any, Any]]) -> float:
    """The largest difference between two waveforms; infinite if their durations differ."""
    if not all(torch.equal(a[1], b[1]) for a, b in zip(one, other, strict=True)):
        return float("inf")
    return max(float((a[0] - b[0]).abs().max()) for a, b in zip(one, other, strict=True))
