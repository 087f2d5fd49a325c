"""Recovers Kokoro's checkpoint and voices from the packages, in the layout in which they are published.

    python -m tests.ears.checkpoint PACKAGES FOLDER

FOLDER gets kokoro-v1_0.pth and voices/*.pt. Each weight is the published one rounded to 8 bits, so this is Kokoro as
the 8-bit file speaks it. It runs where torch is.
"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from kokoro_export.upstream import architecture, build
from tests.ears.eight_bit_graph import EightBitGraph, Weights
from tests.ears.weight_packages import kokoro_graph, kokoro_voices

CHECKPOINT: Final = "kokoro-v1_0.pth"
NOT_IN_THE_GRAPH: Final = ("bert.pooler.weight", "bert.pooler.bias")  # which speech does not use


class MissingWeights(Exception):  # noqa: N818 - it names a state of affairs
    """The graph lacks weights of the model."""


def recover(graph: EightBitGraph) -> dict[str, dict[str, torch.Tensor]]:
    """Returns the parts of the model, each with its parameters by name. Raises MissingWeights."""
    model = build(architecture())
    found: dict[str, Weights] = {}
    for path, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if own:
            found |= {f"{path}.{name}": value for name, value in _weights(graph, path, module, own).items()}
    parameters = {name for name, _ in model.named_parameters()}
    if missing := parameters - found.keys() - set(NOT_IN_THE_GRAPH):
        raise MissingWeights(", ".join(sorted(missing)))
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in model.state_dict().items():
        part, _, name = key.partition(".")
        # Upstream's were trained in parallel: each name begins with "module.". Buffers are the model's own.
        parts.setdefault(part, {})[f"module.{name}"] = (
            _tensor(found[key], value) if key in found else _unused(key, value)
        )
    return parts


def _weights(graph: EightBitGraph, path: str, module: Any, own: dict[str, Any]) -> dict[str, Weights]:
    """Returns the module's own parameters, as far as the graph has them."""
    if isinstance(module, torch.nn.LSTM):
        return graph.lstm(path)
    if isinstance(module, torch.nn.Embedding):
        return {"weight": graph.embedding(path)}
    if isinstance(module, torch.nn.InstanceNorm1d):  # trained without: upstream has them for its own export only
        return {"weight": np.ones(own["weight"].shape, np.float32), "bias": np.zeros(own["bias"].shape, np.float32)}
    found = {name: value for name in own if (value := graph.parameter(f"{path}.{name}")) is not None}
    weight = graph.weight(path)
    if weight is None:
        return found
    if isinstance(module, torch.nn.Linear):
        weight = weight.T
    return found | (_normalised(weight) if "weight_v" in own else {"weight": weight})


def _normalised(weight: Weights) -> dict[str, Weights]:
    """Returns direction and length of each row.

    A row that 8 bits round to nothing has no direction, and torch would divide by 0: any of length 0 is the same.
    """
    length = np.sqrt(np.square(weight.astype(np.float64)).sum((1, 2), keepdims=True)).astype(np.float32)
    return {"weight_v": np.where(length == 0, np.float32(1), weight), "weight_g": length}


def _tensor(value: Weights, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(value, np.float32)).reshape(like.shape)


def _unused(name: str, value: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(value) if name in NOT_IN_THE_GRAPH else value.clone()


def main(packages: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    (folder / "voices").mkdir(parents=True, exist_ok=True)
    torch.save(recover(EightBitGraph(kokoro_graph(packages))), folder / CHECKPOINT)
    for name, table in kokoro_voices(packages).items():
        torch.save(torch.from_numpy(table), folder / "voices" / f"{name}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
