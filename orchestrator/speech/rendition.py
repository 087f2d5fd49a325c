"""How a document is to sound: the query parameters that every audio address of a document shares."""

from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from orchestrator.speech.audio.formats import CONTAINERS, AudioFormat
from orchestrator.speech.schemas import Speed
from orchestrator.speech.service import Speech
from orchestrator.voices.catalog import Voice


class Rendition(msgspec.Struct, frozen=True):
    voice: Voice
    speed: float
    audio_format: AudioFormat

    @property
    def content_type(self) -> str:
        return CONTAINERS[self.audio_format].content_type


async def rendition(
    speech: NamedDependency[Speech],
    voice: Annotated[str | None, QueryParameter(description="A voice of GET /api/v1/voices; else the default.")] = None,
    model: Annotated[str | None, QueryParameter(description="A model of GET /v1/models; else the default.")] = None,
    speed: FromQuery[Speed] = 1.0,
    response_format: Annotated[AudioFormat, QueryParameter(description="How the audio is encoded.")] = "opus",
) -> Rendition:
    return Rendition(await speech.voice(voice, model), speed, response_format)
