import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from lectern_triton.onnxruntime_backend.config_check import Mismatch, check_config


@dataclass
class Node:
    name: str
    type: str
    shape: Sequence[int | str | None] | None


class Graph:
    def get_inputs(self) -> Sequence[Node]:
        return [Node("ids", "tensor(int64)", ["N", "T"]), Node("length", "tensor(int64)", ["N"])]

    def get_outputs(self) -> Sequence[Node]:
        return [Node("sound", "tensor(int16)", ["N", "S"]), Node("style", "tensor(float)", ["N", 256])]


CONFIG: dict[str, Any] = {
    "max_batch_size": 8,
    "input": [
        {"name": "ids", "data_type": "TYPE_INT64", "dims": ["-1"]},
        {"name": "length", "data_type": "TYPE_INT64", "dims": ["1"], "reshape": {"shape": []}},
    ],
    "output": [
        {"name": "sound", "data_type": "TYPE_INT16", "dims": ["-1"]},
        {"name": "style", "data_type": "TYPE_FP32", "dims": ["256"]},
    ],
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    place: Any = config
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return config


def test_a_config_that_fits_is_taken() -> None:
    check_config(Graph(), CONFIG)


def test_outputs_may_be_left_out() -> None:
    check_config(Graph(), changed("output", to=CONFIG["output"][:1]))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (changed("input", 0, "name", to="idz"), "ids"),
        (changed("input", to=CONFIG["input"][:1]), "length"),
        (changed("output", 0, "name", to="noise"), "no output 'noise'"),
        (changed("input", 0, "data_type", to="TYPE_INT32"), "TYPE_INT32 in the config and TYPE_INT64"),
        (changed("input", 0, "dims", to=["-1", "-1"]), "shape"),
        (changed("input", 1, "reshape", "shape", to=["1"]), "shape"),
        (changed("output", 1, "dims", to=["128"]), "128"),
        (changed("input", 0, "allow_ragged_batch", to=True), "ragged"),
        (changed("max_batch_size", to=0), "shape"),
    ],
)
def test_a_mistake_is_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(Mismatch, match=message):
        check_config(Graph(), config)


def test_a_graph_of_fixed_batch_cannot_batch() -> None:
    class Fixed(Graph):
        def get_inputs(self) -> Sequence[Node]:
            return [Node("ids", "tensor(int64)", [1, "T"]), Node("length", "tensor(int64)", [1])]

    with pytest.raises(Mismatch, match="cannot batch"):
        check_config(Fixed(), CONFIG)
