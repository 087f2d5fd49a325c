"""Upstream's model, of the package `kokoro`: built from its configuration, with a checkpoint's weights if given."""

import importlib.util
import json
import sys
import tempfile
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

ARCHITECTURE = Path(__file__).with_name("architecture.json")  # config.json of hexgrad/Kokoro-82M


def architecture() -> dict[str, Any]:
    return dict(json.loads(ARCHITECTURE.read_text()))


def kmodel_class() -> Any:  # noqa: ANN401 - upstream has no types
    """Return `KModel` without running the package's own `__init__`, which loads spaCy and all of its G2P."""
    if "kokoro" not in sys.modules:
        spec = importlib.util.find_spec("kokoro")
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("the package kokoro is not installed here")
        package = types.ModuleType("kokoro")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["kokoro"] = package
    return importlib.import_module("kokoro.model").KModel


def build(config: Mapping[str, Any], checkpoint: Path | None = None) -> Any:  # noqa: ANN401
    """Build the model with its true (complex) Fourier transform; without a checkpoint its weights are torch's random.

    Raises what `torch.load` does for a damaged checkpoint; it runs no code of it.
    """
    # Without gradients from the first: a weight that was normalised with them cannot be copied.
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        if checkpoint is None:
            checkpoint = Path(folder) / "none.pth"
            torch.save({}, checkpoint)
        model = kmodel_class()(repo_id="hexgrad/Kokoro-82M", config=dict(config), model=str(checkpoint))
    return model.eval().requires_grad_(requires_grad=False)
