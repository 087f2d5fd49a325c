"""How a document is to sound: the query parameters that every audio address of a document shares."""

from typing import Annotated

import msgspec
from litestar.params import QueryParameter

import lectern_contract as contract
from lectern.voicing import Pauses, Voicing
from lectern_contract import Lane
from lectern_contract.pauses import NoPauses, parse, spelled
from orchestrator.audio.formats import AudioFormat, Sound
from orchestrator.lib.errors.problems import bad_field


class AudioOptions(msgspec.Struct, frozen=True):
    voicing: Voicing
    sound: Sound
    lane: Lane


def audio_options(
    voice: Annotated[str | None, QueryParameter(description="A voice of GET /api/v1/voices; else the default.")] = None,
    model: Annotated[str | None, QueryParameter(description="A model of GET /v1/models; else the default.")] = None,
    speed: Annotated[
        float,
        QueryParameter(
            ge=contract.MIN_SPEED, le=contract.MAX_SPEED, description="2 is twice as fast as the voice's own."
        ),
    ] = 1.0,
    language: Annotated[str | None, QueryParameter(description="BCP 47; else the voice's own.")] = None,
    pauses: Annotated[
        str | None, QueryParameter(description=f"Seconds of silence, such as {spelled(contract.PAUSES)}.")
    ] = None,
    response_format: Annotated[AudioFormat, QueryParameter(description="How the audio is encoded.")] = "opus",
    lane: Annotated[Lane, QueryParameter(description="live is heard at once; batch can wait.")] = "live",
) -> AudioOptions:
    voicing = Voicing(voice=voice, model=model, speed=speed, language=language, pauses=_pauses(pauses), lane=lane)
    return AudioOptions(voicing, Sound(response_format), lane)


def _pauses(line: str | None) -> Pauses | None:
    try:
        return parse(line) if line else None
    except NoPauses as error:
        raise bad_field("pauses", f"cannot be read: {error}", where="query") from None
