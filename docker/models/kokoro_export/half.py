"""The model with the convolutions of its decoder and generator, 97 % of its arithmetic, in half precision: for GPUs.

All else stays in single precision: durations and pitch decide what is said and how, the source's phase and the spectrum
span too wide a range, and the statistics of the norms are sums over time that would overflow.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kokoro_export.nodes import names_read

_SCOPES: Final = ("/generator/blocks", "/generator/noise_blocks", "/generator/ups", "/decode", "/encode")
_TYPES: Final = ("Conv", "ConvTranspose")


def to_half(source: Path, target: Path) -> None:
    """Write a half-precision copy of an exported model; its inputs and outputs stay as they are."""
    model = onnx.load(source)
    graph = model.graph
    weights = {initializer.name: initializer for initializer in graph.initializer}
    nodes: list[Any] = []
    halved: dict[str, str] = {}
    for node in graph.node:
        if node.op_type not in _TYPES or not any(scope in node.name for scope in _SCOPES):
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
