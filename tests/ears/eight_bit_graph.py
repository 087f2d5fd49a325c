"""Reads weights back out of an 8-bit ONNX graph, as ONNX Runtime's dynamic quantization leaves it.

A weight is `(value - zero point) * scale`, with one scale for the tensor or for each column. A node is named after the
module that it was exported from.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Weights = npt.NDArray[np.float32]

_LAYERS: Final = ("ConvInteger", "Conv", "ConvTranspose", "MatMulInteger", "MatMul", "DynamicQuantizeLSTM")
_EIGHT_BITS: Final = "_quantized"
_PREFIXES: Final = ("encoder", "decoder")  # of the two halves that the file's exporter made of the model
# The modules of the prosody predictor, which the exporter of the file has taken out of it.
_OF_PREDICTOR: Final = ("F0", "N", "F0_proj", "N_proj", "duration_proj", "lstm", "shared")
_LSTM_INPUTS: Final = {"ih": (1, 8, 9), "hh": (2, 10, 11)}  # the weight, its scale and its zero point
_LSTM_BIAS: Final = 3


class EightBitGraph:
    def __init__(self, content: bytes) -> None:
        graph = onnx.load_from_string(content).graph
        self._nodes: list[Any] = list(graph.node)
        self._values: dict[str, npt.NDArray[Any]] = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self._names = {_without_prefix(name): name for name in self._values}
        self._layers: dict[str, Any] = {}
        for node in self._nodes:
            if node.op_type in _LAYERS and any(name in self._values for name in node.input):
                self._layers.setdefault(_module_of(node.name), node)

    def parameter(self, name: str) -> Weights | None:
        """Returns a parameter that was left in single precision; None if the graph has none of this name."""
        own = self._names.get(name, _EIGHT_BITS)
        return None if own.endswith(_EIGHT_BITS) else self._values[own]

    def weight(self, module: str) -> Weights | None:
        """Returns the weight of a convolution or a matrix, in the layout of its operator; None if it has no node."""
        node = self._layers.get(module)
        if node is None:
            return None
        name = node.input[1]
        if not name.endswith(_EIGHT_BITS):
            return self._values[name]
        scale = name.removesuffix(_EIGHT_BITS) + "_scale"
        return _dequantized(self._values[name], self._values[scale], self._values[node.input[3]])

    def embedding(self, module: str) -> Weights:
        """Returns a table of embeddings: rows are taken in 8 bits and dequantized behind that."""
        name = self._names[f"{module}.weight"]
        gather = next(node for node in self._nodes if node.op_type == "Gather" and node.input[0] == name)
        behind = next(
            node for node in self._nodes if node.op_type == "DequantizeLinear" and node.input[0] == gather.output[0]
        )
        return _dequantized(self._values[name], self._values[behind.input[1]], self._values[behind.input[2]])

    def lstm(self, module: str) -> dict[str, Weights]:
        """Returns the parameters of a bidirectional LSTM by torch's names."""
        names = self._layers[module].input
        found = {}
        for kind, (value, scale, zero) in _LSTM_INPUTS.items():
            columns = [self._values[names[place]].reshape(2, 1, -1) for place in (scale, zero)]
            weight = _dequantized(self._values[names[value]], *columns).transpose(0, 2, 1)  # [2, 4 * hidden, input]
            for direction, suffix in enumerate(("", "_reverse")):
                found[f"weight_{kind}_l0{suffix}"] = _in_torch_order(weight[direction])
        for direction, suffix in enumerate(("", "_reverse")):
            of_input, of_state = np.split(self._values[names[_LSTM_BIAS]][direction], 2)
            found[f"bias_ih_l0{suffix}"], found[f"bias_hh_l0{suffix}"] = map(_in_torch_order, (of_input, of_state))
        return found


def _dequantized(value: npt.NDArray[Any], scale: npt.NDArray[Any], zero: npt.NDArray[Any]) -> Weights:
    made: Weights = ((value.astype(np.float64) - zero.astype(np.float64)) * scale.astype(np.float64)).astype(np.float32)
    return made


def _in_torch_order(gates: Weights) -> Weights:
    """Returns the gates as torch orders them, input, forget, cell, output, from ONNX's input, output, forget, cell."""
    i, o, f, c = np.split(gates, 4)
    return np.concatenate([i, f, c, o])


def _without_prefix(name: str) -> str:
    """Returns the parameter's name in the model, without what the exporter of the file put before it."""
    prefix, _, rest = name.partition(".")
    return (rest if prefix in _PREFIXES else name).removesuffix(_EIGHT_BITS)


def _module_of(node: str) -> str:
    """Returns the module's path in the model: "/encoder/F0.0/conv1/Conv_quant" is predictor.F0.0.conv1."""
    steps = node.strip("/").split("/")[:-1]
    if steps and steps[0] in _PREFIXES:
        steps = steps[1:]
    path: list[str] = []
    for step in steps:
        if path and step.startswith(path[-1] + "."):  # "cnn.0/cnn.0.0" is one step
            path.pop()
        path.append(step)
    name = ".".join(path)
    return f"predictor.{name}" if name.split(".")[0] in _OF_PREDICTOR else name
