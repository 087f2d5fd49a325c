"""Higgs Audio on plain transformers in a real Triton, with a tiny random checkpoint: `make test-models`.

The tests run where Triton's client is; the engine runs in another environment, which has torch.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
TORCH_PYTHON = "LECTERN_TEST_TORCH_PYTHON"  # the interpreter that the engine runs in
SHIPPED = ROOT / "model_repository" / "higgs_baseline"

if not os.environ.get(TORCH_PYTHON):
    collect_ignore_glob = ["test_*.py"]
else:
    from tests.fake_higgs import set_parameter, write_preset
    from tests.higgs.recordings import RATE, tone
    from tests.own_triton import OwnTriton, own_triton


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `model` and `codec`."""
    folder = tmp_path_factory.mktemp("tiny_v2")
    make = [os.environ[TORCH_PYTHON], "-m", "tests.higgs.random_v2", folder, "--frames", "100"]
    subprocess.run(make, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["OwnTriton"]:
    folder = tmp_path_factory.mktemp("triton")
    (folder / "models").mkdir()
    with own_triton(folder, folder / "models") as own:
        yield own


@pytest.fixture(scope="session")
def install(server: "OwnTriton", tiny: Path) -> Callable[..., str]:
    """Installs the model as `make higgs` does, and loads it."""

    def one(name: str, **parameters: str) -> str:
        folder = server.configuration.repository / name
        (folder / "1").mkdir(parents=True)
        config = (SHIPPED / "config.pbtxt").read_text().replace('name: "higgs_baseline"', f'name: "{name}"')
        parameters = {"engine_python": os.environ[TORCH_PYTHON], **parameters}
        for key, value in parameters.items():
            config = set_parameter(config, key, value)
        (folder / "config.pbtxt").write_text(config)
        arguments = {**json.loads((SHIPPED / "1" / "model.json").read_text()), "references": "kept"}
        (folder / "1" / "model.json").write_text(json.dumps(arguments))
        (folder / "weights").symlink_to(tiny / "model")
        (folder / "codec").symlink_to(tiny / "codec")
        for preset, hertz in (("high", 330), ("low", 110)):
            write_preset(folder / "presets" / preset, recording(hertz), RATE)
        server.client.load(name)
        return name

    return one


def recording(hertz: float, seconds: float = 1.5) -> "np.ndarray[Any, np.dtype[np.int16]]":
    return np.frombuffer(tone(hertz, seconds), "<i2").astype(np.int16)
