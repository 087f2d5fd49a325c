"""Copies of the exported model in other precisions: fp16 for GPUs, int8 for CPUs.

In fp16 the convolutions of decoder and generator, 97 % of the arithmetic, are in half precision. All else stays in
single precision: durations and pitch decide what is said and how, the source's phase and the spectrum span too wide a
range, and the statistics of the norms are sums over time that would overflow.

In int8 the convolutions of the generator's resolution blocks, 86 % of the time, are in 8 bits, calibrated on our own
sentences.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from kokoro_export.upstream import calibration_sentences

_FP16_SCOPES: Final = ("/generator/blocks", "/generator/noise_blocks", "/generator/ups", "/decode", "/encode")
_FP16_OPERATORS: Final = ("Conv", "ConvTranspose")
_INT8_SCOPES: Final = ("/generator/blocks", "/generator/noise_blocks")
CALIBRATION: Final = 8  # sentences, the shortest, each in another voice: all of them take six times as long
LEVELS: Final = 255
TINIEST: Final = 1e-6  # a range: a channel may be silent in all sentences
LEAST_SCALE: Final = 1e-6  # of what is added to a convolution, which has 32 bits
LARGEST_ROUNDING: Final = 0.51  # of a step
_EXTREMES: Final = ("ReduceMin", "ReduceMax")


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
    _replace_nodes(graph, nodes)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, target)


def to_int8(source: Path, target: Path, styles: Sequence[npt.NDArray[np.float32]]) -> None:
    """Writes an 8-bit copy of an exported model, calibrated with sentences in these voices' styles [510, 256].

    Each channel of a convolution's input and output gets a range of its own. ONNX Runtime's 8-bit convolution takes one
    scale for all channels; the others go into its weights, which have a scale for each row, and into the conversion of
    the result (SmoothQuant, Xiao 2023, on both sides). That costs no time, and the sound is twice as near in dB.
    """
    model = onnx.load(source)
    graph = model.graph
    chosen = [node for node in graph.node if node.op_type == "Conv" and any(part in node.name for part in _INT8_SCOPES)]
    ranges = _ranges(model, sorted({name for node in chosen for name in (node.input[0], node.output[0])}), styles)
    values = {one.name: one for one in graph.initializer}
    names = {node.name for node in chosen}
    nodes: list[Any] = []
    for node in graph.node:
        if node.name not in names:
            nodes.append(node)
            continue
        weights, bias = (numpy_helper.to_array(values[name]).astype(np.float64) for name in node.input[1:])
        made, constants = _in_8_bits(node, weights, bias, ranges)
        nodes += made
        graph.initializer.extend(constants)
    _replace_nodes(graph, nodes)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _replace_nodes(graph: Any, nodes: list[Any]) -> None:  # noqa: ANN401 - onnx has no types
    """Gives a graph other nodes, and drops the constants that none of them reads."""
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in names_read(node)}
    kept = [initializer for initializer in graph.initializer if initializer.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _in_8_bits(
    node: Any,  # noqa: ANN401 - onnx has no types
    weights: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    ranges: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
) -> tuple[list[Any], list[Any]]:
    """Returns the nodes and constants that replace a convolution."""
    signal, (output,) = node.input[0], node.output
    # Zero must be one number for all channels of the input: with it the convolution pads.
    zero, steps = _steps_with_one_zero(*ranges[signal])
    # The zero of a channel is one of its levels.
    least, most = np.minimum(ranges[output][0], 0), np.maximum(ranges[output][1], 0)
    made_steps = _single(np.maximum(most - least, TINIEST) / LEVELS)
    made_zeros = np.round(-least / made_steps)
    within = weights * steps[:, None, None]
    # A step of the convolution's own result is 1, and its zero is 0.
    scale = _single(np.maximum(np.abs(within).max((1, 2, 3)) / 127 / made_steps, LEAST_SCALE))
    rows = np.round(within / (scale * made_steps)[:, None, None, None])
    shift = np.round((bias / made_steps + made_zeros) / scale)

    constants: list[Any] = []

    def constant(name: str, value: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, dtype), f"{node.name}/{name}"))
        return str(constants[-1].name)

    one, nothing = constant("one", 1, np.float32), constant("nothing", 0, np.uint8)
    zeros = constant("input_zeros", np.full(len(steps), zero), np.uint8)
    steps_in = constant("input_steps", steps, np.float32)
    into = [signal, steps_in, zeros]
    read = [f"{node.name}/input_8", one, constant("input_zero", zero, np.uint8)]
    row_scale = constant("weight_steps", scale, np.float32)
    row = [constant("weights", rows, np.int8), row_scale, constant("weight_zeros", np.zeros(len(rows)), np.int8)]
    # What is added has the scale of the products.
    added = [constant("bias", shift, np.int32), row_scale, constant("bias_zeros", np.zeros(len(rows)), np.int32)]
    back = [constant("output_steps", made_steps, np.float32), constant("output_zeros", made_zeros, np.uint8)]
    made_8 = f"{node.name}/output_8"
    names = [f"{node.name}/{name}" for name in ("signal", "rows", "added", "made")]
    convolution = onnx.NodeProto()
    convolution.CopyFrom(node)
    convolution.input[:], convolution.output[:] = names[:3], names[3:]
    nodes = [
        helper.make_node("QuantizeLinear", into, [read[0]], name=f"{node.name}/down", axis=1),
        helper.make_node("DequantizeLinear", read, [names[0]], name=names[0]),
        helper.make_node("DequantizeLinear", row, [names[1]], name=names[1], axis=0),
        helper.make_node("DequantizeLinear", added, [names[2]], name=names[2], axis=0),
        convolution,
        helper.make_node(
            "QuantizeLinear", [*convolution.output, one, nothing], [made_8], name=f"{node.name}/made_down"
        ),
        helper.make_node("DequantizeLinear", [made_8, *back], [output], name=f"{node.name}/up", axis=1),
    ]
    return nodes, constants


def _steps_with_one_zero(
    least: npt.NDArray[np.float64], most: npt.NDArray[np.float64]
) -> tuple[int, npt.NDArray[np.float64]]:
    """Returns the zero for which the channels' steps are smallest, as a mean of their squares, and the steps."""
    least, most = np.minimum(least, 0), np.maximum(most, 0)
    zeros = np.arange(1, LEVELS)[:, None]
    steps = np.maximum(np.maximum(most / (LEVELS - zeros), -least / zeros), TINIEST / LEVELS)
    best = int(np.square(steps).sum(1).argmin())
    return int(zeros[best, 0]), _single(steps[best])


