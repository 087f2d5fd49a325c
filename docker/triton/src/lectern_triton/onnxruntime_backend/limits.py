"""Limits of a model's inputs: a request beyond them is refused before it is merged with others.

The limits are JSON in the property `limits` of the ONNX file: for each input the `least` and `most` of its values,
where `most` may be the name of an input whose width is meant, and the `narrowest` and `widest` last dimension.
NVIDIA's backend ignores them, so a model that is to be safe there must itself tolerate bad items.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy.typing as npt

PROPERTY: Final = "limits"

Limits = Mapping[str, Mapping[str, Any]]
Tensors = Mapping[str, npt.NDArray[Any]]


class OutOfLimits(Exception):  # noqa: N818 - it names a state of affairs
    """The model cannot take this request; the message says what to change."""


def limits_of(properties: Mapping[str, str]) -> Limits:
    """Returns the limits in a model's properties. Raises ValueError if they are not JSON."""
    return dict(json.loads(properties.get(PROPERTY, "{}")))


def check_limits(feed: Tensors, limits: Limits) -> None:
    """Compares one request's inputs with the limits. Raises OutOfLimits."""
    for name, limit in limits.items():
        if name not in feed:
            continue
        value = feed[name]
        width = value.shape[-1] if value.ndim else 1
        if "widest" in limit and not limit["narrowest"] <= width <= limit["widest"]:
            raise OutOfLimits(f"{name} has a width of {width}: {limit['narrowest']} to {limit['widest']} can be taken")
        most, where = limit["most"], ""
        if isinstance(most, str):
            most, where = feed[most].shape[-1], f", the width of {most}"
        wrong = value[~((value >= limit["least"]) & (value <= most))]  # not < and >, as NaN is neither
        if wrong.size:
            raise OutOfLimits(f"{name} holds {wrong.reshape(-1)[0]}: {limit['least']} to {most}{where} can be taken")
