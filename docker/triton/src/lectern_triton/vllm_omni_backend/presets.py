"""Preset voices: the folders with `audio.wav` and `voice.toml` that come with the model."""

import tomllib
import wave
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np

from lectern_triton.vllm_omni_backend.configuration import ConfigurationError
from lectern_triton.voice_backend.voice import BadRequest, Reference, Samples

AUDIO: Final = "audio.wav"
METADATA: Final = "voice.toml"
WIDTH: Final = 2  # bytes of a sample


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    transcript: str
    language: str = "en"
    gender: Literal["male", "female"] | None = None
    description: str = ""
    licence: str = ""
    source: str = ""


class Preset(msgspec.Struct, frozen=True):
    name: str
    about: About
    reference: Reference


def read_presets(folder: Path) -> dict[str, Preset]:
    """Reads the presets in a folder, by name. A folder that does not exist has none. Raises ConfigurationError."""
    if not folder.is_dir():
        return {}
    return {one.name: _read(one) for one in sorted(folder.iterdir()) if one.is_dir()}


def find_preset(presets: dict[str, Preset], name: str) -> Preset:
    """Returns the preset of this name. Raises BadRequest."""
    if name not in presets:
        known = ", ".join(presets) or "this model has none, so send reference_audio"
        raise BadRequest(f"there is no preset {name[:40]!r}: {known}")
    return presets[name]


def _read(folder: Path) -> Preset:
    try:
        about = msgspec.toml.decode((folder / METADATA).read_bytes(), type=About)
    except FileNotFoundError:
        raise ConfigurationError(f"the preset {folder.name} has no {METADATA}, with its transcript: {folder}") from None
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{folder / METADATA}: {error}") from None
    audio, rate = _read_audio(folder / AUDIO)
    return Preset(folder.name, about, Reference(audio, rate, about.transcript))


def _read_audio(file: Path) -> tuple[Samples, int]:
    """Returns mono samples and their rate."""
    try:
        with wave.open(str(file)) as audio:
            if audio.getsampwidth() != WIDTH:
                raise ConfigurationError(f"{file} has {8 * audio.getsampwidth()} bits a sample: it must have 16")
            raw = np.frombuffer(audio.readframes(audio.getnframes()), "<i2").reshape(-1, audio.getnchannels())
            return np.rint(raw.mean(axis=1)).astype(np.int16), audio.getframerate()
    except FileNotFoundError:
        raise ConfigurationError(f"the preset {file.parent.name} has no {AUDIO}: {file.parent}") from None
    except (wave.Error, EOFError, ValueError) as error:
        raise ConfigurationError(f"{file} is not a WAV file of 16-bit PCM: {error}") from None
