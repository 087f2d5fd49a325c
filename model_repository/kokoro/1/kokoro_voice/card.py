"""What the model says of itself: what was installed, and its voices."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kokoro_voice.acoustic import RATE
from kokoro_voice.published import describe


class Installed(msgspec.Struct, frozen=True):
    """The part of card.json, which the export writes beside the voices, that listeners can hear."""

    version: str
    """Of weights and voices: it changes when the same request would sound different."""
    precision: str
    weights: str


def installed(folder: Path) -> Installed:
    """Raises FileNotFoundError, and msgspec's errors for a damaged file."""
    return msgspec.json.decode((folder / "card.json").read_bytes(), type=Installed)


def card_of(model: Installed, voices: Iterable[str], default_voice: str, places: int) -> Mapping[str, Any]:
    return {
        "sample_rate": RATE,
        "speed": True,
        "lexicon": True,
        "references": False,
        "places": places,
        "mixes": True,
        "normalization": True,
        "default_voice": default_voice,
        "markup": True,
        "version": model.version,
        "precision": model.precision,
        "weights": model.weights,
        "voices": [_voice(name) for name in voices],
    }


def _voice(name: str) -> Mapping[str, Any]:
    description = describe(name)
    return {
        "name": name,
        "language": description.language,
        "gender": description.gender,
        "grade": description.grade,
        "description": description.text,
        "voice": {"voice": name},
    }
