"""A model repository with a tiny Kokoro in it: the real graph with a few random channels, which babbles fast."""

import json
import shutil
from pathlib import Path

import numpy as np

from tests import english_tagger

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "model_repository"
TINY = ROOT / "tests" / "models" / "kokoro_tiny"
VOICES = {"af_heart": 0, "af_nova": 5, "af_sky": 1, "bf_emma": 2, "ef_dora": 3, "zf_xiaobei": 4}  # and their seeds
TRAINED_G2P = "kokoro_g2p_trained"
PARTS = ("kokoro", "kokoro_acoustic", "kokoro_g2p")


def lay_out(repository: Path) -> Path:
    """Link every model of the checkout into a new repository, and install the tiny Kokoro there."""
    link_models(repository)
    version = repository / "kokoro_acoustic" / "1"
    version.mkdir(exist_ok=True)
    (version / "model.onnx").symlink_to(TINY / "model.onnx")
    shutil.copyfile(TINY / "card.json", repository / "kokoro" / "card.json")
    write_voices(repository / "kokoro" / "voices")
    _add_trained_g2p(repository)
    return repository


def link_models(repository: Path) -> None:
    """Link every model of the checkout into a new repository, and leave out the Kokoro that is installed in it."""
    repository.mkdir(parents=True)
    for model in MODELS.iterdir():
        if model.name in PARTS:
            installed = shutil.ignore_patterns("model.onnx", "voices", "card.json", "en_core_web_sm", "__pycache__")
            shutil.copytree(model, repository / model.name, ignore=installed)
        elif model.is_dir():
            (repository / model.name).symlink_to(model)


def _add_trained_g2p(repository: Path) -> None:
    """Adds a kokoro_g2p with spaCy's tagger under a name of its own; who wants it loads it."""
    model = repository / TRAINED_G2P
    shutil.copytree(repository / "kokoro_g2p", model)
    config = model / "config.pbtxt"
    config.write_text(config.read_text().replace('"kokoro_g2p"', f'"{TRAINED_G2P}"').replace("count: 2", "count: 1"))
    english_tagger.install_beside(model)


def write_voices(folder: Path) -> None:
    folder.mkdir()
    for name, seed in VOICES.items():
        style = np.random.default_rng(seed).normal(0, 0.3, 256)
        np.broadcast_to(style, (510, 256)).astype("<f4").tofile(folder / f"{name}.bin")


def version() -> str:
    return str(json.loads((TINY / "card.json").read_text())["version"])
