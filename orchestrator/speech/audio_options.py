"""How a document is to sound: the query parameters that every audio address of a document shares."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter

import lectern_contract as contract
from orchestrator.audio.formats import AudioFormat, Sound
from orchestrator.speech.planner.voicing import Manner
from orchestrator.speech.schemas import Lane
from orchestrator.speech.service import Speech


class AudioOptions(msgspec.Struct, frozen=True):
    manner: Manner
    sound: Sound
    lane: Lane


async def audio_options(
    account: NamedDependency[UUID],
    speech: NamedDependency[Speech],
    voice: Annotated[str | None, QueryParameter(description="A voice of GET /api/v1/voices; else the default.")] = None,
    model: Annotated[str | None, QueryParameter(description="A model of GET /v1/models; else the default.")] = None,
    speed: Annotated[
        float,
        QueryParameter(
            ge=contract.MIN_SPEED, le=contract.MAX_SPEED, description="2 is twice as fast as the voice's own."
        ),
    ] = 1.0,
    language: Annotated[str | None, QueryParameter(description="BCP 47; else the voice's own.")] = None,
    response_format: Annotated[AudioFormat, QueryParameter(description="How the audio is encoded.")] = "opus",
    lane: Annotated[Lane, QueryParameter(description="live is heard at once; batch can wait.")] = "live",
) -> AudioOptions:
    manner = await speech.manner(account, voice=voice, model=model, speed=speed, language=language)
    return AudioOptions(manner, Sound(response_format), lane)
