"""Audio goes over the wire rounded and clipped, and never as what is no number."""

import numpy as np
import pytest

from lectern_triton.higgs_engine.pcm import to_pcm


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (0.0, 0), (0.4 / 32_768, 0), (0.6 / 32_768, 1), (-0.6 / 32_768, -1), (0.5, 16_384), (1.0, 32_767),
        (-1.0, -32_768), (7.0, 32_767), (-7.0, -32_768),
    ],
)  # fmt: skip
def test_a_sample(given: float, sent: int) -> None:
    assert to_pcm(np.array([given], np.float32)) == int(sent).to_bytes(2, "little", signed=True)


@pytest.mark.parametrize("given", [np.nan, np.inf, -np.inf])
def test_no_number(given: float) -> None:
    with pytest.raises(FloatingPointError):
        to_pcm(np.array([0.0, given], np.float32))
