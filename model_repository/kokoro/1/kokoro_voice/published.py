"""What is known of a voice by its name: its language and gender, and the grade its authors gave it."""

from typing import Final, Literal, NamedTuple

_LANGUAGES: Final = {
    "a": "en-US", "b": "en-GB", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt-BR", "z": "zh",
}  # fmt: skip

# From VOICES.md of hexgrad/Kokoro-82M: how good and how long the recordings were. Voices not named there have none.
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


class Description(NamedTuple):
    language: str
    """BCP 47."""
    gender: Literal["female", "male"] | None
    grade: str | None
    """A to F; None for a voice that its authors did not grade."""
    text: str


def describe(name: str) -> Description:
    """Read a name such as `bf_emma`: language, gender, own name. Raises ValueError for a name that is not so made."""
    kind, separator, own = name.partition("_")
    if len(kind) != len("af") or not separator or not own or kind[0] not in _LANGUAGES:
        raise ValueError(f"a voice named {name!r} has no known language: name it as af_name, with one of {_LANGUAGES}")
    gender: Literal["female", "male"] | None = {"f": "female", "m": "male"}.get(kind[1])  # type: ignore[assignment]
    grade = _GRADES.get(name)
    graded = f", grade {grade}" if grade else ""
    return Description(_LANGUAGES[kind[0]], gender, grade, f"Kokoro, {own.replace('_', ' ').title()}{graded}")
