"""Which models the embedded Triton loads: those that are asked for, and those that they need."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.embedded.errors import CannotStart

AUTO = "auto"
INSTALLED = Path("kokoro", "card.json")  # which `make kokoro` writes last

_NEEDS = re.compile(r'key:\s*"needs"\s*value\s*\{\s*string_value:\s*"([^"]*)"')


def needs_of(model: str, repositories: Sequence[Path]) -> list[str]:
    """Return the models without which this one cannot speak: its parameter `needs`, names with commas between them."""
    for repository in repositories:
        config = repository / model / "config.pbtxt"
        if config.is_file():
            found = _NEEDS.search(config.read_text())
            return [name.strip() for name in found[1].split(",") if name.strip()] if found else []
    raise CannotStart(f"there is no model {model} in {' or '.join(map(str, repositories))}: see LECTERN_MODELS")


def voices_of(wanted: str, repositories: Sequence[Path]) -> list[str]:
    """Return the voice models that a setting such as `espeak,kokoro` names."""
    if wanted.strip() == AUTO:
        installed = any((repository / INSTALLED).is_file() for repository in repositories)
        return ["espeak", "kokoro"] if installed else ["espeak"]
    return list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))


def needs(voices: Sequence[str], repositories: Sequence[Path]) -> Mapping[str, Sequence[str]]:
    """Return what each voice model needs. Raises CannotStart for one that is in no repository."""
    return {voice: needs_of(voice, repositories) for voice in voices}
