"""Which models the embedded Triton loads: the configured voice models, and the models that they need."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.embedded import CannotStart

AUTO = "auto"
INSTALLED = "card.json"  # in a model's folder; `make kokoro` and `make higgs` write it last
# Not higgs_baseline: it is for comparison, and loads the weights of higgs a second time.
INSTALLABLE = ("kokoro", "higgs")

_NEEDS = re.compile(r'key:\s*"needs"\s*value\s*\{\s*string_value:\s*"([^"]*)"')
_LOAD_TIMEOUT = re.compile(r'key:\s*"load_timeout"\s*value\s*\{\s*string_value:\s*"([0-9.]+)"')


def needs_of(model: str, repositories: Sequence[Path]) -> list[str]:
    """Returns the models that this one needs to speak: the comma-separated names in its parameter `needs`."""
    found = _NEEDS.search(_config_of(model, repositories))
    return [name.strip() for name in found[1].split(",") if name.strip()] if found else []


def voices_of(wanted: str, repositories: Sequence[Path]) -> list[str]:
    """Returns the voice models that a setting such as `espeak,kokoro` names."""
    if wanted.strip() == AUTO:
        return ["espeak", *(model for model in INSTALLABLE if _is_installed(model, repositories))]
    return list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))


def needs(voices: Sequence[str], repositories: Sequence[Path]) -> Mapping[str, Sequence[str]]:
    """Returns the models that each voice model needs. Raises CannotStart for a model that is in no repository."""
    return {voice: needs_of(voice, repositories) for voice in voices}


def load_timeouts(voices: Sequence[str], repositories: Sequence[Path]) -> Mapping[str, float]:
    """Returns the seconds that the models with a parameter `load_timeout` may take to load."""
    found = {voice: _LOAD_TIMEOUT.search(_config_of(voice, repositories)) for voice in voices}
    return {voice: float(said[1]) for voice, said in found.items() if said}


def _config_of(model: str, repositories: Sequence[Path]) -> str:
    for repository in repositories:
        config = repository / model / "config.pbtxt"
        if config.is_file():
            return config.read_text()
    raise CannotStart(f"there is no model {model} in {' or '.join(map(str, repositories))}: see LECTERN_MODELS")


def _is_installed(model: str, repositories: Sequence[Path]) -> bool:
    return any((repository / model / INSTALLED).is_file() for repository in repositories)
