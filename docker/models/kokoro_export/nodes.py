"""What nodes of an ONNX graph read, the branches of an If among it, which onnxruntime's own tools forget."""

from collections.abc import Iterable, Iterator
from typing import Any


def names_read(node: Any) -> Iterator[str]:  # noqa: ANN401 - onnx has no types
    """Yield the names of all that a node reads, with what its branches read for themselves."""
    yield from node.input
    for inner in nodes_of_branches(node):
        yield from names_read(inner)


def nodes_of_branches(node: Any) -> Iterator[Any]:  # noqa: ANN401
    for attribute in node.attribute:
        yield from attribute.g.node


def in_order(nodes: Iterable[Any]) -> list[Any]:
    """Return the nodes, each behind all that it reads."""
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
