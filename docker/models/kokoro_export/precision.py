"""Copies of the exported model in other precisions: fp16 for GPUs, int8 for CPUs.

In fp16 the convolutions of decoder and generator, 97 % of the arithmetic, are in half precision. All else stays in
single precision: durations and pitch decide what is said and how, the source's phase and the spectrum span too wide a
range, and the statistics of the norms are sums over time that would overflow.

In int8 the convolutions of the generator are in 8 bits, calibrated on our own sentences.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from kokoro_export.upstream import calibration_sentences

_FP16_SCOPES: Final = ("/generator/blocks", "/generator/noise_blocks", "/generator/ups", "/decode", "/encode")
_FP16_OPERATORS: Final = ("Conv", "ConvTranspose")
# The resolution blocks of the generator: 48 convolutions of the real model, 86 % of its time.
_INT8_SCOPES: Final = ("/generator/blocks", "/generator/noise_blocks")
EVERY: Final = 3  # sentences: calibrating on all takes three times as long and gives the same ranges
LARGEST_ROUNDING: Final = 0.51  # of a step


class WrongWeights(Exception):  # noqa: N818 - it names a state of affairs
    """An 8-bit convolution has other weights than the one it was made from; nothing is installed."""


def to_fp16(source: Path, target: Path) -> None:
    """Writes a half-precision copy of an exported model; its inputs and outputs stay as they are."""
    model = onnx.load(source)
    graph = model.graph
    weights = {initializer.name: initializer for initializer in graph.initializer}
    nodes: list[Any] = []
    halved: dict[str, str] = {}
    for node in graph.node:
        if node.op_type not in _FP16_OPERATORS or not any(scope in node.name for scope in _FP16_SCOPES):
            nodes.append(node)
            continue
        signal, *parameters = node.input
        for name in parameters:
            if name not in halved:
                halved[name] = f"{name}_half"
                values = numpy_helper.to_array(weights[name]).astype(np.float16)
                graph.initializer.append(numpy_helper.from_array(values, halved[name]))
        (output,) = node.output
        down, up = f"{node.name}/half", f"{node.name}/made"
        nodes.append(helper.make_node("Cast", [signal], [down], name=f"{down}/cast", to=TensorProto.FLOAT16))
        node.input[:] = [down, *(halved[name] for name in parameters)]
        node.output[:] = [up]
        nodes += [node, helper.make_node("Cast", [up], [output], name=f"{up}/cast", to=TensorProto.FLOAT)]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in names_read(node)}
    kept = [initializer for initializer in graph.initializer if initializer.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, target)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, styles: Sequence[npt.NDArray[np.float32]]) -> None:
        self._inputs = self._each(styles)

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        return next(self._inputs, None)

    @staticmethod
    def _each(styles: Sequence[npt.NDArray[np.float32]]) -> Iterator[dict[str, npt.NDArray[Any]]]:
        for number, ids in enumerate(calibration_sentences()[::EVERY]):
            yield {
                "input_ids": ids[np.newaxis],
                "input_lengths": np.array([len(ids)]),
                "style": styles[number % len(styles)][len(ids) - 3][np.newaxis],
                "speed": np.ones(1, np.float32),
                "noise_offset": np.array([number], np.int64),
            }


def to_int8(source: Path, target: Path, styles: Sequence[npt.NDArray[np.float32]]) -> None:
    """Writes an 8-bit copy of an exported model, calibrated with sentences in these voices' styles [510, 256]."""
    model = onnx.load(source, load_external_data=False)
    nodes = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and any(scope in node.name for scope in _INT8_SCOPES)
    ]
    with tempfile.TemporaryDirectory() as folder:
        quantized = Path(folder) / "model.onnx"
        quantize_static(
            source,
            quantized,
            _Calibration(styles),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_quantize=nodes,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        made = onnx.load(quantized)
    _quantize_for_branches(made.graph)
    onnx.checker.check_model(made)
    onnx.save(made, target)


def _quantize_for_branches(graph: Any) -> None:  # noqa: ANN401 - onnx has no types
    """Makes the branches of each If read the 8-bit output of a convolution.

    The quantizer does not look into branches. They would read the unquantized output, and ONNX Runtime would compute
    the convolution in single precision for them.
    """
    readers = {name: node for node in graph.node for name in node.input}
    restored = {
        node.output[0]: readers[readers[node.output[0]].output[0]].output[0]
        for node in graph.node
        if node.op_type == "Conv" and node.output[0] in readers
        if readers[node.output[0]].op_type == "QuantizeLinear"
    }
    for inner in (inner for node in graph.node for inner in nodes_of_branches(node)):
        inner.input[:] = [restored.get(name, name) for name in inner.input]
    ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in in_order(graph.node)]
    del graph.node[:]
    graph.node.extend(ordered)


def check_rounding(whole: Path, file: Path) -> dict[str, float]:
    """Compares the weights of each 8-bit convolution with the single-precision ones of `whole`. Raises WrongWeights.

    In the sound a wrong scale of one convolution among 48 hardly shows: what each adds is small.
    """
    before = onnx.load(whole).graph
    wanted = {node.name: node for node in before.node if node.op_type == "Conv"}
    values = {one.name: one for one in before.initializer}
    worst = 0.0
    for convolution, index, made, step in _rounded(onnx.load(file).graph):
        own = numpy_helper.to_array(values[wanted[convolution].input[index]])
        error = float((np.abs(made - own) / step).max())
        if not error <= LARGEST_ROUNDING:
            raise WrongWeights(f"the 8 bits of {convolution} are {error:.1f} steps away from its weights")
        worst = max(worst, error)
    return {"rounding_steps": worst}


def _rounded(graph: Any) -> Iterator[tuple[str, int, npt.NDArray[Any], npt.NDArray[Any]]]:  # noqa: ANN401
    """Yields each 8-bit weight and bias: its convolution and input, its values, and the size of a step.

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


def names_read(node: Any) -> Iterator[str]:  # noqa: ANN401 - onnx has no types
    """Yields the names of a node's inputs, and of what the branches of an If read: onnxruntime's tools forget those."""
    yield from node.input
    for inner in nodes_of_branches(node):
        yield from names_read(inner)


def nodes_of_branches(node: Any) -> Iterator[Any]:  # noqa: ANN401
    for attribute in node.attribute:
        yield from attribute.g.node


def in_order(nodes: Iterable[Any]) -> list[Any]:
    """Returns the nodes in an order in which each comes after its inputs."""
    waiting = list(nodes)
    makers = {name: node for node in waiting for name in node.output}
    placed: set[str] = set()
    ordered = []
    stack = waiting[::-1]
    while stack:
        node = stack[-1]
        missing = [makers[name] for name in names_read(node) if name in makers and name not in placed]
        if missing and node.output[0] not in placed:
            stack += missing
            continue
        stack.pop()
        if node.output[0] not in placed:
            ordered.append(node)
            placed.update(node.output)
    return ordered
