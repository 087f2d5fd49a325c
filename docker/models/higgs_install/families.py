"""The two families of Higgs Audio that can be installed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from higgs_install.checks import check_codec, check_v2, check_v3
from higgs_install.licences import HIGGS_AUDIO_2, HIGGS_TTS_3, Licence

Check = Callable[[Path], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """What comes from one repository of the hub, into one folder."""

    lock: str
    """The name of its lock file."""
    licence: Licence
    check: Check


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    title: str
    parts: Mapping[str, Part]
    """By their folders."""
    baseline: bool
    """Whether plain transformers speak it too."""

    @property
    def licences(self) -> dict[str, Licence]:
        """Those to be accepted, by the first folder that each is of."""
        found: dict[str, Licence] = {}
        for folder, part in self.parts.items():
            if part.licence not in found.values():
                found[folder] = part.licence
        return found


# v3 has the codec in its weights, and speaks by that. What it does not have is an encoder that can be loaded alone, for
# the references: that is the same codec's, from a repository of its own.
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
