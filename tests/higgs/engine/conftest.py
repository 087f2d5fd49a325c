"""Checks of the engine on plain transformers. They need torch, in an environment of its own: `make test-models`."""

import importlib.util
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.higgs.random_v2 import Checkpoint

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> "Checkpoint":
    """Higgs Audio v2 with few channels and random weights, which speaks for about 100 frames."""
    from tests.higgs.random_v2 import make  # noqa: PLC0415 - needs torch

    return make(tmp_path_factory.mktemp("tiny_v2"), frames=100)
