"""The preset voices: what is known of them is in the repository, their recordings are fetched."""

import json
import tomllib
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from higgs_install.safetensors import NotWeights
from weights.lock import LockedFile, mirrored

PRESETS: Final = Path(__file__).with_name("presets.toml")
SHORTEST: Final = 3.0  # seconds of a recording
LONGEST: Final = 30.0

_TOLD: Final = ("language", "gender", "description", "transcript", "licence")


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    recording: LockedFile
    """``NAME/audio.wav``, below the folder of presets."""
    about: Mapping[str, str]

    def voice_toml(self) -> str:
        """Return what is kept beside the recording."""
        lines = {**self.about, "source": self.recording.url}
        # A JSON string is a TOML string too, but for characters that must be escaped in one of them only.
        return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items())


def read_presets(file: Path = PRESETS, mirror: str = "") -> tuple[list[Preset], str]:
    """Return the presets, and the name of that which speaks when none is asked for. Raises BadLock."""
    content: dict[str, Any] = tomllib.loads(file.read_text())
    source = mirrored(content["source"].rstrip("/"), mirror)
    presets = [
        Preset(
            name,
            LockedFile(f"{name}/audio.wav", f"{source}/{one['file']}", one["sha256"]),
            {key: one[key] for key in _TOLD},
        )
        for name, one in content["preset"].items()
    ]
    return presets, content["default"]


def check_recording(file: Path) -> None:
    """Raises NotWeights unless it is what the model takes: mono, 16 bits, 3 to 30 seconds."""
    try:
        with wave.open(str(file)) as audio:
            seconds = audio.getnframes() / audio.getframerate()
            plain = (audio.getnchannels(), audio.getsampwidth()) == (1, 2)
    except (wave.Error, EOFError) as error:
        raise NotWeights(f"{file} is no WAV file: {error}") from error
    if not plain or not SHORTEST <= seconds <= LONGEST:
        raise NotWeights(f"{file}, of {seconds:.1f} s, must be mono, of 16 bits, and of {SHORTEST:g} to {LONGEST:g} s")
