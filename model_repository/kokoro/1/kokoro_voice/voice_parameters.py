"""The parameters of this model's voices: one voice or a mix of several, what is written out, and the pauses."""

import math
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

import msgspec

from kokoro_voice.model_card import describe
from lectern_contract import LONGEST_PAUSE, Break
from lectern_triton.voice_backend.voice import BadRequest

MOST_VOICES: Final = 8  # in a mix
PREFERRED: Final = "af_heart"


class VoiceParameters(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a request may ask for. Without voice and mix it gets the default voice."""

    voice: str | None = None
    mix: dict[str, float] | None = None  # voice -> weight; only the proportions count
    normalization: dict[str, bool] = {}  # the switches of kokoro_g2p: what is written out as words
    pauses: dict[Break, Annotated[float, msgspec.Meta(ge=0, le=LONGEST_PAUSE)]] = {}  # seconds, from sound to sound

    @property
    def weights(self) -> Mapping[str, float]:
        return self.mix or {self.voice or PREFERRED: 1.0}

    @property
    def language(self) -> str:
        """The language of the voice with the largest weight; of equals, of the first."""
        return describe(max(self.weights, key=self.weights.__getitem__)).language


def default_voice(installed: Collection[str]) -> str:
    return PREFERRED if PREFERRED in installed else next(iter(installed))


def parse_parameters(parameters: Mapping[str, Any], installed: Collection[str]) -> VoiceParameters:
    """Raises BadRequest."""
    try:
        parsed = msgspec.convert(parameters, VoiceParameters)
    except msgspec.ValidationError as error:
        known = ", ".join(VoiceParameters.__struct_fields__)
        raise BadRequest(f"voice: {error}; this model's parameters are {known}") from None
    if parsed.voice is not None and parsed.mix is not None:
        raise BadRequest("voice: give a voice or a mix, not both")
    if parsed.mix is not None:
        _check_mix(parsed.mix)
    if parsed.voice is None and parsed.mix is None:
        parsed = msgspec.structs.replace(parsed, voice=default_voice(installed))
    for name in parsed.weights:
        if name not in installed:
            raise BadRequest(f"unknown voice {name!r}: the model's card lists the voices")
    return parsed


def _check_mix(mix: Mapping[str, float]) -> None:
    if not 1 <= len(mix) <= MOST_VOICES:
        raise BadRequest(f"voice: a mix has 1 to {MOST_VOICES} voices, not {len(mix)}")
    for name, weight in mix.items():
        if not math.isfinite(weight) or weight <= 0:
            raise BadRequest(f"voice: the weight of {name!r} is {weight:g}: it must be above 0")
    if not math.isfinite(sum(mix.values())) or min(mix.values()) / sum(mix.values()) < 1e-6:  # noqa: PLR2004
        raise BadRequest("voice: the weights of a mix may not differ by more than a million times")
