"""The file in ONNX Runtimes of Triton's older containers: 1.18 to 1.22 abort over some graphs, with all of Triton."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from kokoro_export.audio_metrics import band_distance
from kokoro_export.precision import names_read
from tests.export.random_sentences import batch, cases

ROOT = Path(__file__).parents[2]
NAMES = ("input_ids", "input_lengths", "style", "speed", "noise_offset")
PRECISIONS = ("file", "fp16", "int8")
FAR = 2.0  # dB: other kernels round differently

# Everything at its default: all optimizations, as NVIDIA's backend has them with our config.
RUN = """
import sys
import numpy, onnxruntime
assert onnxruntime.__version__.startswith(sys.argv[4] + "."), onnxruntime.__version__
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
numpy.savez(sys.argv[3], *session.run(None, dict(numpy.load(sys.argv[2]))))
"""


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("version", ["1.19", "1.22"])
def test_an_older_onnx_runtime_loads_it_and_speaks_the_same(
    request: pytest.FixtureRequest, tmp_path: Path, version: str, precision: str
) -> None:
    model: Path = request.getfixturevalue(precision)
    inputs = dict(zip(NAMES, (value.numpy() for value in batch(cases(9, count=3))), strict=True))
    np.savez(tmp_path / "inputs.npz", **inputs)
    python = ROOT / ".venvs" / f"onnxruntime-{version}" / "bin" / "python"
    assert python.exists(), f"run make .venvs/onnxruntime-{version}/.ready"
    # In a process of its own: an abort ends it.
    arguments = [python, "-c", RUN, model, tmp_path / "inputs.npz", tmp_path / "made.npz", version]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    with np.load(tmp_path / "made.npz") as made:
        waveform, samples, durations = (made[name] for name in made.files)
    wanted: list[Any] = list(onnxruntime.InferenceSession(model).run(None, inputs))
    assert np.array_equal(samples, wanted[1])
    assert np.array_equal(durations, wanted[2])
    for item, count in enumerate(samples):
        assert band_distance(wanted[0][item, :count].astype(float), waveform[item, :count].astype(float)) < FAR


@pytest.mark.parametrize("precision", PRECISIONS)
def test_no_convolution_is_read_by_an_if_alone(request: pytest.FixtureRequest, precision: str) -> None:
    """The pattern over which they abort (microsoft/onnxruntime#24473)."""
    graph = onnx.load(request.getfixturevalue(precision)).graph
    readers: dict[str, set[str]] = {}
    for node in graph.node:
        for name in names_read(node):
            readers.setdefault(name, set()).add(node.op_type)
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) > 48
    assert all(readers[node.output[0]] != {"If"} for node in convolutions)
