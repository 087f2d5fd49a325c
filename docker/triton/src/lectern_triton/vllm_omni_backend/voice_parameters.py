"""The parameters in a request's `voice`: the preset, how to sample, and how to speak."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lectern_triton.higgs_engine.messages import Sampling
from lectern_triton.vllm_omni_backend.configuration import Configuration, Seed, Share, Temperature, TopK
from lectern_triton.voice_backend.voice import BadRequest

MAX_INSTRUCTIONS = 2_000  # characters


class VoiceParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON object of the input `voice`."""

    preset: str | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    top_k: TopK | None = None
    seed: Seed | None = None
    instructions: Annotated[str, Meta(max_length=MAX_INSTRUCTIONS)] = ""

    def sampling(self, defaults: Configuration) -> Sampling:
        """Returns how to sample; what the request leaves out is the model's default."""
        return Sampling(
            temperature=defaults.temperature if self.temperature is None else self.temperature,
            top_p=defaults.top_p if self.top_p is None else self.top_p,
            top_k=defaults.top_k if self.top_k is None else self.top_k,
            seed=defaults.seed if self.seed is None else self.seed,
        )


def read_voice_parameters(voice: Mapping[str, Any]) -> VoiceParameters:
    """Parses the parameters. Raises BadRequest."""
    try:
        return msgspec.convert(voice, VoiceParameters)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the voice is not what it must be: {error}") from None
