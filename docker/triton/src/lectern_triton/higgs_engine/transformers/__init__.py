"""Higgs Audio v2 on plain transformers: what vLLM is compared with. One request at a time is on the model.

Requests are not batched. Each has the model's only generator of random numbers to itself, set to its own seed, so that
what it sounds like depends on nothing else.
"""

from collections.abc import Mapping
from typing import Any

from lectern_triton.higgs_engine.driver import Driver, Phase


def load(arguments: Mapping[str, Any], phase: Phase) -> Driver:
    with phase("imports"):
        from lectern_triton.higgs_engine.transformers.loading import load_driver  # noqa: PLC0415 - it takes seconds
    return load_driver(arguments, phase)
