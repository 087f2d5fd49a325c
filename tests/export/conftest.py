"""Checks of the export. They need torch, in an environment of its own: `make test-models`."""

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is only in the environment of `make test-models`")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is only in the environment of `make test-models`")

FOLDER = Path(__file__).parents[2] / "docker" / "models"
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))


@pytest.fixture(scope="session")
def tiny() -> Any:
    """Upstream's model with few channels and random weights."""
    from kokoro_export.random_weights import random_kmodel  # noqa: PLC0415 - needs the path above

    return random_kmodel("tiny")
