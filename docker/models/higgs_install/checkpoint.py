"""Reads the configuration of a checkpoint, and the names and shapes of its tensors, without loading any."""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

INDEX: Final = "model.safetensors.index.json"
WHOLE: Final = "model.safetensors"

Shape = tuple[int, ...]


class NotWeights(Exception):  # noqa: N818 - it names a state of affairs
    """The files are not what they should be."""


def tensor_shapes(folder: Path) -> dict[str, Shape]:
    """Returns the shapes of all tensors of a checkpoint in one file, or in several with an index. Raises NotWeights."""
    if (folder / INDEX).is_file() and not (folder / WHOLE).is_file():
        index = read_json(folder / INDEX).get("weight_map", {})
        names: set[str] = set(index.values())
        found = {part: _shapes_in(folder / part) for part in sorted(names)}
        for name, part in index.items():
            if name not in found[part]:
                raise NotWeights(f"{INDEX} says that {name} is in {part}, which has no such tensor")
        return {name: shape for part in found.values() for name, shape in part.items()}
    return _shapes_in(folder / WHOLE)


def parameters(shapes: Mapping[str, Shape]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def read_json(file: Path) -> dict[str, Any]:
    """Returns the object in a JSON file. Raises NotWeights."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise NotWeights(f"{file} is not there") from None
    except ValueError as error:
        raise NotWeights(f"{file} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise NotWeights(f"{file} holds no object")
    return content


def _shapes_in(file: Path) -> dict[str, Shape]:
    """Returns the shapes in one file. Opening it compares its length with what its header asks for."""
    try:
        with safe_open(file, framework="np") as content:
            return {name: tuple(content.get_slice(name).get_shape()) for name in content.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise NotWeights(f"{file} is not there") from None
    except SafetensorError as error:
        raise NotWeights(f"{file} is damaged, or no safetensors file: {error}") from error
