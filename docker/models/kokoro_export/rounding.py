"""Proves that the weights of a file in 8 bits are those that it was made from, but for the rounding.

A wrong scale of one convolution among 48 hardly shows in the sound: what they add to it is small.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

LARGEST: Final = 0.51  # of a step


class WrongWeights(Exception):  # noqa: N818 - it names a state of affairs
    """A convolution does not have the weights that it had; nothing is installed."""


def check_rounding(whole: Path, file: Path) -> dict[str, float]:
    """Compare each convolution in 8 bits with the one in single precision of its name. Raises WrongWeights."""
    before = onnx.load(whole).graph
    wanted = {node.name: node for node in before.node if node.op_type == "Conv"}
    values = {one.name: one for one in before.initializer}
    worst = 0.0
    for convolution, index, made, step in _rounded(onnx.load(file).graph):
        own = numpy_helper.to_array(values[wanted[convolution].input[index]])
        error = float((np.abs(made - own) / step).max())
        if not error <= LARGEST:
            raise WrongWeights(f"the 8 bits of {convolution} are {error:.1f} steps away from its weights")
        worst = max(worst, error)
    return {"rounding_steps": worst}


def _rounded(graph: Any) -> Iterator[tuple[str, int, npt.NDArray[Any], npt.NDArray[Any]]]:  # noqa: ANN401
    """Yield each weight and bias in 8 bits: its convolution and its place there, what it means, and the size of a step.

    Raises WrongWeights if there are none.
    """
    values = {one.name: one for one in graph.initializer}
    makers = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    found = 0
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in makers:
            continue
        for index in (1, 2)[: len(node.input) - 1]:
            steps, scale, *zero = (numpy_helper.to_array(values[name]) for name in makers[node.input[index]].input)
            shape = [-1, *[1] * (steps.ndim - 1)]
            step = scale.reshape(shape) if scale.ndim else scale
            offset = zero[0].reshape(shape) if zero and zero[0].ndim else 0
            yield node.name, index, (steps.astype(np.float64) - offset) * step, step
        found += 1
    if not found:
        raise WrongWeights("no convolution is in 8 bits")
