"""The limits of the model's inputs, and what the graph does with an item of a batch that exceeds them.

Triton batches requests of several callers. NVIDIA's backend has no place for a check of ours before that, so the graph
itself makes such an item harmless: an id outside of the table would fail the whole batch, a speed near 0 would take all
memory, and a NaN would reach all items through the statistics of the norms. The file carries the limits too: our
stand-in for that backend refuses by them what is not batched yet.
"""

import json
from typing import Any, Final

import torch
from torch import Tensor

LONGEST: Final = 512  # ids, with the zeros around them: the language model has no more positions
SHORTEST: Final = 2  # the zeros alone
SLOWEST: Final = 0.25
FASTEST: Final = 4.0
LARGEST_STYLE: Final = 100.0  # published voices stay within 3; far more than this still hurts nobody
NOISE_ENTRIES: Final = 65_536
PROPERTY: Final = "limits"  # of the ONNX file


def neutral_where_bad(
    ids: Tensor, lengths: Tensor, style: Tensor, speed: Tensor, signs: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns which items are good, [N] of 0 and 1, and all four inputs, where the bad items are short and empty.

    `signs` is the number of ids that there are. An offset into the noise is never bad: it is taken modulo the table.
    """
    width = ids.shape[1]
    bad = _count((ids < 0) | (ids >= signs)) + _count(~(style.abs() <= LARGEST_STYLE))  # not > : a NaN is bad as well
    good = (bad == 0) & (lengths >= SHORTEST) & (lengths <= width) & (speed >= SLOWEST) & (speed <= FASTEST)
    shortest = torch.full_like(lengths, SHORTEST).clamp(max=width)
    return (
        good.to(torch.int64),
        torch.where(good.unsqueeze(1), ids, torch.zeros_like(ids)),
        torch.where(good, lengths, shortest),
        torch.where(good.unsqueeze(1), style, torch.zeros_like(style)),
        torch.where(good, speed, torch.full_like(speed, FASTEST)),
    )


def as_property(signs: int) -> str:
    """Returns the limits of each input as JSON, which lectern_triton.onnxruntime_backend reads."""
    limits: dict[str, dict[str, Any]] = {
        "input_ids": {"least": 0, "most": signs - 1, "narrowest": SHORTEST, "widest": LONGEST},
        "input_lengths": {"least": SHORTEST, "most": "input_ids"},
        "style": {"least": -LARGEST_STYLE, "most": LARGEST_STYLE},
        "speed": {"least": SLOWEST, "most": FASTEST},
        "noise_offset": {"least": 0, "most": NOISE_ENTRIES - 1},
    }
    return json.dumps(limits)


def _count(condition: Tensor) -> Tensor:
    return condition.to(torch.int64).sum(1)
