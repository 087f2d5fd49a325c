"""Compares config.pbtxt with the model's graph, so that a mistake fails the load and not the first request."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

TYPES: Final = {
    "tensor(float)": "TYPE_FP32", "tensor(float16)": "TYPE_FP16", "tensor(double)": "TYPE_FP64",
    "tensor(int64)": "TYPE_INT64", "tensor(int32)": "TYPE_INT32", "tensor(int16)": "TYPE_INT16",
    "tensor(int8)": "TYPE_INT8", "tensor(uint8)": "TYPE_UINT8", "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32", "tensor(uint64)": "TYPE_UINT64", "tensor(bool)": "TYPE_BOOL",
    "tensor(string)": "TYPE_STRING",
}  # fmt: skip


class Mismatch(Exception):  # noqa: N818 - it names a state of affairs
    """The config does not fit the model."""


class Node(Protocol):
    """An input or output of ONNX Runtime."""

    name: str
    type: str
    shape: Sequence[int | str | None] | None


class Graph(Protocol):
    def get_inputs(self) -> Sequence[Node]: ...

    def get_outputs(self) -> Sequence[Node]: ...


def check_config(graph: Graph, config: Mapping[str, Any]) -> None:
    """Compares a config with the inputs and outputs of a graph. Raises Mismatch."""
    batches = config["max_batch_size"] > 0
    inputs = {node.name: node for node in graph.get_inputs()}
    outputs = {node.name: node for node in graph.get_outputs()}
    missing = inputs.keys() - {tensor["name"] for tensor in config["input"]}
    if missing:
        raise Mismatch(f"the model needs the inputs {sorted(missing)}, which the config does not have")
    for kind, tensors, nodes in (("input", config["input"], inputs), ("output", config["output"], outputs)):
        for tensor in tensors:
            if tensor["name"] not in nodes:
                raise Mismatch(f"the model has no {kind} {tensor['name']!r}: its are {sorted(nodes)}")
            if tensor.get("allow_ragged_batch"):
                raise Mismatch(f"{kind} {tensor['name']!r}: ragged batches are not supported")
            _check_tensor(kind, tensor, nodes[tensor["name"]], batches=batches)


def _check_tensor(kind: str, tensor: Mapping[str, Any], node: Node, *, batches: bool) -> None:
    name = tensor["name"]
    wanted = TYPES.get(node.type, node.type)
    if tensor["data_type"] != wanted:
        raise Mismatch(f"{kind} {name!r} is {tensor['data_type']} in the config and {wanted} in the model")
    if node.shape is None:
        return
    dims = tensor["reshape"]["shape"] if "reshape" in tensor else tensor["dims"]
    shape = [-1] * batches + [int(size) for size in dims]
    if batches and (not node.shape or isinstance(node.shape[0], int)):
        raise Mismatch(f"{kind} {name!r} has no variable first dimension in the model, so that it cannot batch")
    if len(shape) != len(node.shape):
        raise Mismatch(f"{kind} {name!r} has the shape {shape} in the config and {list(node.shape)} in the model")
    for size, own in zip(shape, node.shape, strict=True):
        if isinstance(own, int) and size != own:
            raise Mismatch(f"{kind} {name!r} has the shape {shape} in the config and {list(node.shape)} in the model")
