"""What a model needs and how long it may take: its config.pbtxt says it, and `LECTERN_MODEL_LIMITS` overrides it."""

from collections.abc import Mapping
from typing import Final

import msgspec

LOAD_SLACK: Final = 30.0  # seconds; a model that limits its own start says more about what was slow


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """In seconds."""

    load: float = 120.0
    """Until it is loaded."""
    probe: float = 4.0
    """Until it has spoken a word, or has said that it is busy."""
    silence: float = 3.0
    """Between two signs of life while it speaks; the contract asks for one a second."""


def limits_in(parameters: Mapping[str, str]) -> Limits:
    """Returns the limits in the parameters of a config.pbtxt. What is no number counts as left out."""
    default = Limits()
    load = _seconds(parameters, "load_timeout", 0.0) + LOAD_SLACK
    return Limits(
        load=max(default.load, load),
        probe=_seconds(parameters, "probe_timeout", default.probe),
        silence=_seconds(parameters, "silence_timeout", default.silence),
    )


def needs_in(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the models in the parameter `needs` of a config.pbtxt."""
    return tuple(name.strip() for name in parameters.get("needs", "").split(",") if name.strip())


def overridden(limits: Limits, model: str, setting: str) -> Limits:
    """Returns the limits with what `LECTERN_MODEL_LIMITS` says of the model."""
    pairs = (pair.strip().partition("=") for pair in setting.split(",") if pair.strip())
    named = ((*name.strip().rpartition("."), value) for name, _, value in pairs)
    return msgspec.structs.replace(limits, **{which: float(value) for of, _, which, value in named if of == model})


def _seconds(parameters: Mapping[str, str], name: str, default: float) -> float:
    try:
        found = float(parameters.get(name, default))
    except ValueError:
        return default
    return found if found > 0 else default
