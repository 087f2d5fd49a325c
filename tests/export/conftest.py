"""Checks of the export. They need torch, in an environment of its own: `make test-models`."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def tiny() -> Any:
    """Upstream's model with few channels and random weights."""
    from kokoro_export.random_weights import random_kmodel  # noqa: PLC0415 - needs torch

    return random_kmodel("tiny")


@pytest.fixture(scope="session")
def file(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, exported."""
    from kokoro_export.model import PackedKokoro  # noqa: PLC0415
    from kokoro_export.onnx_export import export  # noqa: PLC0415

    path = tmp_path_factory.mktemp("onnx") / "fp32.onnx"
    export(PackedKokoro(tiny), path)
    return path


@pytest.fixture(scope="session")
def fp16(file: Path) -> Path:
    from kokoro_export.precision import to_fp16  # noqa: PLC0415

    path = file.with_name("fp16.onnx")
    to_fp16(file, path)
    return path


@pytest.fixture(scope="session")
def int8(file: Path) -> Path:
    from kokoro_export.precision import to_int8  # noqa: PLC0415
    from kokoro_export.random_weights import random_voice  # noqa: PLC0415

    path = file.with_name("int8.onnx")
    to_int8(file, path, [random_voice("af_heart")])
    return path
