"""Puts an exported model into a model repository, whole or not at all."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kokoro_export.voices import Table, write

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
    with _beside(repository / VOICES) as fresh:
        write(voices, fresh)
        shutil.rmtree(repository / VOICES, ignore_errors=True)
        fresh.rename(repository / VOICES)
    target = repository / MODEL
    with _beside(target) as fresh:
        shutil.copyfile(model, fresh)
        fresh.replace(target)
    with _beside(repository / CARD) as fresh:
        fresh.write_text(json.dumps(card, indent=2) + "\n")
        fresh.replace(repository / CARD)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a place on the same file system, from where what is whole can be moved to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        # Readable for whoever runs Triton, unlike the temporary folder itself.
        yield Path(folder) / target.name
    os.sync()
