"""Puts an exported model into a model repository, whole or not at all."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kokoro_export.voices import Table, write
from weights.atomic import staging

MODEL = Path("kokoro_acoustic", "1", "model.onnx")
VOICES = Path("kokoro", "voices")
CARD = Path("kokoro", "card.json")


def version_of(model: Path, voices: Mapping[str, Table]) -> str:
    """Return what changes whenever the same request would sound different: part of the keys that audio is kept by."""
    digest = hashlib.sha256()
    with model.open("rb") as content:
        digest.update(hashlib.file_digest(content, "sha256").digest())
    for name in sorted(voices):
        digest.update(name.encode() + voices[name].tobytes())
    return digest.hexdigest()[:12]


def install(model: Path, voices: Mapping[str, Table], card: Mapping[str, Any], repository: Path) -> None:
    """Replace what is installed. The card, which says that there is a model, goes first and comes last."""
    (repository / CARD).unlink(missing_ok=True)
    with staging(repository / VOICES) as fresh:
        write(voices, fresh)
        shutil.rmtree(repository / VOICES, ignore_errors=True)
        fresh.rename(repository / VOICES)
    target = repository / MODEL
    with staging(target) as fresh:
        shutil.copyfile(model, fresh)
        fresh.replace(target)
    with staging(repository / CARD) as fresh:
        fresh.write_text(json.dumps(card, indent=2) + "\n")
        fresh.replace(repository / CARD)
