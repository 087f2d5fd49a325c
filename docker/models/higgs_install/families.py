"""The two families of Higgs Audio that can be installed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from higgs_install.licences import HIGGS_AUDIO_2, HIGGS_TTS_3, Licence
from higgs_install.validation import check_codec, check_v2, check_v3

Check = Callable[[Path], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """The files from one repository of the hub, which go into one folder."""

    lock: str
    """The name of the lock file."""
    licence: Licence
    check: Check


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    title: str
    parts: Mapping[str, Part]
    """The parts by their folders."""
    baseline: bool
    """Whether plain transformers can run it too."""

    @property
    def licences(self) -> dict[str, Licence]:
        """The licences to accept, each by the first folder that is under it."""
        found: dict[str, Licence] = {}
        for folder, part in self.parts.items():
            if part.licence not in found.values():
                found[folder] = part.licence
        return found


# v3 decodes with the codec in its own weights. No encoder can be loaded from them alone, so references are encoded with
# the same codec from its own repository.
CODEC: Final = Part("codec.lock.toml", HIGGS_AUDIO_2, check_codec)
FAMILIES: Final = {
    "v2": Family(
        "v2",
        "Higgs Audio v2",
        {"weights": Part("v2.lock.toml", HIGGS_AUDIO_2, check_v2), "codec": CODEC},
        baseline=True,
    ),
    "v3": Family(
        "v3", "Higgs TTS 3", {"weights": Part("v3.lock.toml", HIGGS_TTS_3, check_v3), "codec": CODEC}, baseline=False
    ),
}
