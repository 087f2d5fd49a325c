"""What a model says that its inputs may hold: so that a bad request is refused before it is merged with others.

The limits are JSON in the ONNX file's property `limits`: for each input `least` and `most` of its values, where `most`
may be the name of an input whose width it is, and `narrowest` and `widest` of its last dimension. NVIDIA's backend
knows no such thing: a model that is to be safe there must bear bad items by itself as well.
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
    """Raises ValueError if the property is there and is no JSON."""
    return dict(json.loads(properties.get(PROPERTY, "{}")))


def check(feed: Tensors, limits: Limits) -> None:
    """Raises OutOfLimits."""
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
        wrong = value[~((value >= limit["least"]) & (value <= most))]  # not < and > : a NaN is neither
        if wrong.size:
            raise OutOfLimits(f"{name} holds {wrong.reshape(-1)[0]}: {limit['least']} to {most}{where} can be taken")
