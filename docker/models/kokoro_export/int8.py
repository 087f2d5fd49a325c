"""The model with the convolutions of its generator in 8 bits, calibrated on our own sentences: for CPUs."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from kokoro_export.nodes import in_order, nodes_of_branches
from kokoro_export.sentences import tokens

# The resolution blocks of the generator: 48 convolutions of the real model, 86 % of its time.
_SCOPES: Final = ("/generator/blocks", "/generator/noise_blocks")
EVERY: Final = 3  # sentences: of all of them the calibration takes three times as long and gives the same ranges


class _Sentences(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, styles: Sequence[npt.NDArray[np.float32]]) -> None:
        self._inputs = self._each(styles)

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        return next(self._inputs, None)

    @staticmethod
    def _each(styles: Sequence[npt.NDArray[np.float32]]) -> Iterator[dict[str, npt.NDArray[Any]]]:
        for number, ids in enumerate(tokens()[::EVERY]):
            yield {
                "input_ids": ids[np.newaxis],
                "input_lengths": np.array([len(ids)]),
                "style": styles[number % len(styles)][len(ids) - 3][np.newaxis],
                "speed": np.ones(1, np.float32),
                "noise_offset": np.array([number], np.int64),
            }


def to_int8(source: Path, target: Path, styles: Sequence[npt.NDArray[np.float32]]) -> None:
    """Write an 8-bit copy of an exported model, calibrated with sentences in these voices' styles [510, 256]."""
    model = onnx.load(source, load_external_data=False)
    nodes = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and any(scope in node.name for scope in _SCOPES)
    ]
    with tempfile.TemporaryDirectory() as folder:
        quantized = Path(folder) / "model.onnx"
        quantize_static(
            source,
            quantized,
            _Sentences(styles),
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
    """Let the branches of each If read a convolution's 8 bits too.

    The quantizer does not look into them, so they would read what is not quantized, and ONNX Runtime would have to
    compute the convolution in single precision for them.
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
