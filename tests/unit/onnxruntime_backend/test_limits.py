import json
from typing import Any

import numpy as np
import pytest

from lectern_triton.onnxruntime_backend.limits import OutOfLimits, check_limits, limits_of

LIMITS: dict[str, dict[str, Any]] = {
    "ids": {"least": 0, "most": 9, "narrowest": 2, "widest": 4},
    "length": {"least": 2, "most": "ids"},
    "speed": {"least": 0.5, "most": 2},
}


def feed(**other: Any) -> dict[str, Any]:
    good = {"ids": np.array([[0, 9, 0], [0, 0, 0]]), "length": np.array([3, 2]), "speed": np.array([0.5, 2.0])}
    return good | other


def test_what_lies_within_is_taken() -> None:
    check_limits(feed(), limits_of({"limits": json.dumps(LIMITS)}))


def test_a_model_without_limits_takes_all() -> None:
    check_limits(feed(speed=np.array([np.nan, 0])), limits_of({"producer": "torch"}))


def test_an_input_that_is_left_out_is_not_looked_for() -> None:
    check_limits({"ids": np.zeros((1, 3))}, LIMITS)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"ids": np.array([[0, 10, 0], [0, 0, 0]])}, "ids holds 10: 0 to 9 can be taken"),
        ({"ids": np.array([[0, 1, 0], [0, -1, 0]])}, "ids holds -1"),
        ({"ids": np.zeros((2, 0), np.int64)}, "ids has a width of 0: 2 to 4 can be taken"),
        ({"ids": np.zeros((2, 5), np.int64)}, "ids has a width of 5"),
        ({"length": np.array([3, 4])}, "length holds 4: 2 to 3, the width of ids can be taken"),
        ({"length": np.array([1, 3])}, "length holds 1"),
        ({"speed": np.array([1, 0.0])}, "speed holds 0.0"),
        ({"speed": np.array([np.nan, 1])}, "speed holds nan"),
        ({"speed": np.array([1, np.inf])}, "speed holds inf"),
    ],
)
def test_what_lies_beyond_is_named(other: dict[str, Any], message: str) -> None:
    with pytest.raises(OutOfLimits, match=message):
        check_limits(feed(**other), LIMITS)
