"""Installs an exported model into a model repository, whole or not at all."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kokoro_export.upstream import StyleTable
from weights.atomic import staging

MODEL = Path("kokoro_acoustic", "1", "model.onnx")
VOICES = Path("kokoro", "voices")
CARD = Path("kokoro", "card.json")


def version_of(model: Path, voices: Mapping[str, StyleTable]) -> str:
    """Returns a version that changes whenever the same request would sound different: part of the cache's keys."""
    digest = hashlib.sha256()
    with model.open("rb") as content:
        digest.update(hashlib.file_digest(content, "sha256").digest())
    for name in sorted(voices):
        digest.update(name.encode() + voices[name].tobytes())
    return digest.hexdigest()[:12]


def install(model: Path, voices: Mapping[str, StyleTable], card: Mapping[str, Any], repository: Path) -> None:
    """Replaces what is installed. The card, which says that there is a model, is deleted first and written last."""
    (repository / CARD).unlink(missing_ok=True)
    with staging(repository / VOICES) as fresh:
        _write_voices(voices, fresh)
        shutil.rmtree(repository / VOICES, ignore_errors=True)
        fresh.rename(repository / VOICES)
    target = repository / MODEL
    with staging(target) as fresh:
        shutil.copyfile(model, fresh)
        fresh.replace(target)
    with staging(repository / CARD) as fresh:
        fresh.write_text(json.dumps(card, indent=2) + "\n")
        fresh.replace(repository / CARD)


def _write_voices(voices: Mapping[str, StyleTable], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in voices.items():
        (folder / f"{name}.bin").write_bytes(table.astype("<f4").tobytes())
