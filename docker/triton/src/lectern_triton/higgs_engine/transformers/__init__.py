"""The driver for Higgs Audio v2 on plain transformers, with which vLLM is compared.

Requests are not batched: one at a time uses the model. It has the process's only generator of random numbers to itself,
set to its seed, so that its sound depends on nothing else.
"""

from collections.abc import Mapping
from typing import Any

from lectern_triton.higgs_engine.driver import Driver, Phase


def load(arguments: Mapping[str, Any], phase: Phase) -> Driver:
    with phase("imports"):
        from lectern_triton.higgs_engine.transformers.loading import load_driver  # noqa: PLC0415 - it takes seconds
    return load_driver(arguments, phase)
