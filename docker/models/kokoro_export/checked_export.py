"""Keeps the exported model in single precision, with what its checks found, beside the downloads.

Another precision is made of it, and the same is installed again, without the minutes that export and checks take.
"""

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from weights.atomic import staging

PACKAGES: Final = ("torch", "kokoro", "onnx", "onnxruntime", "numpy")
FOLDER: Final = "export"  # below that of the downloads; one export is kept, of 326 MB
MODEL: Final = "model.onnx"
RECORD: Final = "checked.json"

Figures = dict[str, float]


def key_of(weights: Mapping[str, str]) -> str:
    """Returns a key that changes with the weights, the code of the export and its checks, and the packages."""
    code = {file.name: _sha256(file) for file in Path(__file__).parent.iterdir() if file.is_file()}
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return hashlib.sha256(json.dumps([dict(weights), code, versions], sort_keys=True).encode()).hexdigest()


def checked_export(work: Path, key: str, make: Callable[[Path], Figures]) -> tuple[Path, Figures]:
    """Returns the file that is kept under this key, and the figures of its checks; without one, `make` writes it.

    A file that was changed is made anew. Raises what `make` does, and then nothing is kept.
    """
    kept = work / FOLDER
    record = kept / RECORD
    if record.is_file() and (kept / MODEL).is_file():
        found = json.loads(record.read_text())
        if found["key"] == key and _sha256(kept / MODEL) == found["sha256"]:
            return kept / MODEL, found["figures"]
    shutil.rmtree(kept, ignore_errors=True)
    with staging(kept) as fresh:
        fresh.mkdir(parents=True)
        figures = make(fresh / MODEL)
        found = {"key": key, "sha256": _sha256(fresh / MODEL), "figures": figures}
        (fresh / RECORD).write_text(json.dumps(found))
        fresh.rename(kept)
    return kept / MODEL, figures


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
