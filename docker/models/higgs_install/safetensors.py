"""Reads what a safetensors file says of itself: names, types and shapes of its tensors, and none of their content."""

import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

INDEX: Final = "model.safetensors.index.json"
WHOLE: Final = "model.safetensors"
MAX_HEADER: Final = 100 << 20  # bytes

_LENGTH: Final = struct.Struct("<Q")
_BYTES: Final = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip


class NotWeights(Exception):  # noqa: N818 - it names a state of affairs
    """The files are not what they should be."""


@dataclass(frozen=True, slots=True)
class Tensor:
    type: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        return prod(self.shape)


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """Return all tensors of a checkpoint in one file, or in several with an index. Raises NotWeights."""
    if (folder / INDEX).is_file() and not (folder / WHOLE).is_file():
        index = json_of(folder / INDEX).get("weight_map", {})
        names: set[str] = set(index.values())
        found = {part: tensors_in(folder / part) for part in sorted(names)}
        for name, part in index.items():
            if name not in found[part]:
                raise NotWeights(f"{INDEX} says that {name} is in {part}, which has no such tensor")
        return {name: tensor for part in found.values() for name, tensor in part.items()}
    return tensors_in(folder / WHOLE)


def tensors_in(file: Path) -> dict[str, Tensor]:
    """Return the tensors of one file, whose length must be what its header asks for. Raises NotWeights."""
    if not file.is_file():
        raise NotWeights(f"{file} is not there")
    with file.open("rb") as content:
        head = content.read(_LENGTH.size)
        length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        if not 0 < length <= MAX_HEADER:
            raise NotWeights(f"{file} is no safetensors file")
        raw = content.read(length)
    try:
        header = json.loads(raw)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        tensors = {name: Tensor(entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()}
        ends = [_end(name, entry, tensors[name], file) for name, entry in entries.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotWeights(f"{file} has a damaged header: {error!r}") from error
    expected = _LENGTH.size + length + max(ends, default=0)
    if file.stat().st_size != expected:
        raise NotWeights(f"{file} has {file.stat().st_size} bytes where its header asks for {expected}")
    return tensors


def json_of(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises NotWeights."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise NotWeights(f"{file} is not there") from None
    except ValueError as error:
        raise NotWeights(f"{file} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise NotWeights(f"{file} holds no object")
    return content


def _end(name: str, entry: dict[str, Any], tensor: Tensor, file: Path) -> int:
    begin, end = entry["data_offsets"]
    if tensor.type not in _BYTES or not 0 <= begin <= end or end - begin != tensor.elements * _BYTES[tensor.type]:
        raise NotWeights(f"{file}: {name}, {tensor.type} {list(tensor.shape)}, does not fill bytes {begin} to {end}")
    return int(end)