def _single(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the values as the file will hold them, in single precision."""
    return values.astype(np.float32).astype(np.float64)


def _ranges(
    model: Any,  # noqa: ANN401 - onnx has no types
    names: Sequence[str],
    styles: Sequence[npt.NDArray[np.float32]],
) -> dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Returns the least and the largest value that each channel of these tensors has in the sentences."""
    measured = onnx.ModelProto()
    measured.CopyFrom(model)
    del measured.graph.output[:]
    for name in names:
        for operator in _EXTREMES:
            made = helper.make_tensor_value_info(f"{name}/{operator}", TensorProto.FLOAT, None)
            measured.graph.node.append(
                helper.make_node(operator, [name], [made.name], name=made.name, axes=[0, 2, 3], keepdims=0)
            )
            measured.graph.output.append(made)
    session = onnxruntime.InferenceSession(measured.SerializeToString(), providers=["CPUExecutionProvider"])
    found: list[list[npt.NDArray[np.float64]]] = []
    for number, ids in enumerate(sorted(calibration_sentences(), key=len)[:CALIBRATION]):
        style = styles[number * len(styles) // CALIBRATION][len(ids) - 3]
        inputs = {
            "input_ids": ids[np.newaxis],
            "input_lengths": np.array([len(ids)]),
            "style": style[np.newaxis],
            "speed": np.ones(1, np.float32),
            "noise_offset": np.array([number], np.int64),
        }
        found.append([value.astype(np.float64) for value in session.run(None, inputs)])
    least = [np.min(values, 0) for values in zip(*(values[::2] for values in found), strict=True)]
    most = [np.max(values, 0) for values in zip(*(values[1::2] for values in found), strict=True)]
    return dict(zip(names, zip(least, most, strict=True), strict=True))


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
    constants = {one.name: one for one in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    readers = {name: node for node in graph.node for name in node.input}
    found = 0

    def values(node: Any) -> list[npt.NDArray[np.float64]]:  # noqa: ANN401
        return [numpy_helper.to_array(constants[name]).astype(np.float64) for name in node.input if name in constants]

    for node in graph.node:
        if node.op_type != "Conv" or makers.get(node.input[1], node).op_type != "DequantizeLinear":
            continue
        steps, _ = values(makers[makers[node.input[0]].input[0]])
        made_steps, made_zeros = values(readers[readers[node.output[0]].output[0]])
        rows, row_scale, _ = values(makers[node.input[1]])
        added, added_scale, _ = values(makers[node.input[2]])
        step = (row_scale * made_steps)[:, None, None, None] / steps[:, None, None]
        yield node.name, 1, rows * step, step
        yield node.name, 2, (added * added_scale - made_zeros) * made_steps, added_scale * made_steps
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
