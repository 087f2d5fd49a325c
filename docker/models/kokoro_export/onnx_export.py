"""Exports the packed model to an ONNX file, for ONNX Runtime 1.17 and later."""

from pathlib import Path
from typing import Final

import onnx
import torch

from kokoro_export.input_limits import PROPERTY, as_property
from kokoro_export.model import PackedKokoro

OPSET: Final = 17
INPUTS: Final = ("input_ids", "input_lengths", "style", "speed", "noise_offset")
OUTPUTS: Final = ("waveform", "sample_lengths", "durations")

_AXES: Final = {
    **{name: {0: "N"} for name in (*INPUTS, *OUTPUTS)},
    "input_ids": {0: "N", 1: "T"},
    "waveform": {0: "N", 1: "S"},
    "durations": {0: "N", 1: "T"},
}


def export(model: PackedKokoro, file: Path) -> None:
    """Writes the model. The same weights give the same file."""
    tokens = torch.zeros(2, 14, dtype=torch.long)
    tokens[0, 1:13], tokens[1, 1:8] = 50, 60
    example = (tokens, torch.tensor([14, 9]), torch.zeros(2, 256), torch.tensor([1.0, 1.1]), torch.tensor([0, 7]))
    with torch.no_grad():
        # The other exporter turns the LSTM's lengths and the packed axis into constants.
        torch.onnx.export(
            model.eval(),
            example,
            str(file),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=_AXES,
        )
    written = onnx.load(file)
    for node in written.graph.node:
        node.doc_string = ""
    onnx.helper.set_model_props(written, {PROPERTY: as_property(model.signs)})
    onnx.checker.check_model(written)
    onnx.save(written, file)


def with_pitch(file: Path) -> bytes:
    """Returns the model with one more output, the pitch in steps, [1, 1, P]: only for checking it."""
    model = onnx.load(file)
    # Three things are rounded: durations, the pitch, and the samples.
    rounded = [node for node in model.graph.node if node.op_type == "Round"]
    (step,) = (node for node in model.graph.node if node.op_type == "Div" and rounded[1].output[0] in node.input)
    model.graph.output.append(onnx.helper.make_tensor_value_info(step.output[0], onnx.TensorProto.FLOAT, None))
    return bytes(model.SerializeToString())
