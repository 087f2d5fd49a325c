"""The model's card: its abilities, its voices and its version."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lectern_triton.higgs_engine.messages import RATE, Ready
from lectern_triton.vllm_omni_backend.configuration import Configuration, ConfigurationError
from lectern_triton.vllm_omni_backend.presets import Preset

INSTALLED: Final = "card.json"


def model_card(
    folder: Path, configuration: Configuration, presets: Mapping[str, Preset], ready: Ready
) -> dict[str, Any]:
    """Returns the card of the model in `folder`. Raises ConfigurationError."""
    return {
        "sample_rate": RATE,
        "speeds": [1, 1],
        "lexicon": False,
        "references": True,
        "previous": ready.family == "v2",
        "seed": ready.seeds,
        "instructions": ready.family == "v2",
        "places": configuration.concurrency,
        "default_voice": default_voice(configuration, presets),
        "version": _version(folder, configuration, presets, ready),
        "voices": [
            {
                "name": preset.name,
                "language": preset.about.language,
                "gender": preset.about.gender,
                "description": preset.about.description,
                "licence": preset.about.licence,
                "source": preset.about.source,
                "voice": {"preset": preset.name},
            }
            for preset in presets.values()
        ],
    }


def default_voice(configuration: Configuration, presets: Mapping[str, Preset]) -> str:
    """Returns the name of the preset for requests that name none, or an empty string."""
    return configuration.default_voice or next(iter(presets), "")


def _version(folder: Path, configuration: Configuration, presets: Mapping[str, Preset], ready: Ready) -> str:
    """Returns the version of the weights, with a hash of all else that decides how a request sounds."""
    file = folder / INSTALLED
    try:
        installed = json.loads(file.read_text()).get("version", "")
    except FileNotFoundError:
        installed = ""
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"{file} is not a JSON object with a version: {error}") from None
    shaping = hashlib.blake2b(digest_size=4)
    chosen = configuration
    for part in (chosen.scene, chosen.temperature, chosen.top_p, chosen.top_k, chosen.seed):
        shaping.update(f"{part}\0".encode())
    for preset in presets.values():
        shaping.update(f"{preset.name}\0{preset.about.transcript}\0{preset.reference.rate}\0".encode())
        shaping.update(preset.reference.audio.tobytes())
    return f"{installed or ready.version}-{shaping.hexdigest()}"
