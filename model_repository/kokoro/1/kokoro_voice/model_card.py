"""The model's card: the installed version, and each voice with its language, gender and grade."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from kokoro_voice.acoustic_client import RATE, SPEED

_LANGUAGES: Final = {
    "a": "en-US", "b": "en-GB", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt-BR", "z": "zh",
}  # fmt: skip

# From VOICES.md of hexgrad/Kokoro-82M: quality and length of the recordings. Other voices have no grade.
_GRADES: Final = {
    "af_heart": "A", "af_alloy": "C", "af_aoede": "C+", "af_bella": "A-", "af_jessica": "D", "af_kore": "C+",
    "af_nicole": "B-", "af_nova": "C", "af_river": "D", "af_sarah": "C+", "af_sky": "C-",
    "am_adam": "F+", "am_echo": "D", "am_eric": "D", "am_fenrir": "C+", "am_liam": "D", "am_michael": "C+",
    "am_onyx": "D", "am_puck": "C+", "am_santa": "D-",
    "bf_alice": "D", "bf_emma": "B-", "bf_isabella": "C", "bf_lily": "D",
    "bm_daniel": "D", "bm_fable": "C", "bm_george": "C", "bm_lewis": "D+",
    "ff_siwis": "B-", "hf_alpha": "C", "hf_beta": "C", "hm_omega": "C", "hm_psi": "C", "if_sara": "C", "im_nicola": "C",
    "jf_alpha": "C+", "jf_gongitsune": "C", "jf_nezumi": "C-", "jf_tebukuro": "C", "jm_kumo": "C-",
    "zf_xiaobei": "D", "zf_xiaoni": "D", "zf_xiaoxiao": "D", "zf_xiaoyi": "D",
    "zm_yunjian": "D", "zm_yunxi": "D", "zm_yunxia": "D", "zm_yunyang": "D",
}  # fmt: skip


class VoiceDescription(NamedTuple):
    language: str
    """BCP 47."""
    gender: Literal["female", "male"] | None
    grade: str | None
    """A to F; None for a voice without one."""
    text: str


def describe(name: str) -> VoiceDescription:
    """Reads language and gender from a name such as `bf_emma`. Raises ValueError for any other form of name."""
    kind, separator, own = name.partition("_")
    if len(kind) != len("af") or not separator or not own or kind[0] not in _LANGUAGES:
        raise ValueError(f"a voice named {name!r} has no known language: name it as af_name, with one of {_LANGUAGES}")
    gender: Literal["female", "male"] | None = {"f": "female", "m": "male"}.get(kind[1])  # type: ignore[assignment]
    grade = _GRADES.get(name)
    graded = f", grade {grade}" if grade else ""
    return VoiceDescription(_LANGUAGES[kind[0]], gender, grade, f"Kokoro, {own.replace('_', ' ').title()}{graded}")


class InstalledModel(msgspec.Struct, frozen=True):
    """The fields of card.json, which the export writes beside the voices, that the model's card repeats."""

    version: str
    """Changes when weights, voices or the English tagger change, so that the same request would sound different."""
    precision: str
    weights: str


def read_installed(folder: Path) -> InstalledModel:
    """Reads what is installed: weights in this folder, and perhaps an English tagger, by which kokoro_g2p reads words.

    Raises FileNotFoundError, and msgspec's errors for a damaged file.
    """
    model = msgspec.json.decode((folder / "card.json").read_bytes(), type=InstalledModel)
    tagger = folder.parent / "kokoro_g2p" / "en_core_web_sm"
    if not tagger.is_dir():
        return model
    digest = hashlib.sha256()
    for part in ("tok2vec", "tagger"):
        digest.update((tagger / part / "model").read_bytes())
    return msgspec.structs.replace(model, version=f"{model.version}-{digest.hexdigest()[:6]}")


def model_card(model: InstalledModel, voices: Iterable[str], default_voice: str, places: int) -> Mapping[str, Any]:
    return {
        "sample_rate": RATE,
        "speeds": [SPEED, SPEED],
        "lexicon": True,
        "references": False,
        "places": places,
        "mixes": True,
        "normalization": True,
        "pauses": True,
        "default_voice": default_voice,
        "markup": True,
        "version": model.version,
        "precision": model.precision,
        "weights": model.weights,
        "voices": [_voice_entry(name) for name in voices],
    }


def _voice_entry(name: str) -> Mapping[str, Any]:
    description = describe(name)
    return {
        "name": name,
        "language": description.language,
        "gender": description.gender,
        "grade": description.grade,
        "description": description.text,
        "voice": {"voice": name},
    }
