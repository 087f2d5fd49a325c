"""Preset voices: descriptions in this repository, recordings that are downloaded, and a buzz for random weights."""

import array
import json
import math
import tomllib
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from higgs_install.checkpoint import NotWeights
from weights.lock_file import LockedFile, mirrored

PRESETS: Final = Path(__file__).with_name("presets.toml")
SHORTEST: Final = 3.0  # seconds of a recording
LONGEST: Final = 30.0

BUZZ: Final = "buzz"
BUZZ_RATE: Final = 24_000  # Hz
BUZZ_SECONDS: Final = 6.0
BUZZ_PITCH: Final = 120.0  # Hz
BUZZ_HARMONICS: Final = 12
BUZZ_TOML: Final = """\
transcript = "A sound that stands in for a voice."
language = "en"
description = "A buzz, for random weights, which babble in any case"
licence = "none; it is made of sines"
"""

_DESCRIPTION: Final = ("language", "gender", "description", "transcript", "licence")


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    recording: LockedFile
    """``NAME/audio.wav``, below the folder of presets."""
    about: Mapping[str, str]

    def voice_toml(self) -> str:
        """Returns the description that is installed with the recording."""
        lines = {**self.about, "source": self.recording.url}
        # A JSON string is a TOML string too, but for characters that must be escaped in one of them only.
        return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items())


def read_presets(file: Path = PRESETS, mirror: str = "") -> tuple[list[Preset], str]:
    """Returns the presets, and the name of the default one. Raises BadLock."""
    content: dict[str, Any] = tomllib.loads(file.read_text())
    source = mirrored(content["source"].rstrip("/"), mirror)
    presets = [
        Preset(
            name,
            LockedFile(f"{name}/audio.wav", f"{source}/{one['file']}", one["sha256"]),
            {key: one[key] for key in _DESCRIPTION},
        )
        for name, one in content["preset"].items()
    ]
    return presets, content["default"]


def check_recording(file: Path) -> None:
    """Checks that the model can take a recording: mono, 16 bits, 3 to 30 seconds. Raises NotWeights."""
    try:
        with wave.open(str(file)) as audio:
            seconds = audio.getnframes() / audio.getframerate()
            plain = (audio.getnchannels(), audio.getsampwidth()) == (1, 2)
    except (wave.Error, EOFError) as error:
        raise NotWeights(f"{file} is no WAV file: {error}") from error
    if not plain or not SHORTEST <= seconds <= LONGEST:
        raise NotWeights(f"{file}, of {seconds:.1f} s, must be mono, of 16 bits, and of {SHORTEST:g} to {LONGEST:g} s")


def write_buzz(folder: Path) -> dict[str, Path]:
    """Writes a preset called ``buzz`` into a folder, and returns its files, by their paths below the presets."""
    files = {name: folder / name for name in ("audio.wav", "voice.toml")}
    with wave.open(str(files["audio.wav"]), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(BUZZ_RATE)
        audio.writeframes(array.array("h", _buzz()).tobytes())
    files["voice.toml"].write_text(BUZZ_TOML)
    return {f"{BUZZ}/{name}": file for name, file in files.items()}


def _buzz() -> Iterator[int]:
    """Yields samples: the harmonics of one pitch, louder and softer three times a second, as syllables are."""
    for number in range(int(BUZZ_SECONDS * BUZZ_RATE)):
        time = number / BUZZ_RATE
        tone = sum(math.sin(2 * math.pi * BUZZ_PITCH * k * time) / k for k in range(1, BUZZ_HARMONICS + 1))
        yield int(6_000 * tone * (0.55 - 0.45 * math.cos(2 * math.pi * 3 * time)))
