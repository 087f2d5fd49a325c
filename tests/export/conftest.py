"""Checks of the export. They need torch, in an environment of its own: `make test-models`."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]

FOLDER = Path(__file__).parents[2] / "docker" / "models"
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))


@pytest.fixture(scope="session")
def tiny() -> Any:
    """Upstream's model with few channels and random weights."""
    from kokoro_export.random_weights import random_kmodel  # noqa: PLC0415 - needs the path above

    return random_kmodel("tiny")
