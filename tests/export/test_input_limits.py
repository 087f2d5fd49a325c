"""A bad item of a batch, where no backend keeps it out: the graph makes nothing of it, and hurts nobody."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from kokoro_export.input_limits import LARGEST_STYLE

WIDTH = 40
BAD = 1  # its place, between two good ones


@pytest.fixture(scope="module", params=["fp32", "int8"])
def session(request: pytest.FixtureRequest) -> onnxruntime.InferenceSession:
    path = request.getfixturevalue("file" if request.param == "fp32" else request.param)
    return onnxruntime.InferenceSession(path)


def inputs() -> dict[str, Any]:
    chance = np.random.default_rng(1)
    lengths = np.array([20, 33, 30])
    ids = np.zeros((3, WIDTH), np.int64)
    for row, length in zip(ids, lengths, strict=True):
        row[1 : length - 1] = chance.integers(43, 150, length - 2)
    return {
        "input_ids": ids, "input_lengths": lengths, "style": chance.normal(0, 0.3, (3, 256)).astype(np.float32),
        "speed": np.ones(3, np.float32), "noise_offset": np.zeros(3, np.int64),
    }  # fmt: skip


def with_bad(name: str, value: float) -> dict[str, Any]:
    changed = inputs()
    changed[name].reshape(3, -1)[BAD, 0] = value
    return changed


@pytest.fixture(scope="module")
def beside_nothing(session: onnxruntime.InferenceSession) -> Any:
    """What is made of the good ones beside an item that holds nothing."""
    neutral = inputs()
    for name, value in (("input_ids", 0), ("input_lengths", 2), ("style", 0), ("speed", 4)):
        neutral[name][BAD] = value
    return session.run(None, neutral)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input_ids", 178), ("input_ids", 999), ("input_ids", -1), ("input_ids", 2**62),
        ("input_lengths", WIDTH + 1), ("input_lengths", 1), ("input_lengths", 0), ("input_lengths", -7),
        ("style", np.nan), ("style", np.inf), ("style", 1.1 * LARGEST_STYLE),
        ("speed", 0), ("speed", 1e-9), ("speed", -1), ("speed", np.nan), ("speed", np.inf), ("speed", 4.1),
    ],
)  # fmt: skip
def test_nothing_is_made_of_it_and_the_others_are_as_beside_nothing(
    session: onnxruntime.InferenceSession, beside_nothing: Any, name: str, value: float
) -> None:
    waveform, samples, durations = session.run(None, with_bad(name, value))
    assert samples[BAD] == 0
    assert not waveform[BAD].any()
    assert not durations[BAD].any()
    for item in (0, 2):
        for made, wanted in zip((waveform, samples, durations), beside_nothing, strict=True):
            assert np.array_equal(made[item], wanted[item])


@pytest.mark.parametrize("value", [LARGEST_STYLE, -LARGEST_STYLE])
def test_the_wildest_style_that_is_taken_hurts_nobody(
    session: onnxruntime.InferenceSession, beside_nothing: Any, value: float
) -> None:
    wild = inputs()
    wild["style"][BAD] = np.sign(wild["style"][BAD]) * value
    waveform, samples, durations = session.run(None, wild)
    assert samples[BAD] > 0
    assert np.array_equal(samples[[0, 2]], beside_nothing[1][[0, 2]])
    assert np.array_equal(durations[[0, 2]], beside_nothing[2][[0, 2]])
    for item in (0, 2):
        count = samples[item]
        far = np.abs(waveform[item, :count].astype(int) - beside_nothing[0][item, :count].astype(int))
        assert np.median(far) < 100, "of 32,768: rounding alone, and in 8 bits more of it"


@pytest.mark.parametrize("offset", [-1, 65_536, 2**63 - 1, -(2**63)])
def test_any_offset_into_the_noise_is_taken_modulo_its_table(
    session: onnxruntime.InferenceSession, offset: int
) -> None:
    made, wanted = (session.run(None, with_bad("noise_offset", value)) for value in (offset, offset % 65_536))
    assert all(np.array_equal(one, other) for one, other in zip(made, wanted, strict=True))


def test_every_file_carries_its_limits(file: Path, fp16: Path, int8: Path) -> None:
    for path in (file, fp16, int8):
        (limits,) = (json.loads(one.value) for one in onnx.load(path).metadata_props if one.key == "limits")
        assert limits["input_ids"] == {"least": 0, "most": 177, "narrowest": 2, "widest": 512}
        assert limits.keys() == {node.name for node in onnxruntime.InferenceSession(path).get_inputs()}
