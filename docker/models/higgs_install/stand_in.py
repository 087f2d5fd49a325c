"""Stands in for what cannot be fetched: a checkpoint that was made here, and a sound as its preset voice."""

import array
import math
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from weights.download import sha256_of

RATE: Final = 24_000  # Hz
SECONDS: Final = 6.0
PITCH: Final = 120.0  # Hz
HARMONICS: Final = 12

FOLDERS: Final = {"weights": "model", "codec": "codec"}  # parts of a family -> where their maker puts them
VOICE_TOML: Final = """\
transcript = "A sound that stands in for a voice."
language = "en"
description = "A buzz, for random weights, which babble in any case"
licence = "none; it is made of sines"
"""


def files_of(folder: Path, part: str) -> dict[str, Path]:
    """Return the files of a part of a made checkpoint, by their names."""
    return {file.name: file for file in sorted((folder / FOLDERS[part]).iterdir()) if file.is_file()}


def hashes_of(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: sha256_of(file) for name, file in files.items()}


def make_preset(folder: Path) -> dict[str, Path]:
    """Write a preset called ``buzz`` into a folder, and return its files."""
    files = {name: folder / name for name in ("audio.wav", "voice.toml")}
    with wave.open(str(files["audio.wav"]), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(array.array("h", _samples()).tobytes())
    files["voice.toml"].write_text(VOICE_TOML)
    return {f"buzz/{name}": file for name, file in files.items()}


def _samples() -> Iterator[int]:
    """Harmonics of one pitch, louder and softer three times a second, as syllables are."""
    for number in range(int(SECONDS * RATE)):
        time = number / RATE
        buzz = sum(math.sin(2 * math.pi * PITCH * k * time) / k for k in range(1, HARMONICS + 1))
        yield int(6_000 * buzz * (0.55 - 0.45 * math.cos(2 * math.pi * 3 * time)))
